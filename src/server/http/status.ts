/** The one place where an error's kind becomes an HTTP status. */
import { BerthError, type ErrorKind, errorMessage } from '../../api/errors.ts';
import { BadRequest } from './head.ts';

const statusOfKind: Record<ErrorKind, number> = {
  'not-found': 404,
  conflict: 409,
  invalid: 400,
  'not-modified': 304,
  unauthorized: 401,
  forbidden: 403,
  unavailable: 503,
  'not-implemented': 501,
  'too-large': 413,
  // As dockerd: a cancelled call is nobody's to read, its status is that of any other failure.
  cancelled: 500,
  deadline: 500,
  internal: 500,
};

/** Status and message of any thrown value. */
export function statusOf(error: unknown): { status: number; message: string } {
  if (error instanceof BerthError) {
    // A registry's own limit is told as it is, so that clients know to come back.
    const status = error.code === 'too-many-requests' ? 429 : statusOfKind[error.kind];
    return { status, message: error.message };
  }
  if (error instanceof BadRequest) return { status: error.status, message: error.message };
  return { status: 500, message: errorMessage(error) };
}
