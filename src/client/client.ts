/** The engine's HTTP client: one connection a request, kept for the next one, or handed out whole when a request hijacks it. */
import { BerthError } from '../api/errors.ts';
import { parseJson, stringifyJson } from '../wire/json.ts';
import { parseEndpoint } from './endpoint.ts';
import { ResponseError, responseError } from './errors.ts';
import { type BodyReader, EndingBody, openBody, PrefixedReader } from './http/body.ts';
import { readText } from './http/read-all.ts';
import { type ResponseHead, readResponseHead } from './http/response-head.ts';
import { cancelled, unlessCancelled, watchSignal } from './signal.ts';
import type { ByteReader, Connection, Endpoint, TlsSettings, Transport } from './transport/transport.ts';

export type Query = Record<string, string | number | boolean | readonly string[] | undefined | null>;

export interface RequestOptions {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without a version: `/containers/json`. */
  path: string;
  /** Undefined, null and empty strings are left out; true is `1`, false is `0`; lists repeat the key. */
  query?: Query;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it comes, chunked. */
  upload?: AsyncIterable<Uint8Array>;
}

export interface ClientOptions {
  /** `unix:///run/berth/berth.sock`, `tcp://host:2375` */
  host: string;
  transport: Transport;
  /** For TCP; without it what goes over the wire is clear text. */
  tls?: TlsSettings;
  /** Like `1.47`; absent: `defaultApiVersion`, or an older engine's newest. */
  apiVersion?: string;
  /** Added to every request. */
  headers?: Record<string, string>;
}

/** An answer whose body is still to be read. Read it to its end, or close it: either gives the connection back. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: BodyReader;
  /** Ends the connection where the body was not read whole. */
  close(): void;
}

/** A connection that left HTTP behind: raw bytes both ways. */
export interface HijackedStream extends ByteReader {
  /** 101, or 200 from engines that do not know upgrades. */
  status: number;
  headers: Record<string, string>;
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: no more input from us; the output goes on. */
  end(): void;
  close(): void;
}

/** The version of Docker's command line 28.5, whose output this client's users expect. */
export const defaultApiVersion = '1.51';

const encoder = new TextEncoder();

/** What a client and those made of it by `withSignal` have in common. */
interface Shared {
  /** Connections that wait for another request. */
  idle: Connection[];
  version: string;
}

export class Client {
  readonly host: string;
  private readonly endpoint: Endpoint;
  private readonly options: ClientOptions;
  private readonly shared: Shared;
  private readonly signal: AbortSignal | undefined;

  /** Error: `invalid` for a host that cannot be read. */
  constructor(options: ClientOptions, bound?: { shared: Shared; signal: AbortSignal }) {
    this.options = options;
    this.host = options.host;
    this.endpoint = parseEndpoint(options.host, options.tls);
    this.shared = bound?.shared ?? { idle: [], version: options.apiVersion || defaultApiVersion };
    this.signal = bound?.signal;
  }

  /**
   * The same client, over the same connections, for calls that `signal` cancels: an abort closes their connections, and what was
   * awaited (the answer, or the next part of a stream) rejects with kind `cancelled`.
   */
  withSignal(signal: AbortSignal): Client {
    const either = this.signal ? AbortSignal.any([this.signal, signal]) : signal;
    return new Client(this.options, { shared: this.shared, signal: either });
  }

  /** Sends a request and gives the answer, whatever its status below 400. Errors: the engine's, by kind; `unavailable` without one. */
  async request(options: RequestOptions): Promise<Answer> {
    try {
      return await this.requestOnce(options);
    } catch (error) {
      if (options.upload || !this.speakOlder(error)) throw error;
      return this.requestOnce(options);
    }
  }

  /** True when the error says that the engine is older and which version it speaks; the client speaks that from then on. */
  private speakOlder(error: unknown): boolean {
    if (this.options.apiVersion || !(error instanceof ResponseError) || error.status !== 400) return false;
    const newest = /client version \S+ is too new\. Maximum supported API version is (\d+\.\d+)/.exec(
      error.message,
    )?.[1];
    if (newest === undefined || newest === this.shared.version) return false;
    this.shared.version = newest;
    return true;
  }

