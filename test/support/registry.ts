/**
 * A registry in the test's own process: OCI distribution-spec 1.1 (pull, push, ranges, tags), basic and token authentication, TLS,
 * and faults on demand. Everything is in memory except blobs that are generated while they are sent.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../src/oci/digest.ts';
import type { FixtureBlob, ImageFixture } from './image-fixture.ts';
import { type RegistryAuth, RegistryGate } from './registry-auth.ts';
import { type RegistryFault, type RegistryFaultAction, sendBody } from './registry-faults.ts';
import { type PatchSupport, RegistryUploads } from './registry-uploads.ts';

/** A blob that is made while it is sent: 500 MB cost no memory. */
export interface GeneratedBlob {
  size: number;
  /** Bytes from `offset`; called again and again until `size` is reached. */
  read(offset: number): Uint8Array;
}

export interface RegistryOptions {
  auth?: RegistryAuth;
  /** PEM certificate and key: https instead of http. */
  tls?: { cert: string; key: string };
  /** Default 127.0.0.1. */
  address?: string;
  /** False: `Range` is ignored, as some registries do. */
  ranges?: boolean;
  /** What it takes in a PATCH; absent: anything. */
  patch?: PatchSupport;
}

/** What a client asked, for assertions. */
export interface RegistryRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
}

export class TestRegistry {
  readonly requests: RegistryRequest[] = [];
  readonly blobs = new Map<string, Uint8Array | GeneratedBlob>();
  /** `repository` → tag or digest → document. */
  readonly manifests = new Map<string, Map<string, FixtureBlob>>();
  /** Blob requests that are being answered, now and at most. */
  active = 0;
  mostActive = 0;
  readonly #faults: RegistryFault[] = [];
  readonly #server: Server;
  readonly #options: RegistryOptions;
  readonly #gate: RegistryGate | null;
  readonly #uploads: RegistryUploads;

  private constructor(options: RegistryOptions) {
    this.#options = options;
    this.#uploads = new RegistryUploads(options.patch);
    const listener: RequestListener = (request, response) => void this.#answer(request, response);
    this.#server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
    this.#gate = options.auth ? new RegistryGate(options.auth) : null;
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    registry.#server.once('error', reject);
    registry.#server.listen(0, options.address ?? '127.0.0.1', resolve);
    await promise;
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `127.0.0.1:<port>`: the part before the repository in a reference. */
  get host(): string {
    return `${this.#options.address ?? '127.0.0.1'}:${this.port}`;
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.host}`;
  }

  /** Publishes an image; gives `host/repository:tag`. */
  add(repository: string, tag: string, image: ImageFixture): string {
    for (const blob of [image.config, ...image.layers]) this.blobs.set(blob.digest, blob.bytes);
    return this.addManifest(repository, tag, image.manifest);
  }

  /** Publishes an index (add its images first) or any other document under a tag and its digest. */
  addManifest(repository: string, tag: string, document: FixtureBlob): string {
    const names = this.manifests.get(repository) ?? new Map<string, FixtureBlob>();
    this.manifests.set(repository, names);
    names.set(tag, document).set(document.digest, document);
    return `${this.host}/${repository}:${tag}`;
  }

  /** The following `times` requests that match get this fault; faults are tried in the order they were added. */
  fail(path: RegExp, action: RegistryFaultAction, times = 1, method?: string): void {
    this.#faults.push({ path, action, left: times, method });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** How many requests had this method and a matching path. */
  count(method: string, path: RegExp): number {
    return this.requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    this.requests.push({ method: request.method ?? '', path, headers: request.headers });
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    const fault = this.#faults.find(
      (one) => one.left > 0 && one.path.test(path) && (one.method ?? request.method) === request.method,
    );
    if (fault) fault.left--;
    const action = fault?.action;
    if (action?.kind === 'hang') return;
    if (action?.kind === 'reset') return void request.socket.destroy();
    if (action?.kind === 'status') {
      response.writeHead(action.status, { 'content-type': 'application/json', ...action.headers });
      return void response.end(action.body ?? '');
    }
    if (action?.kind === 'redirect')
      return void response.writeHead(action.status ?? 307, { location: action.to }).end();
    if (this.#gate && !(await this.#gate.admit(request, response, this.url))) return;
    try {
      await this.#route(request, response, action);
    } catch (error) {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, action?: RegistryFaultAction): Promise<void> {
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*/, ''));
    if (path === '/v2/' || path === '/v2') return void response.writeHead(200).end('{}');
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path);
    const [, repository = '', kind, name = ''] = match ?? [];
    if (/\/blobs\/uploads\//.test(path)) {
      const store = (bytes: Uint8Array): unknown => this.blobs.set(sha256(bytes), bytes);
      return this.#uploads.handle(request, response, { action, store });
    }
    if (kind === 'manifests' && request.method === 'PUT') return this.#putManifest(request, response, repository, name);
    if (kind === 'manifests') return this.#manifest(request, response, { repository, name, action });
    if (kind === 'blobs') return this.#blob(request, response, { digest: name, action });
    if (kind === 'tags') {
      const tags = [...(this.manifests.get(repository)?.keys() ?? [])].filter((tag) => !tag.includes(':'));
      if (tags.length === 0) return refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ name: repository, tags }));
    }
    refuse(response, 404, 'UNSUPPORTED', 'no such route');
  }

  async #putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = new Uint8Array(Buffer.concat(chunks));
    const mediaType = request.headers['content-type'] ?? 'application/json';
    const document = { mediaType, digest: sha256(bytes), bytes };
    this.addManifest(repository, name, document);
    response.writeHead(201, {
      'Docker-Content-Digest': document.digest,
      location: `/v2/${repository}/manifests/${document.digest}`,
    });
    response.end();
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    what: { repository: string; name: string; action?: RegistryFaultAction },
  ): Promise<void> {
    const names = this.manifests.get(what.repository);
    const document = names?.get(what.name);
    if (!names) return refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
    if (!document) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown', { Tag: what.name });
    response.setHeader('Docker-Content-Digest', document.digest);
    response.setHeader('content-type', document.mediaType);
    await sendBody(request, response, {
      source: document.bytes,
      action: what.action,
      ranges: false,
    });
  }

  async #blob(
    request: IncomingMessage,
    response: ServerResponse,
    what: { digest: string; action?: RegistryFaultAction },
  ): Promise<void> {
    const blob = this.blobs.get(what.digest);
    if (!blob) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry', what.digest);
    this.active++;
    this.mostActive = Math.max(this.mostActive, this.active);
    let isCounted = true;
    // Before the last bytes leave: the client may ask for the next blob before this function goes on.
    const done = (): void => {
      if (isCounted) this.active--;
      isCounted = false;
    };
    try {
      response.setHeader('content-type', 'application/octet-stream');
      response.setHeader('Docker-Content-Digest', what.digest);
      await sendBody(request, response, {
        source: blob,
        action: what.action,
        ranges: this.#options.ranges ?? true,
        onLast: done,
      });
    } finally {
      done();
    }
  }
}

/** An error as registries write it. */
function refuse(response: ServerResponse, status: number, code: string, message: string, detail?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ errors: [{ code, message, detail }] })}\n`);
}
