/** What the exec routes need of the engine. */
import type { ExecCreateRequest, ExecCreateResponse, ExecInspect } from '../../../api/types/exec.ts';
import type { AttachedStreams } from '../container/backend.ts';

export interface ExecStartOptions {
  detach: boolean;
  terminal: boolean;
  /** Null: not given. */
  size: { rows: number; columns: number } | null;
}

export interface ExecBackend {
  /** Errors: `not-found`, `conflict` for a container that is paused or does not run, `invalid` without a command. */
  create(containerId: string, request: ExecCreateRequest): Promise<ExecCreateResponse> | ExecCreateResponse;
  /** Called before the connection is hijacked: what fails here becomes an HTTP status. Errors: `not-found`, `conflict`. */
  check(execId: string): void | Promise<void>;
  /**
   * Runs it. After the hijack the server shows the message of a failure on the stream. Null when detached.
   * The exit code is in `inspect` before the stream ends.
   */
  start(execId: string, options: ExecStartOptions): Promise<AttachedStreams | null>;
  inspect(execId: string): ExecInspect | Promise<ExecInspect>;
  resize(execId: string, size: { rows: number; columns: number }): Promise<void>;
}
