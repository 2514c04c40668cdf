/**
 * The error vocabulary of Berth. An error that crosses a module boundary is a `BerthError` of exactly one kind; the kind,
 * not the class, is what both ends test. The server maps kind to HTTP status in one file, the client maps it back.
 */

/** What went wrong, as far as a caller can act on it. */
export type ErrorKind =
  | 'not-found'
  | 'conflict'
  | 'invalid'
  | 'not-modified'
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable'
  | 'not-implemented'
  | 'too-large'
  | 'cancelled'
  | 'deadline'
  | 'internal';

/** Extra facts of an error. */
export interface ErrorDetails {
  /** What the user can do about it, one sentence. */
  hint?: string;
  /** The error underneath. */
  cause?: unknown;
  /** A stable code for programs, for example `container-name-in-use`; defaults to the kind. */
  code?: string;
}

export class BerthError extends Error {
  override readonly name = 'BerthError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly hint: string | undefined;

  /** @param message in Docker's own words wherever clients parse them */
  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = details.code ?? kind;
    this.hint = details.hint;
  }
}

/** The kind of any thrown value; what is not a `BerthError` is `internal`. */
export function errorKind(error: unknown): ErrorKind {
  return error instanceof BerthError ? error.kind : 'internal';
}

/** The message of any thrown value. The database's word for a full disk is put as everybody else puts it. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as { code?: unknown }).code === 'SQLITE_FULL' ? 'no space left on device' : error.message;
}

/** What the system says of a failed call, without the name of the call and the path that the runtime adds: `no such file or directory`. */
export function systemReason(error: unknown): string {
  const message = errorMessage(error);
  return /^E[A-Z0-9]+: ([^,]+)(?:, |$)/.exec(message)?.[1] ?? message;
}
