/**
 * The parts of the OCI runtime configuration that Berth writes, with the specification's own keys
 * (https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md and config-linux.md). Sizes are bytes.
 */

/** Containers are written for this version: crun 1.8 refuses to read anything newer. */
export const ociRuntimeVersion = '1.0.2';

export interface RuntimeSpec {
  ociVersion: string;
  process: RuntimeProcess;
  root: { path: string; readonly?: boolean };
  hostname?: string;
  domainname?: string;
  mounts: RuntimeMount[];
  linux: RuntimeLinux;
  /** By the point in the container's life at which they run. */
  hooks?: Record<string, RuntimeHook[]>;
  annotations?: Record<string, string>;
}

export interface RuntimeHook {
  path: string;
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: number;
}

export interface RuntimeProcess {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: RuntimeUser;
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: RuntimeCapabilities;
  rlimits?: RuntimeLimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  selinuxLabel?: string;
  oomScoreAdj?: number;
}

export interface RuntimeUser {
  uid: number;
  gid: number;
  additionalGids?: number[];
}

export interface RuntimeCapabilities {
  bounding: string[];
  effective: string[];
  permitted: string[];
  inheritable?: string[];
  ambient?: string[];
}

/** `RLIMIT_NOFILE` and the like. A bigint carries what a number cannot: RLIM_INFINITY is 2^64 - 1. */
export interface RuntimeLimit {
  type: string;
  hard: bigint;
  soft: bigint;
}

export interface RuntimeMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export type NamespaceType = 'mount' | 'network' | 'uts' | 'pid' | 'ipc' | 'cgroup' | 'user';

export interface RuntimeNamespace {
  type: NamespaceType;
  /** Join the namespace at this path instead of making one. */
  path?: string;
}

export interface RuntimeLinux {
  sysctl?: Record<string, string>;
  resources: RuntimeResources;
  cgroupsPath: string;
  namespaces: RuntimeNamespace[];
  devices?: RuntimeDevice[];
  seccomp?: RuntimeSeccomp;
  rootfsPropagation?: 'shared' | 'slave' | 'private' | 'unbindable' | 'rshared' | 'rslave' | 'rprivate';
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
}

export interface RuntimeDevice {
  path: string;
  type: 'b' | 'c' | 'p';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

export interface DeviceRule {
  allow: boolean;
  type?: 'a' | 'b' | 'c';
  major?: number;
  minor?: number;
  access: string;
}

/** Exact up to 64 bits. */
type Integer = number | bigint;

export interface RuntimeResources {
  devices: DeviceRule[];
  memory?: {
    limit?: Integer;
    reservation?: Integer;
    swap?: Integer;
    swappiness?: Integer;
    disableOOMKiller?: boolean;
  };
  cpu?: {
    shares?: number;
    quota?: Integer;
    period?: Integer;
    realtimeRuntime?: Integer;
    realtimePeriod?: Integer;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: Integer };
  blockIO?: {
    weight?: number;
    weightDevice?: { major: number; minor: number; weight: number }[];
    throttleReadBpsDevice?: RuntimeThrottle[];
    throttleWriteBpsDevice?: RuntimeThrottle[];
    throttleReadIOPSDevice?: RuntimeThrottle[];
    throttleWriteIOPSDevice?: RuntimeThrottle[];
  };
}

export interface RuntimeThrottle {
  major: number;
  minor: number;
  rate: Integer;
}

export type SeccompAction =
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY';

export interface SeccompArgument {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

export interface SeccompRule {
  names: string[];
  action: SeccompAction;
  errnoRet?: number;
  args?: SeccompArgument[];
}

export interface RuntimeSeccomp {
  defaultAction: SeccompAction;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls: SeccompRule[];
}
