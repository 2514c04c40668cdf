/** The push side of the test registry: uploads in one piece or in chunks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256 } from '../../src/oci/digest.ts';
import { pause, type RegistryFaultAction } from './registry-faults.ts';

/** What a registry takes in a PATCH: nothing, or only what has a length. */
export type PatchSupport = 'none' | 'sized';

export class RegistryUploads {
  readonly #open = new Map<string, Buffer[]>();
  readonly #patch: PatchSupport | undefined;
  #count = 0;

  constructor(patch?: PatchSupport) {
    this.#patch = patch;
  }

  /** Answers a request below `/blobs/uploads/`. @param store takes the finished blob */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    { action, store }: { action: RegistryFaultAction | undefined; store: (bytes: Uint8Array) => unknown },
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry');
    if (request.method === 'PATCH' && this.#patch === 'none') return refuse(response, 405, 'UNSUPPORTED');
    if (request.method === 'PATCH' && this.#patch === 'sized' && request.headers['content-length'] === undefined)
      return refuse(response, 411, 'SIZE_INVALID');
    if (request.method === 'POST') {
      const id = `upload-${++this.#count}`;
      const parts: Buffer[] = [];
      this.#open.set(id, parts);
      await receive(request, parts, action);
      const base = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
      if (!url.searchParams.get('digest')) {
        response.writeHead(202, { location: `${base}${id}`, range: '0-0', 'docker-upload-uuid': id }).end();
        return;
      }
      return this.#finish(response, id, { digest: url.searchParams.get('digest') ?? '', store });
    }
    const id = url.pathname.split('/').at(-1) as string;
    const parts = this.#open.get(id);
    if (!parts) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    const before = lengthOf(parts);
    const range = /^(\d+)-/.exec(String(request.headers['content-range'] ?? ''));
    if (range && Number(range[1]) !== before) return refuse(response, 416, 'RANGE_INVALID');
    if (!(await receive(request, parts, action))) return void request.socket.destroy();
    if (request.method === 'PUT')
      return this.#finish(response, id, { digest: url.searchParams.get('digest') ?? '', store });
    const status = request.method === 'GET' ? 204 : 202;
    const last = Math.max(0, lengthOf(parts) - 1);
    response.writeHead(status, { location: url.pathname, range: `0-${last}` }).end();
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

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((total, part) => total + part.length, 0);
}

/** Takes a body. False: the fault breaks the connection here. */
async function receive(
  request: IncomingMessage,
  parts: Buffer[],
  action: RegistryFaultAction | undefined,
): Promise<boolean> {
  let length = 0;
  try {
    for await (const chunk of request) {
      if (action?.kind === 'slow') await pause(((chunk as Buffer).length / action.bytesPerSecond) * 1000);
      length += (chunk as Buffer).length;
      parts.push(chunk as Buffer);
      if (action?.kind === 'break' && length >= action.after) return false;
    }
  } catch {
    // The client is gone; what it sent stays, as in other registries.
    return false;
  }
  return action?.kind !== 'break';
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: 'the test registry does not take it' }] }));
}
