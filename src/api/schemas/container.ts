/** How container bodies are read; see `wire/json-schema.ts`. */
import {
  boolean,
  duration,
  int64,
  integer,
  list,
  nullable,
  optional,
  pairOfUints,
  record,
  type Schema,
  smallInt64,
  string,
  stringOrList,
  struct,
  uint16,
  uint32,
} from '../../wire/json-schema.ts';
import type {
  ContainerConfig,
  ContainerCreateRequest,
  ContainerUpdateRequest,
  DeviceMapping,
  DeviceRequest,
  HealthcheckConfig,
  HostConfig,
  LogConfig,
  MountRequest,
  PortBinding,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../types/container.ts';
import { endpointSettings } from './network.ts';

/** `struct{}`: whatever keys, an empty object. */
const emptyObject: Schema<Record<string, never>> = struct<Record<string, never>>('struct {}', {});

const strings = list(string);
const labels = record(string);

const healthcheck: Schema<HealthcheckConfig> = struct<HealthcheckConfig>('container.HealthConfig', {
  Test: optional(strings),
  Interval: omitZero(duration),
  Timeout: omitZero(duration),
  StartPeriod: omitZero(duration),
  StartInterval: omitZero(duration),
  Retries: omitZero(integer),
});

/** A value that is left out where it is zero (Go's omitempty for scalars). */
function omitZero<T extends string | number | bigint | boolean>(schema: Schema<T>): Schema<T | undefined> {
  return {
    type: schema.type,
    zero: () => undefined,
    read: (value, path) => schema.read(value, path) || undefined,
  };
}

const configFields = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: optional(record(emptyObject)),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: strings,
  Cmd: stringOrList,
  Healthcheck: optional(nullable(healthcheck)),
  ArgsEscaped: omitZero(boolean),
  Image: string,
  Volumes: record(emptyObject),
  WorkingDir: string,
  Entrypoint: stringOrList,
  NetworkDisabled: omitZero(boolean),
  MacAddress: omitZero(string),
  OnBuild: strings,
  Labels: labels,
  StopSignal: omitZero(string),
  StopTimeout: optional(nullable(integer)),
  Shell: optional(stringOrList),
};

/** Body of `POST /commit`. */
export const containerConfig: Schema<ContainerConfig> = struct<ContainerConfig>('container.Config', configFields);

const portBinding: Schema<PortBinding> = struct<PortBinding>('nat.PortBinding', { HostIp: string, HostPort: string });

const restartPolicy: Schema<RestartPolicy> = struct<RestartPolicy>('container.RestartPolicy', {
  Name: string,
  MaximumRetryCount: integer,
});

const logConfig: Schema<LogConfig> = struct<LogConfig>('container.LogConfig', { Type: string, Config: labels });
const weightDevice: Schema<WeightDevice> = struct<WeightDevice>('blkiodev.WeightDevice', {
  Path: string,
  Weight: uint16,
});
const throttleDevice: Schema<ThrottleDevice> = struct<ThrottleDevice>('blkiodev.ThrottleDevice', {
  Path: string,
  Rate: int64,
});
const deviceMapping: Schema<DeviceMapping> = struct<DeviceMapping>('container.DeviceMapping', {
  PathOnHost: string,
  PathInContainer: string,
  CgroupPermissions: string,
});
const deviceRequest: Schema<DeviceRequest> = struct<DeviceRequest>('container.DeviceRequest', {
  Driver: string,
  Count: integer,
  DeviceIDs: strings,
  Capabilities: nullStrings(list(strings)),
  Options: labels,
});
const ulimit: Schema<Ulimit> = struct<Ulimit>('units.Ulimit', { Name: string, Hard: int64, Soft: int64 });

/** Inner nulls become empty lists. */
function nullStrings(schema: Schema<(string[] | null)[] | null>): Schema<string[][] | null> {
  return {
    type: schema.type,
    zero: () => null,
    read: (value, path) => schema.read(value, path)?.map((inner) => inner ?? []) ?? null,
  };
}

