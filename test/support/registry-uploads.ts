/** The push side of the test registry: uploads in one piece or in chunks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256 } from '../../src/oci/digest.ts';

export class RegistryUploads {
  readonly #open = new Map<string, Buffer[]>();
  #count = 0;

  /** Answers a request below `/blobs/uploads/`. @param store takes the finished blob */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    store: (bytes: Uint8Array) => unknown,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === 'POST') {
      const id = `upload-${++this.#count}`;
      this.#open.set(id, chunks);
      const base = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
      if (!url.searchParams.get('digest')) {
        response.writeHead(202, { location: `${base}${id}`, range: '0-0', 'docker-upload-uuid': id }).end();
        return;
      }
      return this.#finish(response, id, { digest: url.searchParams.get('digest') ?? '', store });
    }
    const id = url.pathname.split('/').at(-1) as string;
    const parts = this.#open.get(id);
    if (!parts) return void response.writeHead(404).end();
    parts.push(...chunks);
    if (request.method === 'PUT')
      return this.#finish(response, id, { digest: url.searchParams.get('digest') ?? '', store });
    const length = parts.reduce((total, part) => total + part.length, 0);
    response.writeHead(202, { location: url.pathname, range: `0-${Math.max(0, length - 1)}` }).end();
  }

  #finish(response: ServerResponse, id: string, what: { digest: string; store: (bytes: Uint8Array) => unknown }): void {
    const bytes = new Uint8Array(Buffer.concat(this.#open.get(id) ?? []));
    this.#open.delete(id);
    if (sha256(bytes) !== what.digest) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'digest did not match' }] }));
      return;
    }
    what.store(bytes);
    response.writeHead(201, { location: `/v2/blobs/${what.digest}`, 'docker-content-digest': what.digest }).end();
  }
}
