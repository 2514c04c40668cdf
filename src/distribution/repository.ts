/**
 * One repository on one endpoint (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#endpoints): documents, tags
 * and bytes, with authentication.
 */
import { BerthError } from '../api/errors.ts';
import { finishHash, isDigest, sha256, startHash } from '../oci/digest.ts';
import { longestManifest } from '../oci/manifest.ts';
import { manifestAccept } from '../oci/media-types.ts';
import { Authorizer, type Granted, withRequest } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { Endpoint } from './registries.ts';
import { responseError } from './registry-errors.ts';
import { readLimited, type Transport } from './transport.ts';

export interface RepositoryOptions {
  endpoint: Endpoint;
  /** `library/debian` */
  path: string;
  credentials: Credentials | null;
  transport: Transport;
  isInsecure: (host: string) => boolean;
  /** Default: `pull`. */
  actions?: 'pull' | 'pull,push';
  granted?: readonly Granted[];
}

/** What another process of this program needs to go on with a repository. It holds secrets. */
export type RepositoryAddress = Pick<RepositoryOptions, 'endpoint' | 'path' | 'credentials' | 'actions' | 'granted'>;

/** A manifest or index, byte for byte. */
export interface RemoteDocument {
  bytes: Uint8Array;
  digest: string;
  mediaType: string;
}

/** A request to a repository. */
export interface RepositoryRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below `/v2/<repository>/`, or a complete address that the registry gave. */
  path: string;
  headers?: Record<string, string>;
  /** Made anew for each attempt. */
  body?: () => Uint8Array | ReadableStream<Uint8Array>;
  /** Another repository of the registry that this reads from. */
  alsoReads?: string;
  /** Statuses that are answers; default 200 and 206. */
  expected?: readonly number[];
  signal?: AbortSignal;
}

const longestError = 64 * 1024;
const longestTagPage = 4 * 1024 * 1024;
/** Pages of a tag list that are read at most, so that a registry cannot keep a client going round. */
const mostTagPages = 1000;

