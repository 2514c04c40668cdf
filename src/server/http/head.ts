/** The head of an HTTP/1.1 request (RFC 9112), read strictly: what two programs could understand differently is refused. */

/** How the body's end is known. */
export type Framing = { kind: 'none' } | { kind: 'length'; length: number } | { kind: 'chunked' };

export interface RequestHead {
  method: string;
  /** As it was sent: `/path?query`, or an absolute URI. */
  target: string;
  /** 0 or 1, of HTTP/1.x. */
  minorVersion: 0 | 1;
  /** By lower-case name; repeated ones joined by `, `. Latin-1. */
  headers: ReadonlyMap<string, string>;
  framing: Framing;
  /** Another request may follow on the connection. */
  keepAlive: boolean;
  expectsContinue: boolean;
}

/** A request that is refused before any handler sees it; the connection ends after the answer. */
export class BadRequest extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s\x00-\x20\x7f]+) HTTP\/1\.([01])$/;
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const forbiddenInValue = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * @param text the head without the empty line at its end, as Latin-1
 * Error: `BadRequest`.
 */
export function parseHead(text: string): RequestHead {
  const lines = text.split('\r\n');
  const first = requestLine.exec(lines[0] as string);
  if (!first) {
    if (/ HTTP\/[02-9]/.test(lines[0] as string)) throw new BadRequest(505, 'HTTP Version Not Supported');
    throw new BadRequest(400, 'Bad Request');
  }
  const [, method, target, minor] = first as unknown as [string, string, string, string];
  const headers = parseFields(lines);
  const minorVersion = minor === '0' ? 0 : 1;
  if (minorVersion === 1 && !headers.has('host'))
    throw new BadRequest(400, 'Bad Request: missing required Host header');
  const expectation = headers.get('expect');
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue')
    throw new BadRequest(417, 'Expectation Failed');
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  return {
    method,
    target,
    minorVersion,
    headers,
    framing: findFraming(headers, minorVersion),
    keepAlive: minorVersion === 1 && !hasToken(connection, 'close'),
    expectsContinue: expectation !== undefined && minorVersion === 1,
  };
}

function parseFields(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] as string;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    // A folded line begins with a blank, so it has no token before its colon.
    if (!tokenPattern.test(name)) throw new BadRequest(400, 'Bad Request: malformed header line');
    const value = line.slice(colon + 1).trim();
    if (forbiddenInValue.test(value)) throw new BadRequest(400, 'Bad Request: invalid header value');
    const key = name.toLowerCase();
    const before = headers.get(key);
    if (before === undefined) headers.set(key, value);
    else if (key === 'host') throw new BadRequest(400, 'Bad Request: too many Host headers');
    else if (key === 'content-length' && before === value) continue;
    else headers.set(key, `${before}, ${value}`);
  }
  return headers;
}

function findFraming(headers: ReadonlyMap<string, string>, minorVersion: number): Framing {
  const length = headers.get('content-length');
  const encoding = headers.get('transfer-encoding');
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked' || minorVersion === 0)
      throw new BadRequest(501, `Not Implemented: unsupported transfer encoding`);
    if (length !== undefined) throw new BadRequest(400, 'Bad Request: both Content-Length and Transfer-Encoding');
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'none' };
  if (!/^\d{1,15}$/.test(length)) throw new BadRequest(400, 'Bad Request: bad Content-Length');
  return length === '0' ? { kind: 'none' } : { kind: 'length', length: Number(length) };
}

/** True when a comma-separated list has the (lower-case) token. */
function hasToken(list: string, token: string): boolean {
  return list === token || list.split(',').some((item) => item.trim() === token);
}
