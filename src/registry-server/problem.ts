/** Errors in the form of the specification (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes). */

/** The specification's codes, and two that Docker's registry answers with besides. */
export type ProblemCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'TAG_INVALID'
  | 'PAGINATION_NUMBER_INVALID'
  | 'UNKNOWN';

/** Status and message of each code, as Docker's registry words them; clients print the message. */
const usual: Record<ProblemCode, [status: number, message: string]> = {
  BLOB_UNKNOWN: [404, 'blob unknown to registry'],
  BLOB_UPLOAD_INVALID: [400, 'blob upload invalid'],
  BLOB_UPLOAD_UNKNOWN: [404, 'blob upload unknown to registry'],
  DIGEST_INVALID: [400, 'provided digest did not match uploaded content'],
  MANIFEST_BLOB_UNKNOWN: [404, 'blob unknown to registry'],
  MANIFEST_INVALID: [400, 'manifest invalid'],
  MANIFEST_UNKNOWN: [404, 'manifest unknown'],
  NAME_INVALID: [400, 'invalid repository name'],
  NAME_UNKNOWN: [404, 'repository name not known to registry'],
  SIZE_INVALID: [400, 'provided length did not match content length'],
  UNAUTHORIZED: [401, 'authentication required'],
  DENIED: [403, 'requested access to the resource is denied'],
  UNSUPPORTED: [405, 'The operation is unsupported.'],
  TOOMANYREQUESTS: [429, 'too many requests'],
  TAG_INVALID: [400, 'manifest tag did not match URI'],
  PAGINATION_NUMBER_INVALID: [400, 'invalid number of results requested'],
  UNKNOWN: [500, 'unknown error'],
};

export interface ProblemDetails {
  status?: number;
  message?: string;
  detail?: unknown;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** An answer that is an error. Thrown anywhere below the registry's front, written by it. */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Record<string, string>;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    const [status, message] = usual[code];
    super(details.message ?? message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? status;
    this.detail = details.detail ?? null;
    this.headers = details.headers ?? {};
  }

  /** The body of the answer. */
  get body(): string {
    return `${JSON.stringify({ errors: [{ code: this.code, message: this.message, detail: this.detail }] })}\n`;
  }
}

/** Nothing more can be kept. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL';
}

/** Any thrown value as an answer: a full disk is told as such, what nobody foresaw is a 500 without its secrets. */
export function problemOf(error: unknown): RegistryProblem {
  if (error instanceof RegistryProblem) return error;
  if (isDiskFull(error))
    return new RegistryProblem('UNKNOWN', { status: 507, message: 'no space left on device', cause: error });
  return new RegistryProblem('UNKNOWN', { cause: error });
}
