/** System: wire types of Docker's API 1.52, with Docker's own keys. */
import type { ContainerSummary } from './container.ts';
import type { ImageSummary } from './image.ts';
import type { Volume } from './volume.ts';

export interface VersionComponent {
  Name: string;
  Version: string;
  Details?: Record<string, string>;
}

/** `GET /version`. */
export interface VersionInfo {
  Platform: { Name: string };
  /** Docker-compatible: `28.x.y`. */
  Version: string;
  /** The newest API version that is spoken. */
  ApiVersion: string;
  MinAPIVersion: string;
  /** In Go's words: `linux`. */
  Os: string;
  /** In Go's words: `amd64`. */
  Arch: string;
  Components: VersionComponent[];
  GitCommit: string;
  GoVersion: string;
  KernelVersion: string;
  Experimental?: boolean;
  /** RFC 3339 with nanoseconds. */
  BuildTime: string;
}

export interface RegistryIndexConfig {
  Mirrors: string[];
  Name: string;
  Official: boolean;
  Secure: boolean;
}

export interface RuntimeInfo {
  path?: string;
  runtimeArgs?: string[];
  status?: Record<string, string>;
}

/** `GET /info`. */
export interface SystemInfo {
  ID: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  DriverStatus: [string, string][];
  Plugins: { Volume: string[]; Network: string[]; Authorization: string[] | null; Log: string[] };
  MemoryLimit: boolean;
  SwapLimit: boolean;
  KernelMemoryTCP?: boolean;
  CpuCfsPeriod: boolean;
  CpuCfsQuota: boolean;
  CPUShares: boolean;
  CPUSet: boolean;
  PidsLimit: boolean;
  IPv4Forwarding: boolean;
  Debug: boolean;
  NFd: number;
  OomKillDisable: boolean;
  NGoroutines: number;
  /** RFC 3339 with nanoseconds. */
  SystemTime: string;
  LoggingDriver: string;
  CgroupDriver: string;
  CgroupVersion: string;
  NEventsListener: number;
  KernelVersion: string;
  OperatingSystem: string;
  OSVersion: string;
  OSType: string;
  /** As uname gives it: `x86_64`. */
  Architecture: string;
  IndexServerAddress: string;
  RegistryConfig: {
    IndexConfigs: Record<string, RegistryIndexConfig>;
    InsecureRegistryCIDRs: string[];
    Mirrors: string[] | null;
  };
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  GenericResources: unknown[] | null;
  DockerRootDir: string;
  HttpProxy: string;
  HttpsProxy: string;
  NoProxy: string;
  Name: string;
  Labels: string[];
  ExperimentalBuild: boolean;
  ServerVersion: string;
  Runtimes: Record<string, RuntimeInfo>;
  DefaultRuntime: string;
  Swarm: {
    NodeID: string;
    NodeAddr: string;
    LocalNodeState: 'inactive';
    ControlAvailable: boolean;
    Error: string;
    RemoteManagers: null;
  };
  LiveRestoreEnabled: boolean;
  Isolation: string;
  InitBinary: string;
  ContainerdCommit: { ID: string };
  RuncCommit: { ID: string };
  InitCommit: { ID: string };
  SecurityOptions: string[];
  ProductLicense?: string;
  DefaultAddressPools?: { Base: string; Size: number }[];
  FirewallBackend?: { Driver: string; Info?: [string, string][] };
  CDISpecDirs: string[];
  Warnings: string[] | null;
}

export type DiskUsageType = 'container' | 'image' | 'volume' | 'build-cache';

/** One step in the build cache. */
export interface BuildCacheRecord {
  ID: string;
  Type: string;
  Description: string;
  InUse: boolean;
  /** An image has its layer too. */
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt: string | null;
  UsageCount: number;
}

/** What `GET /system/df` is made of; types that were not asked for are absent. The edge shapes it for the client's version. */
export interface DiskUsage {
  /** Bytes of all layers, each counted once. */
  LayersSize?: number;
  Images?: ImageSummary[];
  /** With `SizeRw` and `SizeRootFs`. */
  Containers?: ContainerSummary[];
  /** With `UsageData`. */
  Volumes?: Volume[];
  BuildCache?: BuildCacheRecord[];
}

/** One kind of object, as 1.52 sums it up. */
export interface UsageSummary {
  ActiveCount: number;
  TotalCount: number;
  /** Bytes. */
  TotalSize: number;
  /** Bytes that a prune would give back. */
  Reclaimable: number;
  /** Only with `verbose=1`. */
  Items?: unknown[];
}

export type UsageSummaries = Partial<
  Record<'ImageUsage' | 'ContainerUsage' | 'VolumeUsage' | 'BuildCacheUsage', UsageSummary>
>;

/** `GET /system/df` since 1.52: the lists of older versions beside the sums, or with `verbose` the sums alone. */
export interface DiskUsageResponse extends DiskUsage, UsageSummaries {}

/** An entry of `GET /plugins`; there is none. */
export interface Plugin {
  Id?: string;
  Name: string;
  Enabled: boolean;
}

/** `POST /auth`. */
export interface AuthResponse {
  Status: string;
  IdentityToken?: string;
}
