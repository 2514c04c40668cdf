/** One step of a build: a command that runs in a tree of layers. The builder says what, the engine does it. */

/** Something that is mounted into the step, in the host's terms. */
export type PreparedMount =
  | { kind: 'bind'; target: string; source: string; readonly: boolean }
  /** A stack of directories, the top first; without an upper one nothing can be written. */
  | { kind: 'overlay'; target: string; lower: readonly string[]; upper: string | null; work: string | null }
  | { kind: 'tmpfs'; target: string; size: number }
  /** A file that lives in memory as long as the step. */
  | { kind: 'secret'; target: string; content: Uint8Array; uid: number; gid: number; mode: number };

export interface StepRequest {
  /** Directories of the layers, the top first. */
  lower: readonly string[];
  /** Where what the step writes goes; both exist and are empty. */
  upper: string;
  work: string;
  args: readonly string[];
  env: readonly string[];
  directory: string;
  user: string;
  network: string;
  privileged: boolean;
  mounts: readonly PreparedMount[];
  extraHosts: readonly string[];
  /** Docker's resource limits by the names of `HostConfig`. */
  limits: Readonly<Record<string, unknown>>;
}

export interface StepOptions {
  /** Aborted: the command is killed. */
  signal: AbortSignal;
  /** What the command writes, as it comes; stream 1 is standard output, 2 standard error. */
  output: (stream: 1 | 2, data: Uint8Array) => void;
}

export interface StepOutcome {
  exitCode: number;
  outOfMemory: boolean;
}

/** Runs one command in a tree, as a container that nobody else sees. */
export interface StepRunner {
  /**
   * Resolves when the command has ended and all its output was given; nothing of the step is left but what it wrote. Errors: the runtime's
   * words for a command that cannot be started; the signal's reason, once the command is dead.
   */
  run(request: StepRequest, options: StepOptions): Promise<StepOutcome>;
}
