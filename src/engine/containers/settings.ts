import type { Ulimit } from '../../api/types/host-config.ts';

/** An OCI runtime that containers may ask for by name. */
export interface RuntimeProgram {
  /** Absolute path. */
  path: string;
  /** Further global arguments. */
  arguments: string[];
}

/** What the engine's configuration says about containers. */
export interface ContainerSettings {
  /** Cgroup under which all containers live, for example `/berth`. */
  cgroupParent: string;
  /** Name of one of `runtimes`. */
  defaultRuntime: string;
  runtimes: ReadonlyMap<string, RuntimeProgram>;
  /** Bytes of /dev/shm. */
  shmSize: number;
  ulimits: readonly Ulimit[];
  /** Empty: `host` on cgroup version 1, `private` on 2. */
  cgroupnsMode: '' | 'host' | 'private';
  ipcMode: 'private' | 'shareable';
  noNewPrivileges: boolean;
  /** Empty: the built-in profile; `unconfined`; else JSON text. */
  seccompProfile: string;
  /** Every container runs under an init unless it says otherwise. */
  init: boolean;
  /** Path of the init program on the host. */
  initPath(): string;
  /** Directories of vendors' descriptions of devices; the later have precedence. */
  cdiSpecDirectories: readonly string[];
  logDriver: string;
  logOptions: Readonly<Record<string, string>>;
  /** Search path and servers of the engine, for containers that bring none. */
  dns: readonly string[];
  dnsOptions: readonly string[];
  dnsSearch: readonly string[];
}