const mountRequest: Schema<MountRequest> = struct<MountRequest>('mount.Mount', {
  Type: string,
  Source: omitZero(string),
  Target: omitZero(string),
  ReadOnly: omitZero(boolean),
  Consistency: omitZero(string),
  BindOptions: optional(
    nullable(
      struct<NonNullable<MountRequest['BindOptions']>>('mount.BindOptions', {
        Propagation: omitZero(string),
        NonRecursive: omitZero(boolean),
        CreateMountpoint: omitZero(boolean),
        ReadOnlyNonRecursive: omitZero(boolean),
        ReadOnlyForceRecursive: omitZero(boolean),
      }),
    ),
  ),
  VolumeOptions: optional(
    nullable(
      struct<NonNullable<MountRequest['VolumeOptions']>>('mount.VolumeOptions', {
        NoCopy: omitZero(boolean),
        Labels: optional(labels),
        Subpath: omitZero(string),
        DriverConfig: optional(
          nullable(
            struct<{ Name?: string; Options?: Record<string, string> }>('mount.Driver', {
              Name: omitZero(string),
              Options: optional(labels),
            }),
          ),
        ),
      }),
    ),
  ),
  ImageOptions: optional(nullable(struct<{ Subpath?: string }>('mount.ImageOptions', { Subpath: omitZero(string) }))),
  TmpfsOptions: optional(
    nullable(
      struct<NonNullable<MountRequest['TmpfsOptions']>>('mount.TmpfsOptions', {
        SizeBytes: omitZero(int64),
        Mode: omitZero(uint32),
        Options: optional(nullStrings(list(strings))),
      }),
    ),
  ),
});

/** cgroups-related fields, which `POST /containers/{id}/update` takes too. */
const resourceFields = {
  CpuShares: smallInt64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(weightDevice),
  BlkioDeviceReadBps: list(throttleDevice),
  BlkioDeviceWriteBps: list(throttleDevice),
  BlkioDeviceReadIOps: list(throttleDevice),
  BlkioDeviceWriteIOps: list(throttleDevice),
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(deviceMapping),
  DeviceCgroupRules: strings,
  DeviceRequests: list(deviceRequest),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: nullable(int64),
  OomKillDisable: nullable(boolean),
  PidsLimit: nullable(int64),
  Ulimits: list(ulimit),
};

/** What Go's custom decoder does with a null policy, config or empty map is the zero value too. */
const hostConfig: Schema<HostConfig> = struct<HostConfig>('container.HostConfig', {
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: logConfig,
  NetworkMode: string,
  PortBindings: record(list(portBinding)),
  RestartPolicy: restartPolicy,
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: strings,
  ConsoleSize: pairOfUints,
  Annotations: optional(labels),
  CapAdd: stringOrList,
  CapDrop: stringOrList,
  CgroupnsMode: string,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: string,
  Cgroup: string,
  Links: strings,
  OomScoreAdj: integer,
  PidMode: string,
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: strings,
  StorageOpt: optional(labels),
  Tmpfs: optional(labels),
  UTSMode: string,
  UsernsMode: string,
  ShmSize: int64,
  Sysctls: optional(labels),
  Runtime: string,
  Isolation: string,
  ...resourceFields,
  KernelMemory: omitZero(int64),
  KernelMemoryTCP: omitZero(int64),
  CpuCount: smallInt64,
  CpuPercent: smallInt64,
  IOMaximumIOps: smallInt64,
  IOMaximumBandwidth: smallInt64,
  Mounts: optional(list(mountRequest)),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: optional(nullable(boolean)),
});

/** Body of `POST /containers/create`. */
export const containerCreateRequest: Schema<ContainerCreateRequest> = struct<ContainerCreateRequest>(
  'container.CreateRequest',
  {
    ...configFields,
    HostConfig: hostConfig,
    NetworkingConfig: nullable(
      struct<NonNullable<ContainerCreateRequest['NetworkingConfig']>>('network.NetworkingConfig', {
        EndpointsConfig: record(nullable(endpointSettings)),
      }),
    ),
    Runtime: optional(string),
  },
);

/** Body of `POST /containers/{id}/update`. */
export const containerUpdateRequest: Schema<ContainerUpdateRequest> = struct<ContainerUpdateRequest>(
  'container.UpdateConfig',
  { ...resourceFields, RestartPolicy: restartPolicy },
);
