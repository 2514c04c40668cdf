import { BerthError, type ErrorKind } from '../api/errors.ts';

const kinds: Record<number, ErrorKind> = {
  304: 'not-modified',
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  499: 'cancelled',
  501: 'not-implemented',
  503: 'unavailable',
  504: 'deadline',
};

/** The error kind of an HTTP status; the server's mapper has the other direction. */
export function statusToKind(status: number): ErrorKind {
  return kinds[status] ?? (status >= 400 && status < 500 ? 'invalid' : 'internal');
}

/** What the engine answered with, as against what went wrong on the way to it. */
export class ResponseError extends BerthError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(statusToKind(status), message);
    this.status = status;
  }
}

/**
 * The error of a failed answer.
 * @param body the answer's text: `{"message": "…"}`, or whatever a proxy wrote
 */
export function responseError(status: number, body: string): ResponseError {
  let message = '';
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed !== null && typeof parsed === 'object' && 'message' in parsed) message = String(parsed.message).trim();
  } catch {
    // Not JSON: a proxy's page, or an empty body. The text itself is the best message there is.
    message = body.trim();
  }
  return new ResponseError(status, message || `request returned status ${status} without a message`);
}