  private async requestOnce(options: RequestOptions): Promise<Answer> {
    const exchange = await this.exchange(options, {});
    const { head, reader } = exchange;
    const wire = openBody(head, reader, options.method === 'HEAD');
    let open = true;
    const close = (): void => {
      if (open) this.release(exchange, wire);
      open = false;
    };
    const body = new EndingBody(wire, close);
    if (head.status >= 400) {
      const text = await readText(body);
      close();
      throw responseError(head.status, text);
    }
    return { status: head.status, headers: head.headers, body, close };
  }

  /** The answer's text. */
  async text(options: RequestOptions): Promise<string> {
    const answer = await this.request(options);
    const text = await readText(answer.body);
    answer.close();
    return text;
  }

  /** The answer as JSON; integers that a number cannot hold are bigints. */
  async json<T>(options: RequestOptions): Promise<T> {
    return parseJson(await this.text(options)) as T;
  }

  /** For calls whose answer says nothing; gives the status (204, or 304: it was so already). */
  async send(options: RequestOptions): Promise<number> {
    const answer = await this.request(options);
    await readText(answer.body);
    answer.close();
    return answer.status;
  }

  /** Sends a request that turns its connection into a raw stream (attach, exec start). */
  async hijack(options: RequestOptions): Promise<HijackedStream> {
    const { head, reader, connection, unwatch } = await this.exchange(options, {
      Connection: 'Upgrade',
      Upgrade: 'tcp',
    });
    if (head.status !== 101 && head.status !== 200) {
      const text = await readText(openBody(head, reader, false)).catch(() => '');
      unwatch();
      connection.close();
      throw responseError(head.status, text);
    }
    return {
      status: head.status,
      headers: head.headers,
      take: () => reader.take(),
      read: () => reader.read(),
      write: (bytes) => connection.write(bytes),
      end: () => connection.end(),
      close: () => {
        unwatch();
        connection.close();
      },
    };
  }

  /** Ends the connections that wait for another request. */
  close(): void {
    for (const connection of this.shared.idle.splice(0)) connection.close();
  }

  private async exchange(options: RequestOptions, extra: Record<string, string>): Promise<Exchange> {
    const reused = this.takeIdle();
    if (reused) {
      try {
        return await this.exchangeOn(reused, options, extra);
      } catch (error) {
        reused.close();
        // The engine may have closed an idle connection just now; a request that can be sent again is.
        if (options.upload || this.signal?.aborted || error instanceof BerthError) throw this.explain(error, options);
      }
    }
    const connection = await this.connect();
    try {
      return await this.exchangeOn(connection, options, extra);
    } catch (error) {
      connection.close();
      throw this.explain(error, options);
    }
  }

  private async exchangeOn(
    connection: Connection,
    options: RequestOptions,
    extra: Record<string, string>,
  ): Promise<Exchange> {
    const { reader: source, unwatch } = watchSignal(connection, this.signal);
    try {
      const body = options.json === undefined ? undefined : encoder.encode(stringifyJson(options.json));
      await connection.write(this.head(options, extra, body));
      // The engine may answer before it has read all of an upload (an error, or progress): write beside reading.
      if (options.upload) void upload(connection, options.upload);
      const head = await readResponseHead(source);
      return { head, connection, reader: new PrefixedReader(source, head.rest), unwatch };
    } catch (error) {
      unwatch();
      throw error;
    }
  }

  private head(options: RequestOptions, extra: Record<string, string>, body: Uint8Array | undefined): Uint8Array {
    // What only Berth has is versioned in its own path.
    const version = options.path.startsWith('/berth/') ? '' : `/v${this.shared.version}`;
    const headers: Record<string, string> = {
      Host: 'api.moby.localhost',
      'User-Agent': 'berth-cli',
      ...this.options.headers,
      ...extra,
      ...options.headers,
    };
    if (body) {
      headers['Content-Type'] ??= 'application/json';
      headers['Content-Length'] = String(body.length);
    } else if (options.upload) headers['Transfer-Encoding'] = 'chunked';
    else if (options.method === 'POST' || options.method === 'PUT') headers['Content-Length'] = '0';
    let text = `${options.method} ${version}${options.path}${encodeQuery(options.query)} HTTP/1.1\r\n`;
    for (const [name, value] of Object.entries(headers)) text += `${name}: ${value.replace(/[\r\n]+/g, ' ')}\r\n`;
    const head = encoder.encode(`${text}\r\n`);
    if (!body) return head;
    const whole = new Uint8Array(head.length + body.length);
    whole.set(head);
    whole.set(body, head.length);
    return whole;
  }

