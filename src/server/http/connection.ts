/**
 * One client connection: requests one after another (pipelined ones wait their turn), their bodies with back-pressure, and the way out
 * of HTTP for attach, exec and sessions. Built on the bare socket because the runtime's own server cannot give a connection away without
 * `Upgrade`, which Docker's old clients need.
 */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type BodySink, bodyStream, bodyText } from './body.ts';
import { BodyDecoder } from './body-decoder.ts';
import { BadRequest, parseHead, type RequestHead } from './head.ts';
import { type LentBody, lentConnection, stopReading } from './lend.ts';
import { lingeringClose } from './lingering-close.ts';
import { HttpResponse, type ResponseOwner, statusLine } from './response.ts';

/** The longest head: X-Registry-Config of users with many registries is long. */
const maximumHead = 1024 * 1024;
/** Bytes that may wait behind a request under way before the client is told to wait. */
const maximumAhead = 64 * 1024;
/** Of a body that nobody wanted so much is read over to keep the connection. */
const maximumDiscarded = 256 * 1024;
/** The first byte of a TLS connection (RFC 8446, 5.1). */
const tlsHandshake = 22;

/** Milliseconds for which a client is waited for. */
interface Patience {
  /** From a head's first byte to its last. */
  head: number;
  /** From the answer to the end of a body that nobody read. */
  unreadBody: number;
}
const usualPatience: Patience = { head: 5 * 60 * 1000, unreadBody: 10_000 };

/** A request as handlers see it. */
export interface HttpRequest extends RequestHead {
  /** Aborts when the client leaves before the answer is done. */
  readonly signal: AbortSignal;
  /** The whole body as UTF-8 (errors replaced). Rejects with `BadRequest` 413 beyond `limit` bytes. */
  text(limit: number): Promise<string>;
  /** The body as a stream; ask once. @param ahead bytes to read before somebody asks for them; default 256 KiB */
  stream(ahead?: number): Readable;
  /**
   * Lends the connection to whoever reads the body from its descriptor, past the event loop; instead of `stream`. Null where the body has to
   * be read here: TLS, or a body that was read already. Error: the client has left.
   */
  lendBody(): Promise<LentBody | null>;
  /** To be called at once by whoever will hijack: nothing behind the body is read before. */
  prepareHijack(): void;
  /** Who asks, for logs. */
  readonly connection: Socket;
}

export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

const nothing = Buffer.alloc(0);
const noop = (): void => {};

/** One request and its answer. */
class Exchange implements ResponseOwner {
  readonly socket: Socket;
  readonly head: RequestHead;
  readonly decoder: BodyDecoder;
  readonly #connection: HttpConnection;
  #abort: AbortController | null = null;
  #endsConnection = false;
  sink: BodySink | null = null;
  bodyEnded = false;
  /** Why the body ended before it was whole. */
  bodyError: Error | undefined;
  responseDone = false;
  willHijack = false;
  /** Somebody else reads the body from the descriptor. */
  isLent = false;
  aborted = false;
  /** The sink has taken what it can hold; it asks for more by itself. */
  sinkIsFull = false;
  /** Body bytes read over after the answer. */
  discarded = 0;

  constructor(connection: HttpConnection, socket: Socket, head: RequestHead) {
    this.#connection = connection;
    this.socket = socket;
    this.head = head;
    this.decoder = new BodyDecoder(head.framing);
    this.bodyEnded = this.decoder.done;
  }

