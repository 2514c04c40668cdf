/** `HostConfig`: what of a container depends on the host. Wire types of Docker's API 1.52, with Docker's own keys. */
import type { Integer64 } from './integer.ts';

export interface PortBinding {
  /** Empty: all addresses. */
  HostIp: string;
  /** A port, a range `8000-8010`, or empty: any free one. */
  HostPort: string;
}

/** `80/tcp` → where it is published. Null: exposed only. */
export type PortMap = Record<string, PortBinding[] | null>;

export interface RestartPolicy {
  /** Empty counts as `no`. */
  Name: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure' | string;
  /** Only with `on-failure`; 0: no limit. */
  MaximumRetryCount: number;
}

export interface LogConfig {
  /** Driver; empty: the engine's default. */
  Type: string;
  Config: Record<string, string> | null;
}

export interface WeightDevice {
  Path: string;
  Weight: number;
}

export interface ThrottleDevice {
  Path: string;
  /** Bytes or operations a second. */
  Rate: Integer64;
}

export interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  /** Some of `rwm`. */
  CgroupPermissions: string;
}

/** Devices by capability (`--gpus`, CDI). */
export interface DeviceRequest {
  Driver: string;
  /** −1: all. */
  Count: number;
  DeviceIDs: string[] | null;
  Capabilities: string[][] | null;
  Options: Record<string, string> | null;
}

export interface Ulimit {
  Name: string;
  /** −1: unlimited. */
  Hard: Integer64;
  Soft: Integer64;
}

/** An entry of `HostConfig.Mounts` (`--mount`). */
export interface MountRequest {
  Type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image' | string;
  /** Path on the host, volume name or image; empty: anonymous volume. */
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  ImageOptions?: { Subpath?: string };
  TmpfsOptions?: {
    /** Bytes; 0 or absent: no limit. */
    SizeBytes?: Integer64;
    /** Permission bits; 0 or absent: 1777 octal. */
    Mode?: number;
    Options?: string[][];
  };
}

/** All keys are there in a decoded request (Go's zero values where the client gave none) and in every reply. */
export interface HostConfig {
  /** `source:target[:options]` */
  Binds: string[] | null;
  ContainerIDFile: string;
  LogConfig: LogConfig;
  /** `default` (or empty), `bridge`, `none`, `host`, `container:<id>`, or a network. */
  NetworkMode: string;
  PortBindings: PortMap | null;
  RestartPolicy: RestartPolicy;
  AutoRemove: boolean;
  VolumeDriver: string;
  /** `container[:ro|rw]` */
  VolumesFrom: string[] | null;
  /** Rows, columns at creation. */
  ConsoleSize: [number, number];
  Annotations?: Record<string, string>;
  CapAdd: string[] | null;
  CapDrop: string[] | null;
  /** `host`, `private`, or empty: the engine's default. */
  CgroupnsMode: string;
  Dns: string[] | null;
  DnsOptions: string[] | null;
  DnsSearch: string[] | null;
  /** `name:address`; the address may be `host-gateway`. */
  ExtraHosts: string[] | null;
  GroupAdd: string[] | null;
  IpcMode: string;
  Cgroup: string;
  Links: string[] | null;
  /** −1000 to 1000. */
  OomScoreAdj: number;
  PidMode: string;
  Privileged: boolean;
  PublishAllPorts: boolean;
  ReadonlyRootfs: boolean;
  SecurityOpt: string[] | null;
  StorageOpt?: Record<string, string>;
  /** Target → mount options. */
  Tmpfs?: Record<string, string>;
  UTSMode: string;
  UsernsMode: string;
  /** Bytes of /dev/shm; 0: the engine's default. */
  ShmSize: Integer64;
  Sysctls?: Record<string, string>;
  /** OCI runtime; empty: the engine's default. */
  Runtime: string;
  Isolation: string;

  /** Relative weight; 0: default. */
  CpuShares: number;
  /** Bytes; 0: no limit. */
  Memory: Integer64;
  /** 10^-9 CPUs; 0: no limit. */
  NanoCpus: Integer64;
  CgroupParent: string;
  BlkioWeight: number;
  BlkioWeightDevice: WeightDevice[] | null;
  BlkioDeviceReadBps: ThrottleDevice[] | null;
  BlkioDeviceWriteBps: ThrottleDevice[] | null;
  BlkioDeviceReadIOps: ThrottleDevice[] | null;
  BlkioDeviceWriteIOps: ThrottleDevice[] | null;
  /** Microseconds. */
  CpuPeriod: Integer64;
  /** Microseconds in each period. */
  CpuQuota: Integer64;
  CpuRealtimePeriod: Integer64;
  CpuRealtimeRuntime: Integer64;
  CpusetCpus: string;
  CpusetMems: string;
  Devices: DeviceMapping[] | null;
  DeviceCgroupRules: string[] | null;
  DeviceRequests: DeviceRequest[] | null;
  /** Bytes; only from clients before 1.42. */
  KernelMemory?: Integer64;
  KernelMemoryTCP?: Integer64;
  /** Bytes; 0: none. */
  MemoryReservation: Integer64;
  /** Memory + swap in bytes; −1: unlimited swap; 0: twice the memory. */
  MemorySwap: Integer64;
  /** 0 to 100; null: the kernel's. */
  MemorySwappiness: Integer64 | null;
  OomKillDisable: boolean | null;
  /** Null, 0 or −1: no limit. */
  PidsLimit: Integer64 | null;
  Ulimits: Ulimit[] | null;
  /** Windows only, always 0 here. */
  CpuCount: number;
  CpuPercent: number;
  IOMaximumIOps: number;
  IOMaximumBandwidth: number;
  Mounts?: MountRequest[];
  /** Null: the defaults; empty: none (`systempaths=unconfined`). */
  MaskedPaths: string[] | null;
  ReadonlyPaths: string[] | null;
  /** Null: the engine's default. */
  Init?: boolean | null;
}