  private takeIdle(): Connection | undefined {
    const { idle } = this.shared;
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (connection.alive) return connection;
      connection.close();
    }
    return undefined;
  }

  private release({ connection, head, unwatch }: Exchange, body: BodyReader): void {
    unwatch();
    const { idle } = this.shared;
    const keep = body.complete && connection.alive && !/\bclose\b/i.test(head.headers['connection'] ?? '');
    if (keep && !idle.includes(connection)) idle.push(connection);
    else if (!keep) connection.close();
  }

  /** A bare connection to the engine, for whoever speaks its protocol himself. */
  dial(): Promise<Connection> {
    return this.connect();
  }

  private async connect(): Promise<Connection> {
    try {
      return await unlessCancelled(this.options.transport.connect(this.endpoint), this.signal);
    } catch (cause) {
      if (this.signal?.aborted) throw cancelled(cause);
      // What the transport itself has words for, such as an engine that it could not start.
      if (cause instanceof BerthError) throw cause;
      throw connectError(this.host, this.endpoint, cause);
    }
  }

  private explain(error: unknown, options: RequestOptions): unknown {
    if (this.signal?.aborted) return cancelled(error);
    if (error instanceof BerthError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new BerthError(
      'unavailable',
      `error during connect: ${options.method} "${this.host}${options.path}": ${message}`,
      {
        cause: error,
      },
    );
  }
}

interface Exchange {
  head: ResponseHead;
  reader: PrefixedReader;
  connection: Connection;
  /** An abort does nothing to the connection from here on. */
  unwatch(): void;
}

/** In the words that tools look for. */
function connectError(host: string, endpoint: Endpoint, cause: unknown): BerthError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if ((code === 'EACCES' || code === 'EPERM') && endpoint.kind === 'unix')
    return new BerthError(
      'unavailable',
      `permission denied while trying to connect to the Docker daemon socket at ${host}: dial unix ${endpoint.path}: connect: permission denied`,
      { cause, code: 'engine-permission', hint: 'Run it as root, or join the group that owns the socket.' },
    );
  // Somebody answered, and the handshake failed: that the certificate does not fit is worth more than "not running".
  if (endpoint.kind === 'tcp' && endpoint.tls && !/^E[A-Z]+$/.test(String(code)))
    return new BerthError(
      'unavailable',
      `error during connect: ${host}: tls: ${cause instanceof Error ? cause.message : cause}`,
      { cause, code: 'engine-tls' },
    );
  return new BerthError(
    'unavailable',
    `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`,
    {
      cause,
      code: 'engine-not-running',
      hint: endpoint.kind === 'unix' ? 'Start the engine with `berth daemon`, as root.' : undefined,
    },
  );
}

/** Sends a body in chunks. A failure here shows in the answer, or in its absence: the reader reports it. */
async function upload(connection: Connection, source: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const bytes of source) {
      if (bytes.length === 0) continue;
      await connection.write(encoder.encode(`${bytes.length.toString(16)}\r\n`));
      await connection.write(bytes);
      await connection.write(encoder.encode('\r\n'));
    }
    await connection.write(encoder.encode('0\r\n\r\n'));
  } catch {
    // An engine that answers early stops reading; its answer is still to come. Without one the reader meets the end: the
    // last chunk was never sent, so the engine cannot take the body for whole.
    connection.end();
  }
}

function encodeQuery(query: Query | undefined): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === '') continue;
    const values = Array.isArray(value) ? value : [typeof value === 'boolean' ? (value ? '1' : '0') : String(value)];
    for (const one of values) parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(one)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
