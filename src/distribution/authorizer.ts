/**
 * Answers a registry's challenge: basic credentials, or a token from the realm that it names
 * (https://distribution.github.io/distribution/spec/auth/token/ and, for refresh tokens, …/auth/oauth/). Lives as long as one
 * operation on one endpoint.
 */
import { BerthError } from '../api/errors.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import { RegistryError, responseError, UnreachableError } from './registry-errors.ts';
import { readLimited, type Transport } from './transport.ts';

/** A header that was had for a scope. */
export interface Granted {
  scope: string;
  header: string;
  /** Unix milliseconds; null: for ever. */
  until: number | null;
}

export interface AuthorizerOptions {
  /** Base address of the endpoint. */
  base: string;
  credentials: Credentials | null;
  transport: Transport;
  isInsecure: (host: string) => boolean;
  /** Ask for a refresh token too: a login wants something to keep. */
  wantsIdentity?: boolean;
  /** What is known already. */
  granted?: readonly Granted[];
}

const longestTokenAnswer = 1024 * 1024;
/** Seconds that a token lives where its realm does not say. */
const defaultLifetime = 60;

export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** Scope (empty: none) → header and the time until which it is good. */
  readonly #headers = new Map<string, { header: string; until: number }>();
  readonly #asking = new Map<string, Promise<string>>();
  #identityToken = '';

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    for (const { scope, header, until } of options.granted ?? [])
      this.#headers.set(scope, { header, until: until ?? Number.POSITIVE_INFINITY });
  }

  /** What is known. */
  get granted(): Granted[] {
    return [...this.#headers].map(([scope, { header, until }]) => ({
      scope,
      header,
      until: Number.isFinite(until) ? until : null,
    }));
  }

  /** The refresh token that a realm gave; empty: none. */
  get identityToken(): string {
    return this.#identityToken;
  }

  /** The header to send for a scope (`repository:<name>:pull`, several with blanks in between), or null while none is known. */
  header(scope: string): string | null {
    const { credentials } = this.#options;
    if (credentials?.kind === 'registry') return `Bearer ${credentials.token}`;
    const known = this.#headers.get(scope);
    return known && known.until > Date.now() ? known.header : null;
  }

  /**
   * Gets a header for the challenge of a 401. Callers with one scope share the question.
   * @param refused the header that the registry has just refused, if one was sent
   * @returns null where no challenge can be answered (the 401 is then the result)
   */
  async answer(
    challenges: readonly Challenge[],
    options: { scope: string; refused: string | null; signal?: AbortSignal },
  ): Promise<string | null> {
    const { credentials } = this.#options;
    if (credentials?.kind === 'registry') return null;
    const current = this.header(options.scope);
    // Another request got a newer header meanwhile.
    if (current && current !== options.refused) return current;
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer) {
      const running = this.#asking.get(options.scope);
      if (running) return running;
      const asking = this.#token(bearer, options).finally(() => this.#asking.delete(options.scope));
      this.#asking.set(options.scope, asking);
      return asking;
    }
    if (!challenges.some((challenge) => challenge.scheme === 'basic')) return null;
    if (credentials?.kind !== 'password') throw new BerthError('internal', 'no basic auth credentials');
    const header = basicAuthorization(credentials.username, credentials.password);
    if (header === options.refused) return null;
    this.#headers.set(options.scope, { header, until: Number.POSITIVE_INFINITY });
    return header;
  }

  async #token(challenge: Challenge, options: { scope: string; signal?: AbortSignal }): Promise<string> {
    const { realm = '', service = '', scope: challengeScope = '' } = challenge.parameters;
    const url = this.#realm(realm);
    const scopes = [...new Set([...options.scope.split(' '), ...challengeScope.split(' ')])].filter(Boolean);
    const response = await this.#ask(url, { service, scopes, signal: options.signal });
    const text = new TextDecoder().decode(await readLimited(response, longestTokenAnswer));
    if (!response.ok) throw responseError(response, text);
    let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown; refresh_token?: unknown };
    try {
      answer = JSON.parse(text);
    } catch (cause) {
      throw new BerthError('internal', `unable to decode token response: ${(cause as Error).message}`, { cause });
    }
    if (typeof answer.refresh_token === 'string') this.#identityToken = answer.refresh_token;
    const token = answer.token || answer.access_token;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new BerthError('internal', 'authorization server did not include a token in the response');
    const lifetime = typeof answer.expires_in === 'number' ? answer.expires_in : defaultLifetime;
    const header = `Bearer ${token}`;
    // Ten seconds early, so that no request leaves with a token that dies on the way.
    this.#headers.set(options.scope, { header, until: Date.now() + Math.max(1, lifetime - 10) * 1000 });
    return header;
  }

  #realm(realm: string): URL {
    let url: URL;
    try {
      url = new URL(realm);
    } catch (cause) {
      throw new BerthError('internal', `invalid token auth challenge realm: ${realm}`, { cause });
    }
    const isPlain = url.protocol === 'http:';
    if (!isPlain && url.protocol !== 'https:')
      throw new BerthError('internal', `unsupported token auth challenge realm: ${realm}`);
    if (isPlain && this.#options.base.startsWith('https:') && !this.#options.isInsecure(url.host))
      throw new BerthError('internal', `refusing to send credentials to ${url.origin}: it is not https`);
    return url;
  }

  async #ask(
    url: URL,
    question: { service: string; scopes: string[]; signal: AbortSignal | undefined },
  ): Promise<Response> {
    const { credentials, transport } = this.#options;
    const { signal } = question;
    if (credentials?.kind === 'identity') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        service: question.service,
        client_id: 'berth',
        scope: question.scopes.join(' '),
        refresh_token: credentials.token,
      });
      return transport.send({
        url: url.href,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
        signal,
      });
    }
    if (question.service) url.searchParams.set('service', question.service);
    for (const scope of question.scopes) url.searchParams.append('scope', scope);
    if (credentials) url.searchParams.set('account', credentials.kind === 'password' ? credentials.username : '');
    if (this.#options.wantsIdentity) {
      url.searchParams.set('offline_token', 'true');
      url.searchParams.set('client_id', 'berth');
    }
    const authorization =
      credentials?.kind === 'password' ? basicAuthorization(credentials.username, credentials.password) : null;
    return transport.send({ url: url.href, authorization, signal });
  }
}

/** Puts what was being asked for before the failure of its token, as Go's client does. */
export function withRequest(error: unknown, method: string, url: string): unknown {
  const prefix = `${method === 'HEAD' ? 'Head' : 'Get'} "${url}": `;
  if (error instanceof RegistryError)
    return new RegistryError(error.status, error.registryCode, prefix + error.message);
  if (error instanceof UnreachableError) return new UnreachableError(prefix + error.message, { cause: error });
  if (error instanceof BerthError) return new BerthError(error.kind, prefix + error.message, { cause: error });
  return error;
}
