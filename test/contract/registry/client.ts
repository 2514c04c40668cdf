/** The plain HTTP client of these tests: what the specification says, without a library in between. */
import { createHash, randomBytes } from 'node:crypto';
import type { BerthRegistry } from '../../support/berth-registry.ts';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';
export const emptyType = 'application/vnd.oci.empty.v1+json';

export function digestOf(bytes: Uint8Array | string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length));
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The first error's code. */
  code: string;
}

export class RegistryClient {
  readonly #registry: BerthRegistry;
  readonly #headers: Record<string, string>;

  constructor(registry: BerthRegistry, headers: Record<string, string> = {}) {
    this.#registry = registry;
    this.#headers = headers;
  }

  async request(
    method: string,
    path: string,
    options: {
      body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer> {
    const url = path.startsWith('http') ? path : `${this.#registry.url}${path}`;
    const headers = { ...this.#headers, ...options.headers };
    const response = await fetch(url, { method, headers, body: options.body, redirect: 'manual' });
    const text = await response.text();
    const code = /^\{"errors":\[\{"code":"([A-Z_]+)"/.exec(text)?.[1] ?? '';
    return { status: response.status, headers: response.headers, text, code };
  }

  /** Opens an upload; gives its address. */
  async begin(repository: string): Promise<string> {
    const { status, headers } = await this.request('POST', `/v2/${repository}/blobs/uploads/`);
    if (status !== 202) throw new Error(`POST upload: ${status}`);
    return headers.get('location') as string;
  }

  /** Pushes a blob in one piece; gives its digest. */
  async blob(repository: string, bytes: Uint8Array<ArrayBuffer> | string): Promise<string> {
    const digest = digestOf(bytes);
    const location = await this.begin(repository);
    const { status, text } = await this.request('PUT', `${location}?digest=${digest}`, { body: bytes });
    if (status !== 201) throw new Error(`PUT blob: ${status} ${text}`);
    return digest;
  }

  async put(repository: string, reference: string, document: object | string, type = manifestType): Promise<Answer> {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    return this.request('PUT', `/v2/${repository}/manifests/${reference}`, { body, headers: { 'content-type': type } });
  }

  /** Pushes an image of one layer; gives the digests. */
  async image(
    repository: string,
    tag: string,
    size = 100,
  ): Promise<{ manifest: string; config: string; layer: string }> {
    const bytes = someBytes(size);
    const layer = await this.blob(repository, bytes);
    const config = await this.blob(repository, JSON.stringify({ layer }));
    const document = manifestOf({ config, configSize: JSON.stringify({ layer }).length, layers: [[layer, size]] });
    const answer = await this.put(repository, tag, document);
    if (answer.status !== 201) throw new Error(`PUT manifest: ${answer.status} ${answer.text}`);
    return { manifest: answer.headers.get('docker-content-digest') as string, config, layer };
  }
}

export function manifestOf(parts: {
  config: string;
  configSize: number;
  layers: [digest: string, size: number][];
  more?: object;
}): object {
  return {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: parts.config, size: parts.configSize },
    layers: parts.layers.map(([digest, size]) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size,
    })),
    ...parts.more,
  };
}
