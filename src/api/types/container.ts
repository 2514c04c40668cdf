/** Containers: wire types of Docker's API 1.52, with Docker's own keys. */
import type { HostConfig, PortMap, RestartPolicy } from './host-config.ts';
import type { EndpointSettings } from './network.ts';

export type * from './host-config.ts';

export interface HealthcheckConfig {
  /** `[]`: the image's; `["NONE"]`: disabled; `["CMD", …]`; `["CMD-SHELL", line]`. */
  Test?: string[];
  /** Nanoseconds; 0 or absent: the default (30 s). The same holds for the other times. */
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  /** 0 or absent: 3. */
  Retries?: number;
}

/** `Config`: what of a container does not depend on the host. Optional keys are left out of replies when empty. */
export interface ContainerConfig {
  Hostname: string;
  Domainname: string;
  User: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  /** `80/tcp` → `{}` */
  ExposedPorts?: Record<string, Record<string, never>> | null;
  Tty: boolean;
  OpenStdin: boolean;
  /** Stdin ends when the first attached client ends it. */
  StdinOnce: boolean;
  Env: string[] | null;
  /** Null: the image's; `[]` with an `Entrypoint` given: none. */
  Cmd: string[] | null;
  /** Null (also a key that is absent): the image's. */
  Healthcheck?: HealthcheckConfig | null;
  ArgsEscaped?: boolean;
  /** As the user named it. */
  Image: string;
  Volumes: Record<string, Record<string, never>> | null;
  WorkingDir: string;
  /** Null: the image's; `[]` or `[""]`: none. */
  Entrypoint: string[] | null;
  NetworkDisabled?: boolean;
  /** Clients before 1.44; the edge moves it into the endpoint's settings. */
  MacAddress?: string;
  /** Replies leave it out when empty since 1.52. */
  OnBuild?: string[] | null;
  Labels: Record<string, string> | null;
  StopSignal?: string;
  /** Seconds; null: the engine's default (10). */
  StopTimeout?: number | null;
  Shell?: string[] | null;
}

/** Body of `POST /containers/create`: `Config` with two more keys. */
export interface ContainerCreateRequest extends ContainerConfig {
  HostConfig: HostConfig;
  NetworkingConfig: {
    /** By network name or id. */
    EndpointsConfig: Record<string, EndpointSettings | null> | null;
  } | null;
  /** Of docker-py: where HostConfig names none. */
  Runtime?: string;
}

export interface ContainerCreateResponse {
  Id: string;
  Warnings: string[];
}

/** Docker's states; no other word is ever shown. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface HealthcheckResult {
  /** RFC 3339 with nanoseconds. */
  Start: string;
  End: string;
  ExitCode: number;
  /** At most 4096 bytes. */
  Output: string;
}

export interface Health {
  Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  FailingStreak: number;
  /** The last five results, the oldest first. */
  Log: HealthcheckResult[];
}

export interface ContainerState {
  Status: ContainerStatus;
  /** True while paused or restarting too. */
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  /** On the host; 0 when not running. */
  Pid: number;
  ExitCode: number;
  Error: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z`: never. */
  StartedAt: string;
  FinishedAt: string;
  /** Only where a health check is configured. */
  Health?: Health;
}

/** A mount as inspect and list show it. */
export interface MountPoint {
  Type?: 'bind' | 'volume' | 'tmpfs' | 'image' | string;
  /** Volume name; absent for other types. */
  Name?: string;
  /** Path on the host. */
  Source: string;
  Destination: string;
  /** Volume driver; absent for other types. */
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}

export interface NetworkSettings {
  SandboxID: string;
  SandboxKey: string;
  /** `{}` when not running. */
  Ports: PortMap;
  /** By network name. */
  Networks: Record<string, EndpointSettings>;
}

/** `GET /containers/{id}/json`. */
export interface ContainerInspect {
  Id: string;
  /** RFC 3339 with nanoseconds. */
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  /** `sha256:…` */
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  /** With a leading slash. */
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  /** Null: none running. */
  ExecIDs: string[] | null;
  HostConfig: HostConfig;
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  /** Bytes in the container's own layer; only with `size=1`. */
  SizeRw?: number;
  /** Bytes with the image; only with `size=1`. */
  SizeRootFs?: number;
  Mounts: MountPoint[];
  Config: ContainerConfig;
  NetworkSettings: NetworkSettings;
}

export interface PortSummary {
  /** Absent: not published. */
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: 'tcp' | 'udp' | 'sctp' | string;
}

/** An entry of `GET /containers/json`. */
export interface ContainerSummary {
  Id: string;
  /** With a leading slash. */
  Names: string[];
  /** As the user named it, or the id where the name has moved on. */
  Image: string;
  /** `sha256:…` */
  ImageID: string;
  Command: string;
  /** Unix seconds. */
  Created: number;
  Ports: PortSummary[];
  /** Only with `size=1`. */
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string>;
  State: ContainerStatus;
  /** `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`, … */
  Status: string;
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> };
  /** Only from 1.52 on (the edge drops it before). */
  Health?: { Status: Health['Status']; FailingStreak: number };
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  Mounts: MountPoint[];
}

/** `POST /containers/{id}/wait`. */
export interface ContainerWaitResponse {
  StatusCode: number;
  /** Only when waiting failed; never an empty one. */
  Error?: { Message: string };
}

export interface ContainerTopResponse {
  Processes: string[][];
  Titles: string[];
}

/** An entry of `GET /containers/{id}/changes`. */
export interface FilesystemChange {
  Path: string;
  /** 0 modified, 1 added, 2 deleted. */
  Kind: 0 | 1 | 2;
}

type UpdatableKey =
  | 'CpuShares'
  | 'Memory'
  | 'NanoCpus'
  | 'CgroupParent'
  | 'BlkioWeight'
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'Devices'
  | 'DeviceCgroupRules'
  | 'DeviceRequests'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'MemorySwappiness'
  | 'OomKillDisable'
  | 'PidsLimit'
  | 'Ulimits';

/** Body of `POST /containers/{id}/update`; zero values: leave as it is. */
export interface ContainerUpdateRequest extends Pick<HostConfig, UpdatableKey> {
  RestartPolicy: RestartPolicy;
}

export interface ContainerUpdateResponse {
  Warnings: string[] | null;
}

export interface ContainersPruneReport {
  /** Ids. Null: nothing was removed. */
  ContainersDeleted: string[] | null;
  /** Bytes. */
  SpaceReclaimed: number;
}

/** Header `X-Docker-Container-Path-Stat` of the archive endpoints (base64 JSON). */
export interface ContainerPathStat {
  /** Base name. */
  name: string;
  /** Bytes. */
  size: number;
  /** Go's os.FileMode bits, not the kernel's: directory 1<<31, symlink 1<<27, … */
  mode: number;
  /** RFC 3339 with nanoseconds. */
  mtime: string;
  /** Where a symbolic link leads, inside the container; empty for all else. */
  linkTarget: string;
}
