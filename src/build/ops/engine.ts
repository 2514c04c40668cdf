/** What the builder asks of the engine; src/engine/steps/ satisfies it by shape, and so does a fake. */
import type { Definition } from '../graph/vertex.ts';

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
  limits: Definition;
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
  run(
    request: StepRequest,
    options: { signal: AbortSignal; output: (stream: 1 | 2, data: Uint8Array) => void },
  ): Promise<StepOutcome>;
}