export class Repository {
  readonly endpoint: Endpoint;
  readonly #options: RepositoryOptions;
  readonly #authorizer: Authorizer;
  readonly #scope: string;

  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#scope = `repository:${options.path}:${options.actions ?? 'pull'}`;
    this.#authorizer = new Authorizer({
      base: options.endpoint.base,
      credentials: options.credentials,
      transport: options.transport,
      isInsecure: options.isInsecure,
      granted: options.granted,
    });
  }

  /** With what was granted so far. */
  get address(): RepositoryAddress {
    const { endpoint, path, credentials, actions } = this.#options;
    return { endpoint, path, credentials, actions, granted: this.#authorizer.granted };
  }

  /**
   * The manifest or index of a tag or digest. Its digest is computed here; where one was asked for, it must match.
   * Errors: `RegistryError`, `UnreachableError`, `invalid` for a digest that does not match.
   */
  async manifest(tagOrDigest: string, signal?: AbortSignal): Promise<RemoteDocument> {
    const response = await this.request({
      method: 'GET',
      path: `manifests/${tagOrDigest}`,
      headers: { accept: manifestAccept.join(', ') },
      signal,
    });
    const bytes = await readLimited(response, longestManifest);
    const wanted = isDigest(tagOrDigest) ? tagOrDigest : null;
    if (wanted && finishHash(wanted, startHash(wanted).update(bytes)) !== wanted)
      throw new BerthError('invalid', `manifest verification failed for digest ${wanted}`, { code: 'digest-mismatch' });
    const mediaType = (response.headers.get('content-type') ?? '').replace(/;.*/, '').trim();
    return { bytes, digest: wanted ?? sha256(bytes), mediaType };
  }

  /**
   * The digest of a tag without its document, which registries that count pulls do not count. Null where the registry does not say.
   * Errors as of `manifest`.
   */
  async digestOf(tag: string, signal?: AbortSignal): Promise<string | null> {
    const response = await this.request({
      method: 'HEAD',
      path: `manifests/${tag}`,
      headers: { accept: manifestAccept.join(', ') },
      signal,
    });
    const digest = response.headers.get('docker-content-digest') ?? '';
    return isDigest(digest) ? digest : null;
  }

  /** Asks whether there is a registry at all, and for a token where it wants one. Errors as of `manifest`. */
  async ping(signal?: AbortSignal): Promise<void> {
    const response = await this.request({
      method: 'GET',
      path: `${this.endpoint.base}/v2/`,
      // Some answer 404 to the bare route and serve what is below it.
      expected: [200, 404],
      signal,
    });
    await response.body?.cancel();
  }

  /** A small blob (an image's config), checked. Errors as of `manifest`. */
  async document(digest: string, options: { limit: number; signal?: AbortSignal }): Promise<Uint8Array> {
    const response = await this.request({ method: 'GET', path: `blobs/${digest}`, signal: options.signal });
    const bytes = await readLimited(response, options.limit);
    if (finishHash(digest, startHash(digest).update(bytes)) !== digest)
      throw new BerthError('invalid', `image config verification failed for digest ${digest}`, {
        code: 'digest-mismatch',
      });
    return bytes;
  }

  /**
   * Opens a blob for reading. `offset` says where the body starts: what was asked for, or 0 where the registry knows no ranges.
   * The body must be read or cancelled.
   */
  async blob(digest: string, options: { offset: number; signal?: AbortSignal }): Promise<OpenBlob> {
    const response = await this.request({
      method: 'GET',
      path: `blobs/${digest}`,
      headers: options.offset > 0 ? { range: `bytes=${options.offset}-` } : {},
      signal: options.signal,
    });
    const range = response.status === 206 ? /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '') : null;
    if (response.status === 206 && !range) {
      await response.body?.cancel();
      throw new BerthError('internal', 'the registry sent a part of the blob and does not say which');
    }
    const length = response.headers.get('content-length');
    return {
      offset: range ? Number(range[1]) : 0,
      length: length === null ? null : Number(length),
      // Not before somebody reads it: a stream that breaks forgets what it holds, the runtime below it does not.
      get body() {
        return (response.body ?? new Response(new Uint8Array()).body) as ReadableStream<Uint8Array>;
      },
    };
  }

  /** Every tag of the repository, page by page. */
  async tags(signal?: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let path: string | null = 'tags/list';
    for (let page = 0; path !== null && page < mostTagPages; page++) {
      const response: Response = await this.request({ method: 'GET', path, signal });
      const text = new TextDecoder().decode(await readLimited(response, longestTagPage));
      const list = (JSON.parse(text) as { tags?: unknown }).tags;
      if (Array.isArray(list)) tags.push(...list.filter((tag): tag is string => typeof tag === 'string'));
      const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1];
      const query = next ? new URL(next, this.endpoint.base).search : '';
      path = query ? `tags/list${query}` : null;
    }
    return tags;
  }

  /** Sends a request, answers a challenge, and gives the answer if its status is expected. Errors as of `manifest`. */
  async request(request: RepositoryRequest): Promise<Response> {
    const isElsewhere = /^https?:/.test(request.path);
    const url = isElsewhere ? request.path : `${this.endpoint.base}/v2/${this.#options.path}/${request.path}`;
    // An upload may go to another host, which gets what the address itself carries and nothing else.
    const isHome = new URL(url).origin === new URL(this.endpoint.base).origin;
    const send = (authorization: string | null): Promise<Response> =>
      this.#options.transport.send({
        url,
        method: request.method,
        headers: request.headers,
        body: request.body?.(),
        authorization: isHome ? authorization : null,
        signal: request.signal,
      });
    const scope = request.alsoReads ? `${this.#scope} repository:${request.alsoReads}:pull` : this.#scope;
    const first = this.#authorizer.header(scope);
    let response = await send(first);
    if (response.status === 401 && isHome) {
      const challenges = parseChallenges(response.headers.get('www-authenticate'));
      const body = await errorBody(response);
      let header: string | null;
      try {
        header = await this.#authorizer.answer(challenges, {
          scope,
          refused: first,
          signal: request.signal,
        });
      } catch (error) {
        // dockerd looks a manifest up by HEAD, and its errors say so.
        throw withRequest(error, request.path.startsWith('manifests/') ? 'HEAD' : request.method, url);
      }
      if (header === null) throw responseError(response, body);
      response = await send(header);
    }
    if ((request.expected ?? [200, 206]).includes(response.status)) return response;
    throw responseError(response, await errorBody(response));
  }
}

export interface OpenBlob {
  offset: number;
  /** Bytes of the body; null: the registry does not say. */
  length: number | null;
  readonly body: ReadableStream<Uint8Array>;
}

async function errorBody(response: Response): Promise<string> {
  try {
    return new TextDecoder().decode(await readLimited(response, longestError));
  } catch {
    // The status alone says enough; a body that breaks or never ends adds nothing.
    return '';
  }
}
