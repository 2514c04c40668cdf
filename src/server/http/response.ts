/** One answer on a connection: a whole one, a stream, or the bare connection (hijack). */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type LentConnection, lentConnection } from './lend.ts';

const reasons: Record<number, string> = {
  100: 'Continue',
  101: 'UPGRADED',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  303: 'See Other',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
};

export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}\r\n`;
}

let dateSecond = -1;
let dateLine = '';

/** The Date header's line; the text is made once a second. */
function currentDate(): string {
  const now = Math.trunc(Date.now() / 1000);
  if (now !== dateSecond) {
    dateSecond = now;
    dateLine = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}

export type Headers = Readonly<Record<string, string>>;

/** What a response asks of its connection. */
export interface ResponseOwner {
  readonly socket: Socket;
  /** The request was HTTP/1.1; HTTP/1.0 gets no chunks and no second request. */
  readonly keepAlive: boolean;
  readonly isHead: boolean;
  readonly http10: boolean;
  /** An error is about to be answered: the connection ends with it if more of a body is left than anybody would read over. */
  refused(): void;
  responded(): void;
  takeOver(): Socket;
}

/** Bodies and chunks up to this size are joined with their framing into one write. */
const joinLimit = 65_536;

export class HttpResponse {
  /** Sent with whatever answer is given: `Api-Version`, `Server`, … */
  readonly headers: Record<string, string> = {};
  readonly #owner: ResponseOwner;
  #state: 'open' | 'streaming' | 'done' = 'open';
  #chunked = false;
  /** The kernel has it, or the client is gone. */
  #headIsOut: Promise<void> | null = null;

  constructor(owner: ResponseOwner) {
    this.#owner = owner;
  }

  /** True once the status line is out: no other answer can be given. */
  get started(): boolean {
    return this.#state !== 'open';
  }

  /** True when nothing can be written any more. */
  get finished(): boolean {
    return this.#state === 'done';
  }

  /** The client is gone. */
  get closed(): boolean {
    return this.#owner.socket.destroyed || !this.#owner.socket.writable;
  }

  /** A whole answer. */
  send(status: number, headers: Headers, body: string | Uint8Array = ''): void {
    if (this.#state !== 'open') throw new Error('the answer was already given');
    if (status >= 400) this.#owner.refused();
    const bodyless = status === 204 || status === 304;
    const length = bodyless
      ? ''
      : `Content-Length: ${typeof body === 'string' ? Buffer.byteLength(body) : body.length}\r\n`;
    const head = this.#head(status, headers, length);
    if (this.#owner.isHead || bodyless || body.length === 0) this.#owner.socket.write(head, 'latin1');
    else if (typeof body === 'string') this.#owner.socket.write(head + body, 'utf8');
    else if (body.length > joinLimit) {
      this.#owner.socket.write(head, 'latin1');
      this.#owner.socket.write(body);
    } else {
      // One write wakes the client once.
      const whole = Buffer.allocUnsafe(head.length + body.length);
      whole.write(head, 'latin1');
      whole.set(body, head.length);
      this.#owner.socket.write(whole);
    }
    this.#finish();
  }

  /** Sends the head at once; `write` and `end` follow. @param length bytes that will be written, where that is known */
  start(status: number, headers: Headers, length?: number): void {
    if (this.#state !== 'open') throw new Error('the answer was already given');
    this.#chunked = length === undefined && !this.#owner.http10;
    let framing = this.#chunked ? 'Transfer-Encoding: chunked\r\n' : '';
    if (length !== undefined) framing = `Content-Length: ${length}\r\n`;
    const head = this.#head(status, headers, framing);
    this.#headIsOut = new Promise((resolve) => this.#owner.socket.write(head, 'latin1', () => resolve()));
    this.#state = 'streaming';
  }

  /** @returns false when the client reads slowly: wait for `drained` before more */
  write(data: string | Uint8Array): boolean {
    if (this.#state !== 'streaming') throw new Error('the answer is not a stream');
    const { socket, isHead } = this.#owner;
    if (data.length === 0 || isHead || this.closed) return true;
    if (!this.#chunked) return socket.write(data);
    if (typeof data === 'string') return socket.write(`${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`, 'utf8');
    const size = `${data.length.toString(16)}\r\n`;
    if (data.length <= joinLimit) {
      const joined = Buffer.allocUnsafe(size.length + data.length + 2);
      joined.write(size, 0, 'latin1');
      joined.set(data, size.length);
      joined[joined.length - 2] = 13;
      joined[joined.length - 1] = 10;
      return socket.write(joined);
    }
    socket.write(size, 'latin1');
    socket.write(data);
    return socket.write('\r\n', 'latin1');
  }

  /** Resolves when the client has taken what was written, or is gone. */
  drained(): Promise<void> {
    const { socket } = this.#owner;
    if (this.closed || !socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
    });
  }

  /**
   * Lends the connection to whoever writes the rest of a body of known length to its descriptor, past the event loop; then comes `end`. Null
   * where it has to be written here: TLS, HEAD, chunks, or the client is gone.
   */
  async lend(): Promise<LentConnection | null> {
    const { socket, isHead } = this.#owner;
    const connection = lentConnection(socket);
    if (this.#state !== 'streaming' || this.#chunked || isHead || !connection) return null;
    await this.#headIsOut;
    return this.closed ? null : connection;
  }

  end(): void {
    if (this.#state !== 'streaming') return;
    if (this.#chunked && !this.#owner.isHead && !this.closed) this.#owner.socket.write('0\r\n\r\n', 'latin1');
    this.#finish();
  }

  /** Breaks a stream off, so that the client cannot take it for a whole one. */
  abort(): void {
    this.#state = 'done';
    this.#owner.socket.destroy();
  }

  /** Streams `source` to its end with back-pressure. A source that fails breaks the answer off; a client that leaves destroys the source. */
  async pipe(source: Readable): Promise<void> {
    const { socket } = this.#owner;
    const leave = (): void => void source.destroy();
    socket.once('close', leave);
    // It may have left before, while the engine was asked.
    if (this.closed) leave();
    try {
      for await (const chunk of source) {
        if (!this.write(chunk as Uint8Array)) await this.drained();
        if (this.closed) break;
      }
      this.end();
    } catch {
      // The status is out; only a broken stream can tell the client.
      this.abort();
    } finally {
      socket.off('close', leave);
      source.destroy();
    }
  }

  /**
   * Takes the connection out of HTTP. With `upgrade` the answer is 101, without it is the old bare 200.
   * @returns the connection; reading it gives what the client sent after its request
   */
  hijack(upgrade: string | null, headers: Headers): Socket {
    if (this.#state !== 'open') throw new Error('the answer was already given');
    this.#state = 'done';
    const lines = `${headerLines(headers)}${upgrade ? `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n` : ''}`;
    const socket = this.#owner.takeOver();
    socket.write(`${statusLine(upgrade ? 101 : 200)}${lines}${headerLines(this.headers)}\r\n`, 'latin1');
    return socket;
  }

  #head(status: number, headers: Headers, framing: string): string {
    const connection = this.#owner.keepAlive ? '' : 'Connection: close\r\n';
    return `${statusLine(status)}${headerLines(this.headers)}${headerLines(headers)}${currentDate()}${connection}${framing}\r\n`;
  }

  #finish(): void {
    this.#state = 'done';
    this.#owner.responded();
  }
}

function headerLines(headers: Headers): string {
  let lines = '';
  // A line end inside a value (a message that became a header) must not begin another header.
  for (const name in headers) lines += `${name}: ${(headers[name] as string).replace(/[\r\n\0]/g, ' ')}\r\n`;
  return lines;
}
