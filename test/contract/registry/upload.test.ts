/** The client's side of a push against our own registry, through a wire that breaks. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Repository } from '../../../src/distribution/repository.ts';
import { Transport } from '../../../src/distribution/transport.ts';
import { hasBlob, mountBlob, uploadBlob } from '../../../src/distribution/upload.ts';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { digestOf, RegistryClient, someBytes } from './client.ts';

let registry: BerthRegistry;
let wire: Wire;
beforeAll(async () => {
  registry = await BerthRegistry.start();
  wire = await Wire.start(registry.port);
});
afterAll(async () => {
  wire.stop();
  await registry.stop();
});

/** Passes bytes on to the registry; breaks connections on demand. */
class Wire {
  readonly #server: Server;
  /** What clients sent in front of bodies. */
  heads = '';
  /** The next connections break after so many bytes of the client. */
  readonly breaks: number[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<Wire> {
    const wire = new Wire(createServer((socket) => wire.#pass(socket, connect(port, '127.0.0.1'))));
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get base(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  #pass(client: Socket, server: Socket): void {
    let sent = 0;
    let isBroken = false;
    client.on('data', (data) => {
      const chunk = data as Buffer;
      const text = chunk.toString('latin1');
      if (/^[A-Z]+ \//.test(text)) this.heads += text.slice(0, text.indexOf('\r\n\r\n') + 4);
      sent += chunk.length;
      const limit = this.breaks[0];
      if (limit === undefined || sent < limit) return void server.write(chunk);
      this.breaks.shift();
      isBroken = true;
      client.pause();
      // The client learns of it once the registry has taken what came and has closed: asked earlier it may know of less, or of nothing.
      server.end(chunk.subarray(0, chunk.length - (sent - limit)));
    });
    server.on('data', (chunk) => void (isBroken || client.write(chunk)));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroySoon());
    }
  }

  stop(): void {
    this.#server.close();
  }
}

/** A registry of which a test says every word. */
async function serve(answer: RequestListener): Promise<{ base: string } & AsyncDisposable> {
  const server = createHttpServer((request, response) => {
    request.resume().once('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function repository(path: string, base = wire.base): Repository {
  const isInsecure = (): boolean => true;
  return new Repository({
    endpoint: { base, isMirror: false, verify: false },
    path,
    credentials: null,
    transport: new Transport({ isInsecure }),
    isInsecure,
    actions: 'pull,push',
  });
}

const signal = new AbortController().signal;

test('a push that breaks goes on where the registry has it', async () => {
  const bytes = someBytes(2_000_000);
  const digest = digestOf(bytes);
  wire.breaks.push(700_000, 700_000);
  const progress: number[] = [];
  await uploadBlob(repository('up/broken'), {
    digest,
    size: bytes.length,
    open: (offset) => new Blob([bytes.subarray(offset)]).stream(),
    onProgress: (sent) => progress.push(sent),
    firstPause: 1,
    signal,
  });
  expect(await hasBlob(repository('up/broken'), digest)).toBe(true);
  expect(progress.at(-1)).toBe(bytes.length);
  expect(wire.heads.match(/content-range: [1-9]\d+-1999999/gi)?.length).toBeGreaterThan(0);
  // One upload: nothing was sent twice from the beginning.
  expect(wire.heads.match(/^POST /gm)?.length).toBe(1);
});

test('a registry that had taken more than it knew of when it was asked is asked again', async () => {
  const bytes = someBytes(3000);
  const asked: string[] = [];
  const offsets = ['0-999', '0-1999'];
  await using stale = await serve((request, response) => {
    asked.push(`${request.method} ${request.headers['content-range'] ?? ''}`.trimEnd());
    if (request.method === 'POST') return response.writeHead(202, { location: '/v2/up/stale/blobs/uploads/1' }).end();
    if (request.method === 'GET') return response.writeHead(204, { range: offsets.shift() }).end();
    const { 'content-range': range } = request.headers;
    response.writeHead(range === undefined ? 500 : range === '2000-2999' ? 201 : 416).end();
  });
  await uploadBlob(repository('up/stale', stale.base), {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (offset) => new Blob([bytes.subarray(offset)]).stream(),
    firstPause: 1,
    signal,
  });
  expect(asked).toEqual(['POST', 'PUT', 'GET', 'PUT 1000-2999', 'GET', 'PUT 2000-2999']);
});

test('what can never work is not tried again', async () => {
  wire.heads = '';
  const wrong = uploadBlob(repository('up/wrong'), {
    digest: `sha256:${'0'.repeat(64)}`,
    size: 3,
    open: () => new Blob(['abc']).stream(),
    firstPause: 1,
    signal,
  });
  await expect(wrong).rejects.toThrow('digest');
  expect(wire.heads.match(/^PUT /gm)?.length).toBe(1);
});

test('mounted where another repository has it; no upload stays open where none has', async () => {
  const digest = await new RegistryClient(registry).blob('up/source', someBytes(1000));
  expect(await mountBlob(repository('up/target'), { digest, from: 'up/source' })).toBe(true);
  expect(await hasBlob(repository('up/target'), digest)).toBe(true);
  wire.heads = '';
  expect(await mountBlob(repository('up/other'), { digest, from: 'up/none' })).toBe(false);
  expect(wire.heads).toMatch(/^DELETE \/v2\/up\/other\/blobs\/uploads\//m);
});
