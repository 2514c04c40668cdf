/**
 * One HTTP exchange with a registry: proxies, trust, a limit on waiting for the head, redirects that leave credentials behind.
 * `fetch` was chosen by measurement: 600 MB in constant memory (about 70 MB resident) at less CPU than `node:http`, its own
 * connection pool, and a body that stops reading when nobody asks.
 */
import { BerthError } from '../api/errors.ts';
import { collectWithin } from '../base/collect-within.ts';
import { keepDirect, proxyFor } from './proxy.ts';
import { networkError } from './registry-errors.ts';
import { type Trust, trustOf } from './trust.ts';

export interface Exchange {
  url: string;
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** Sent to the first host only, never to one that a redirect names. */
  authorization?: string | null;
  signal?: AbortSignal;
}

export interface TransportOptions {
  /** May this `host[:port]` be asked over http, or with a certificate that nobody vouches for? */
  isInsecure: (host: string) => boolean;
  /** Milliseconds that a host may take to begin its answer, or to take the next part of a body; default 60,000. */
  headTimeout?: number;
  userAgent?: string;
}

const mostRedirects = 10;
/** Milliseconds that a host may take to answer when it has all of a body: some move what they took to another place first. */
const digestTimeout = 10 * 60_000;

/** Bun's additions to fetch's options. */
interface BunOptions extends RequestInit {
  proxy?: string;
  tls?: Trust;
  timeout?: boolean;
  decompress?: boolean;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #trust = new Map<string, Promise<Trust>>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Sends a request and follows redirects (of GET and HEAD). Gives every answer that has a status; the caller reads or cancels the
   * body. Errors: `UnreachableError`; the signal's reason.
   */
  async send(exchange: Exchange): Promise<Response> {
    const isReading = (exchange.method ?? 'GET') === 'GET' || exchange.method === 'HEAD';
    let url = new URL(exchange.url);
    const origin = url.origin;
    for (let hop = 0; ; hop++) {
      const isHome = url.origin === origin;
      const response = await this.#once(url, exchange, isHome);
      const location = response.headers.get('location');
      if (!isReading || location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
      await response.body?.cancel();
      if (hop === mostRedirects) throw new BerthError('internal', `Get "${url.href}": stopped after 10 redirects`);
      const next = new URL(location, url);
      this.#checkRedirect(url, next);
      url = next;
    }
  }

  #checkRedirect(from: URL, to: URL): void {
    if (to.protocol !== 'http:' && to.protocol !== 'https:')
      throw new BerthError('internal', `Get "${to.href}": unsupported protocol scheme "${to.protocol.slice(0, -1)}"`);
    // Whoever can answer in the clear could send this program anywhere, so a step down from TLS needs the user's word.
    if (from.protocol === 'https:' && to.protocol === 'http:' && !this.#options.isInsecure(to.host))
      throw new BerthError('internal', `Get "${to.href}": redirect from https to http refused`, {
        hint: `Mark ${to.host} as an insecure registry if it is meant to be asked without TLS.`,
      });
  }

  async #once(url: URL, exchange: Exchange, isHome: boolean): Promise<Response> {
    exchange.signal?.throwIfAborted();
    const headers: Record<string, string> = {
      'user-agent': this.#options.userAgent ?? 'berth',
      'accept-encoding': 'identity',
      ...exchange.headers,
    };
    if (exchange.authorization && isHome) headers.authorization = exchange.authorization;
    const proxy = proxyFor(url);
    if (!proxy) keepDirect(url);
    const head = new AbortController();
    const leave = (): void => head.abort(exchange.signal?.reason);
    exchange.signal?.addEventListener('abort', leave, { once: true });
    const giveUp = (): void => head.abort(new DOMException('no answer in time', 'TimeoutError'));
    let timer = setTimeout(giveUp, this.#options.headTimeout ?? 60_000);
    let { body } = exchange;
    if (body instanceof ReadableStream)
      body = watched(body, {
        onPart: () => timer.refresh(),
        onEnd: () => {
          clearTimeout(timer);
          if (!isAnswered) timer = setTimeout(giveUp, digestTimeout);
        },
      });
    let isAnswered = false;
    const options: BunOptions = {
      method: exchange.method ?? 'GET',
      headers,
      redirect: 'manual',
      signal: head.signal,
      timeout: false,
      decompress: false,
      ...(body !== undefined && { body: body as NonNullable<RequestInit['body']> }),
      ...(proxy && { proxy }),
      ...(url.protocol === 'https:' && { tls: await this.#trustOf(url.host) }),
    };
    try {
      return await fetch(url.href, options);
    } catch (error) {
      exchange.signal?.throwIfAborted();
      // dockerd asks for /v2/ before anything else, and its errors name that address.
      throw networkError(head.signal.aborted ? head.signal.reason : error, new URL(isHome ? '/v2/' : url, url));
    } finally {
      isAnswered = true;
      clearTimeout(timer);
      // `leave` stays attached, so that the caller's signal ends the body too; an operation's signal dies with the operation.
      if (head.signal.aborted) exchange.signal?.removeEventListener('abort', leave);
    }
  }

  #trustOf(host: string): Promise<Trust> {
    let trust = this.#trust.get(host);
    if (!trust) {
      trust = trustOf(host, !this.#options.isInsecure(host));
      this.#trust.set(host, trust);
    }
    return trust;
  }
}

/** The same stream, and a word of each part that is taken and of the end. */
function watched(
  source: ReadableStream<Uint8Array>,
  { onPart, onEnd }: { onPart: () => void; onEnd: () => void },
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        onEnd();
        return controller.close();
      }
      onPart();
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Reads a body of at most `limit` bytes. Error: `too-large`. */
export async function readLimited(response: Response, limit: number): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array();
  const tooLong = (): Error => new BerthError('too-large', `the registry's answer is longer than ${limit} bytes`);
  return new Uint8Array(await collectWithin(response.body, limit, tooLong));
}