  get keepAlive(): boolean {
    return this.head.keepAlive && !this.#endsConnection;
  }
  refused(): void {
    if (!this.bodyEnded && this.decoder.mostLeft > maximumDiscarded) this.#endsConnection = true;
  }
  get isHead(): boolean {
    return this.head.method === 'HEAD';
  }
  get http10(): boolean {
    return this.head.minorVersion === 0;
  }
  /** Made when somebody asks: most requests never do. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.aborted) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    if (!this.responseDone) this.#abort?.abort();
  }

  responded(): void {
    this.responseDone = true;
    this.#connection.exchangeMoved();
  }

  takeOver(): Socket {
    this.responseDone = true;
    return this.#connection.release();
  }
}

export class HttpConnection {
  readonly #socket: Socket;
  readonly #handler: HttpHandler;
  readonly #onData = (chunk: Buffer): void => this.#received(chunk);
  readonly #onEnd = (): void => this.#ended();
  readonly #onClose = (): void => this.#closed();
  readonly #onDrain = (): void => {
    if (this.#current) this.#current.sinkIsFull = false;
    this.#advance();
  };
  #pending: Buffer = nothing;
  /** Where the search for the head's end goes on. */
  #searched = 0;
  #current: Exchange | null = null;
  #clientEnded = false;
  #paused = false;
  #closing = false;
  #advancing = false;
  readonly #patience: Patience;
  /** Ends the connection of a client that is waited for. */
  #deadline: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: Socket, handler: HttpHandler, patience: Partial<Patience> = {}) {
    this.#socket = socket;
    this.#handler = handler;
    this.#patience = { ...usualPatience, ...patience };
    // A reset by the client is told by 'close' too.
    socket.on('error', noop);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
  }

  /** Nothing is under way: the server may close it when it stops. */
  get idle(): boolean {
    return this.#current === null && this.#pending.length === 0;
  }

  /** No further request; the one under way is finished. */
  closeWhenDone(): void {
    this.#closing = true;
    if (this.idle) this.#socket.end();
  }

  #received(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#advance();
  }

  #ended(): void {
    this.#clientEnded = true;
    this.#advance();
  }

  #closed(): void {
    this.#setDeadline(null);
    const exchange = this.#current;
    if (!exchange) return;
    if (!exchange.bodyEnded) this.#failBody(exchange, new Error('unexpected EOF'));
    exchange.abort();
  }

  exchangeMoved(): void {
    this.#advance();
  }

  /** Everything that can be done with the bytes at hand. */
  #advance(): void {
    // A handler that answers at once calls back into this loop; the loop itself goes on then.
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#step());
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.#refuse(error);
    } finally {
      this.#advancing = false;
    }
    this.#regulate();
  }

  /** @returns true when something moved */
  #step(): boolean {
    if (this.#socket.destroyed) return false;
    const exchange = this.#current;
    if (!exchange) return this.#beginExchange();
    if (!exchange.bodyEnded) return this.#moveBody(exchange);
    if (exchange.responseDone) {
      this.#current = null;
      this.#setDeadline(null);
      if (!exchange.keepAlive || this.#closing) {
        this.#finish();
        return false;
      }
      return true;
    }
    // The client closed its half: nobody waits for the answer of something long (Go's server sees it the same way).
    if (this.#clientEnded && this.#pending.length === 0) exchange.abort();
    return false;
  }

  #beginExchange(): boolean {
    if (this.#closing) {
      this.#finish();
      return false;
    }
    // Empty lines before a request are read over (RFC 9112, 2.2).
    while (this.#pending.length >= 2 && this.#pending[0] === 13 && this.#pending[1] === 10)
      this.#pending = this.#pending.subarray(2);
    // A client that is to find out whether we speak TLS must not wait for it.
    if (this.#pending[0] === tlsHandshake) throw new BadRequest(400, 'Client sent an HTTPS request to an HTTP server.');
    const end = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3), 'latin1');
    if (end < 0) {
      if (this.#pending.length > maximumHead) throw new BadRequest(431, 'Request Header Fields Too Large');
      if (this.#clientEnded) {
        this.#socket.end();
        return false;
      }
      this.#searched = this.#pending.length;
      if (this.#pending.length > 0 && !this.#deadline) this.#setDeadline(this.#patience.head);
      return false;
    }
    if (end > maximumHead) throw new BadRequest(431, 'Request Header Fields Too Large');
    this.#searched = 0;
    this.#setDeadline(null);
    const head = parseHead(this.#pending.toString('latin1', 0, end));
    this.#pending = this.#pending.length === end + 4 ? nothing : this.#pending.subarray(end + 4);
    const exchange = new Exchange(this, this.#socket, head);
    this.#current = exchange;
    this.#handler(this.#request(exchange), new HttpResponse(exchange));
    return true;
  }

  #request(exchange: Exchange): HttpRequest {
    const open = (sink: BodySink): void => {
      this.#expectBody(exchange);
      exchange.sink = sink;
      if (exchange.bodyEnded) sink(null, exchange.bodyError);
      else this.#advance();
    };
    return {
      ...exchange.head,
      connection: this.#socket,
      get signal() {
        return exchange.signal;
      },
      text: (limit) => bodyText(open, limit),
      stream: (ahead = 256 * 1024) => bodyStream(open, { advance: this.#onDrain, ahead }),
      lendBody: () => this.#lendBody(exchange),
      prepareHijack: () => {
        exchange.willHijack = true;
        this.#regulate();
      },
    };
  }

  #expectBody(exchange: Exchange): void {
    if (exchange.head.expectsContinue && !exchange.bodyEnded && !exchange.responseDone)
      this.#socket.write(`${statusLine(100)}\r\n`, 'latin1');
  }

  async #lendBody(exchange: Exchange): Promise<LentBody | null> {
    const { framing } = exchange.head;
    const connection = lentConnection(this.#socket);
    if (!connection || framing.kind === 'none' || exchange.sink || exchange.bodyEnded) return null;
    exchange.isLent = true;
    this.#regulate();
    await stopReading(this.#socket);
    if (this.#socket.destroyed) throw new Error('unexpected EOF');
    const isHere = framing.kind === 'length' ? this.#pending.length >= framing.length : endsChunks(this.#pending);
    if (isHere || this.#clientEnded) {
      exchange.isLent = false;
      this.#regulate();
      return null;
    }
    this.#expectBody(exchange);
    const ahead = this.#pending;
    this.#pending = nothing;
    const giveBack = (behind: Uint8Array | null): void => {
      exchange.isLent = false;
      exchange.bodyEnded = true;
      // Where in the body it stopped nobody knows, nor where the next request begins.
      if (behind === null) this.#closing = true;
      else if (behind.length > 0) this.#pending = Buffer.from(behind);
      this.#advance();
    };
    return { ...connection, framing, ahead, giveBack };
  }

  #moveBody(exchange: Exchange): boolean {
    if (exchange.isLent) return false;
    if (!exchange.sink || (exchange.sinkIsFull && exchange.responseDone)) {
      if (!exchange.responseDone) return false;
      exchange.sinkIsFull = false;
      // Nobody wanted the body. A client that waits for 100 Continue will not send it.
      if (exchange.head.expectsContinue) this.#closing = true;
      exchange.sink = () => true;
    }
    if (exchange.responseDone && !this.#deadline) this.#setDeadline(this.#patience.unreadBody);
    if (exchange.responseDone && (exchange.discarded > maximumDiscarded || this.#closing)) {
      this.#failBody(exchange, new Error('the answer was given'));
      this.#current = null;
      this.#finish();
      return false;
    }
    if (exchange.sinkIsFull) return false;
    const { bytes, used } = exchange.decoder.take(this.#pending);
    this.#pending = used === this.#pending.length ? nothing : this.#pending.subarray(used);
    let wantsMore = true;
    if (bytes && bytes.length > 0) wantsMore = exchange.sink(bytes);
    if (exchange.responseDone) exchange.discarded += used;
    exchange.sinkIsFull = !wantsMore;
    if (exchange.decoder.done) {
      exchange.bodyEnded = true;
      exchange.sink(null);
      return true;
    }
    if (used === 0 && this.#clientEnded) {
      this.#failBody(exchange, new Error('unexpected EOF'));
      exchange.abort();
      this.#closing = true;
      return exchange.responseDone;
    }
    return used > 0 && wantsMore;
  }

  #failBody(exchange: Exchange, error: Error): void {
    exchange.bodyEnded = true;
    exchange.bodyError = error;
    exchange.sink?.(null, error);
  }

  /** Tells the client to wait, or to go on. */
  #regulate(): void {
    if (this.#socket.destroyed) return;
    const exchange = this.#current;
    const hold = exchange?.willHijack && exchange.bodyEnded && !exchange.responseDone;
    // Whoever takes the body has enough: another piece would only lie here.
    const full = exchange?.sinkIsFull && !exchange.bodyEnded && !exchange.responseDone;
    const pause =
      hold || full || exchange?.isLent === true || (exchange !== null && this.#pending.length > maximumAhead);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Gives the socket away, with what was read ahead in front. */
  release(): Socket {
    this.#current = null;
    this.#setDeadline(null);
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    if (this.#pending.length > 0) socket.unshift(this.#pending);
    this.#pending = nothing;
    return socket;
  }

  #refuse(error: BadRequest): void {
    const exchange = this.#current;
    if (exchange && !exchange.bodyEnded) this.#failBody(exchange, error);
    exchange?.abort();
    this.#current = null;
    if (!exchange?.responseDone) {
      const body = `${error.status} ${error.message}`;
      this.#socket.write(
        `${statusLine(error.status)}Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      if (exchange) exchange.responseDone = true;
    }
    this.#finish();
  }

  /** The last answer is out. What still comes is read over for a moment, so that a reset does not overtake the answer. */
  #finish(): void {
    this.#closing = true;
    this.#setDeadline(null);
    this.#pending = nothing;
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    lingeringClose(socket);
  }

  /** @param milliseconds until the connection is closed; null: it is not */
  #setDeadline(milliseconds: number | null): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    this.#deadline = milliseconds === null ? null : setTimeout(() => this.#socket.destroy(), milliseconds);
    this.#deadline?.unref();
  }
}

/** It looks as if the last chunk were there: not worth to lend, and right either way. */
function endsChunks(bytes: Buffer): boolean {
  return bytes.length >= 5 && bytes.toString('latin1', bytes.length - 5) === '0\r\n\r\n';
}
