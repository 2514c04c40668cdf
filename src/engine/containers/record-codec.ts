/**
 * A record as JSON for the database. What has its usual value is left out: a row then fits into one page of the database, and
 * a container's life writes a third of the pages.
 */
import type { ContainerConfig, HostConfig } from '../../api/types/container.ts';
import { parseJson, stringifyJson } from '../../wire/json.ts';
import { type ContainerRecord, never } from './record.ts';
import { defaultMaskedPaths, defaultReadonlyPaths } from './spec/bundle.ts';

/** What most containers have. A member that is changed here changes what old rows mean: add new ones only. */
const usualHostConfig: Partial<HostConfig> = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: 'json-file', Config: {} },
  NetworkMode: 'bridge',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'host',
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 67_108_864,
  Runtime: 'crun',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: [],
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: [...defaultMaskedPaths],
  ReadonlyPaths: [...defaultReadonlyPaths],
};

const usualConfig: Partial<ContainerConfig> = {
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
};

const usualRecord: Partial<ContainerRecord> = {
  arguments: [],
  endpoints: {},
  mounts: [],
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: never,
  finishedAt: never,
  restartCount: 0,
  stoppedByUser: false,
  health: null,
  sandbox: null,
};

/** The record as JSON; integers beyond 2^53 keep every digit. */
export function encodeRecord(record: ContainerRecord): string {
  return stringifyJson({
    ...unusual(record, usualRecord),
    config: unusual(record.config, usualConfig),
    hostConfig: unusual(record.hostConfig, usualHostConfig),
  });
}

/** The other way. */
export function decodeRecord(text: string): ContainerRecord {
  const stored = parseJson(text) as ContainerRecord;
  return {
    ...structuredClone(usualRecord),
    ...stored,
    config: { ...structuredClone(usualConfig), ...stored.config },
    hostConfig: { ...structuredClone(usualHostConfig), ...stored.hostConfig },
  };
}

/** The members that differ. */
function unusual<T extends object>(value: T, usual: Partial<T>): Partial<T> {
  const result: Partial<T> = {};
  for (const key in value) {
    if (!(key in usual) || !isSame(value[key], usual[key])) result[key] = value[key];
  }
  return result;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
