/** What the container routes need of the engine, cut into roles. `id` is always what the client wrote: id, unique id prefix or name. */
import type { Duplex, Readable } from 'node:stream';
import type {
  ContainerCreateResponse,
  ContainerInspect,
  ContainerPathStat,
  ContainerSummary,
  ContainersPruneReport,
  ContainerTopResponse,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  FilesystemChange,
} from '../../../api/types/container.ts';
import type {
  AttachOptions,
  ContainerCreateOptions,
  ContainerListOptions,
  ContainerRemoveOptions,
  ContainerStopOptions,
  LogsOptions,
  WaitCondition,
} from '../../../api/types/container-requests.ts';
import type { ContainerStats } from '../../../api/types/stats.ts';
import type { Filters } from '../../../wire/filters.ts';

/** Errors carry Docker's words: `not-found` `No such container: x`, `conflict`, `not-modified` for start of a running one, … */
export interface ContainerLifecycle {
  /** Errors: `not-found` `No such image: x:tag`, `conflict` for a name in use, `invalid`. */
  create(options: ContainerCreateOptions): Promise<ContainerCreateResponse>;
  /** Resolves when the process runs. Error: `not-modified` when it already does. */
  start(id: string): Promise<void>;
  /** Resolves after the exit. Error: `not-modified` when it is not running. */
  stop(id: string, options: ContainerStopOptions): Promise<void>;
  restart(id: string, options: ContainerStopOptions): Promise<void>;
  /** @param signal name or number; empty: SIGKILL. Errors: `invalid` `Invalid signal: x`, `conflict` when not running. */
  kill(id: string, signal: string): Promise<void>;
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  /** Resolves when it is gone. Error: `conflict` for a running one without force. */
  remove(id: string, options: ContainerRemoveOptions): Promise<void>;
}

export interface ContainerState {
  /** @param name without the leading slash */
  rename(id: string, name: string): Promise<void>;
  update(id: string, request: ContainerUpdateRequest): Promise<ContainerUpdateResponse>;
  resize(id: string, size: { rows: number; columns: number }): Promise<void>;
  /**
   * Resolves at once, subscribed: the server sends the headers then, and a client may rely on every later exit being seen.
   * `exit` settles when the condition holds; rejects only when `signal` aborts.
   */
  wait(
    id: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ exit: Promise<ContainerWaitResponse> }> | { exit: Promise<ContainerWaitResponse> };
  prune(filters: Filters): Promise<ContainersPruneReport>;
}

export interface ContainerQueries {
  /** The newest first. */
  list(options: ContainerListOptions): ContainerSummary[] | Promise<ContainerSummary[]>;
  inspect(id: string, options: { size: boolean }): ContainerInspect | Promise<ContainerInspect>;
  /** @param arguments for ps; empty: `-ef` */
  top(id: string, psArguments: string): Promise<ContainerTopResponse>;
  changes(id: string): Promise<FilesystemChange[]>;
  /**
   * A reading a second until `signal` aborts or the container is removed; one reading when `stream` is false (with a reading
   * before it for `precpu_stats`, unless `oneShot`).
   */
  stats(
    id: string,
    options: { stream: boolean; oneShot: boolean },
    signal: AbortSignal,
  ): Promise<AsyncIterable<ContainerStats>>;
}

/** Live streams of a process. */
export interface AttachedStreams {
  /**
   * Reading gives stdcopy frames (raw bytes with a terminal) and ends when the process has ended and all output was given.
   * Ending the writable half is the end of stdin. Destroying it detaches, the process goes on.
   */
  stream: Duplex;
  terminal: boolean;
  /** The client typed the detach keys: publishes the event; the server destroys the stream. */
  detached(): void;
}

export interface ContainerStreams {
  /** Works for created (not yet started) containers too. Errors: `conflict` for paused or restarting ones. */
  attach(id: string, options: AttachOptions): Promise<AttachedStreams>;
  /** Stdcopy frames, raw bytes for a container with a terminal. A destroyed stream ends the reader. */
  logs(id: string, options: LogsOptions): Promise<{ stream: Readable; terminal: boolean }>;
  /** Forgets what was written so far. Errors: `not-found`; `not-implemented` where nothing is kept. */
  clearLogs(id: string): Promise<void>;
}

/** Files inside a container, running or not. Paths are absolute in the container; links are resolved inside its root. */
export interface ContainerArchive {
  stat(id: string, path: string): Promise<ContainerPathStat>;
  /** A tar whose first entry is the base name of `path`. */
  read(id: string, path: string): Promise<{ stat: ContainerPathStat; content: Readable }>;
  /** Unpacks `content` (tar, also gzip, bzip2, xz, zstd) below the directory `path`. */
  write(
    id: string,
    path: string,
    content: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean },
  ): Promise<void>;
  /** The whole root as a tar. */
  export(id: string): Promise<Readable>;
}

export interface ContainerBackend {
  lifecycle: ContainerLifecycle;
  state: ContainerState;
  queries: ContainerQueries;
  streams: ContainerStreams;
  archive: ContainerArchive;
}
