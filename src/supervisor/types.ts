/**
 * What the engine says to and hears from a container's shim. The shim (C, `shim/`) outlives the engine: it makes the
 * container's network and mount namespace, runs the OCI runtime once, owns stdio or the pty, the log, attach, exec, the
 * held host ports and the exit status.
 */
import type { Duplex } from 'node:stream';
import type { InterfacePlan } from '../host/netlink/attacher.ts';

/** The root file system, mounted in a mount namespace that only the container holds. */
export type RootMount =
  | {
      kind: 'overlay';
      /** Lower directories, the top layer first; absolute paths. */
      lower: string[];
      upper: string;
      work: string;
      /** No sync of the upper directory: for `--rm` containers and build steps. */
      volatile: boolean;
    }
  | { kind: 'bind'; source: string };

/** A published host port that the shim keeps bound while the container lives. */
export interface PortHold {
  protocol: 'tcp' | 'udp';
  hostAddress: string;
  hostPort: number;
  /** The container's side. */
  forwardTo: { address: string; port: number };
  /** Forwarded by the shim (IPv6 host addresses); otherwise the port is only held and nftables forwards. */
  userspace: boolean;
}

export type SandboxPlan =
  | { kind: 'host' }
  /** Join the network namespace at this path (`/proc/PID/ns/net`). */
  | { kind: 'join'; path: string }
  /** A new namespace; no interfaces: loopback only. */
  | {
      kind: 'new';
      interfaces: InterfacePlan[];
      ports: PortHold[];
      /** Socket of the process that answers names inside, asked to make its sockets before the container's program runs. */
      resolver?: string;
    };

/** Where the container's output goes. */
export type LogPlan =
  | { driver: 'none' }
  | {
      driver: 'json-file';
      path: string;
      /** Bytes at which the file is rotated; -1: never. */
      maxSize: number;
      /** Files kept, the current one included; at least 1. */
      maxFile: number;
      /** Rotated files are gzip-compressed. */
      compress: boolean;
      /** Bytes of lines that wait for a disk which takes none, beyond which they are lost; 0: the container waits for the disk. */
      bufferSize?: number;
      /** Attributes copied into every line (`labels`, `env`, `tag` of Docker's json-file driver). */
      attributes: Record<string, string>;
    };

/** Something mounted below `ShimSpec.directory` before the runtime starts, for the OCI configuration to bind from. */
export interface Pin {
  /** Relative to the directory, without a slash. */
  name: string;
  /** Directory that `path` cannot leave, whatever links are in it. */
  root: string;
  path: string;
  /** Pid of the container in whose mount namespace `root` is; null: the host's. */
  process: number | null;
}

export interface ShimSpec {
  /** Container id, 64 hex digits. */
  id: string;
  /** Directory below the exec root that already holds the bundle's config.json; sockets, pid and exit file go here. */
  directory: string;
  runtime: {
    /** Absolute path of crun, runc or another OCI runtime. */
    path: string;
    /** Its `--root`. */
    root: string;
    /** Further global arguments. */
    arguments: string[];
  };
  root: RootMount;
  terminal: boolean;
  /** `closed`: /dev/null; `open`: stays open; `once`: closed when the first attached client closes it. */
  stdin: 'closed' | 'open' | 'once';
  /** Terminal size at the start, where the client gave one. */
  size: { rows: number; columns: number } | null;
  log: LogPlan;
  network: SandboxPlan;
  /** Kernel parameters of the network namespace (`net.ipv4.ip_forward`), written before the runtime starts; not with `host`. */
  sysctls?: Record<string, string>;
  pins?: Pin[];
  /** Cgroup of the container relative to the hierarchy's root (`/berth/<id>`), watched for OOM kills. */
  cgroupPath: string;
  /** Attach clients that wait for the start: the shim reads no output before all of them are connected. */
  attachments: AttachRequest[];
}

/** Which streams an attached client wants. Output arrives as stdcopy frames, or raw where the process has a terminal. */
export interface AttachRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

export interface StartedContainer {
  /** Host pid of the container's first process. */
  pid: number;
  startedAt: Date;
  /** One for each of `ShimSpec.attachments`, in that order. Ending the writable half is the end of stdin. */
  attachments: Duplex[];
}

export interface ExitStatus {
  /** 0–255; 128 + signal for a killed process. */
  code: number;
  oomKilled: boolean;
  exitedAt: Date;
}

export interface ExecSpec {
  /** Exec id, 64 hex digits. */
  execId: string;
  /** The OCI `process` object for `crun exec --process`. */
  process: unknown;
  terminal: boolean;
  size: { rows: number; columns: number } | null;
  /** Null: detached, all streams are /dev/null. */
  attach: AttachRequest | null;
}

export interface StartedExec {
  pid: number;
  stream: Duplex | null;
  /** Settles when all output was sent to `stream`; the reader may still have to take it. */
  exit: Promise<ExitStatus>;
}

/** What the supervisor tells the engine without being asked. */
export interface SupervisorEvents {
  onExit(containerId: string, status: ExitStatus): void;
  onOutOfMemory(containerId: string): void;
}

/** What an adopted directory of the exec root turned out to be. */
export type Adoption =
  | { state: 'running'; pid: number; startedAt: Date }
  | { state: 'exited'; status: ExitStatus }
  | { state: 'gone' };

export interface Supervisor {
  /** A start or exec will follow soon: what takes time and needs no more knowledge is begun. Cheap; nothing depends on it. */
  prepareStart(): void;
  /** Starts the shim and with it the container. Rejects with Docker's words when the runtime refuses; nothing is left then. */
  start(spec: ShimSpec): Promise<StartedContainer>;
  /** After an engine restart: connects to the shim of `directory`, or reads what it left. */
  adopt(containerId: string, directory: string): Promise<Adoption>;
  /** Ends a start that does not come to an end; it fails then. Of a container that runs, its end. */
  abandon(containerId: string): Promise<void>;
  attach(containerId: string, request: AttachRequest): Promise<Duplex>;
  resize(containerId: string, execId: string | null, size: { rows: number; columns: number }): Promise<void>;
  exec(containerId: string, spec: ExecSpec): Promise<StartedExec>;
  /** Sends a signal to the first process (or an exec's). */
  signal(containerId: string, execId: string | null, signal: number): Promise<void>;
  /** The log of a running container: cut to nothing (`berth logs --clear`). */
  truncateLog(containerId: string): Promise<void>;
  /** After an exit: removes the runtime's state, cgroup and `directory`. Idempotent. */
  cleanUp(containerId: string, directory: string): Promise<void>;
  /** Ends every process of a cgroup and removes it: for a container whose directory says nothing any more. None is fine. */
  endCgroup(cgroupPath: string): Promise<void>;
  /** Forgets connections; shims go on. */
  close(): void;
}
