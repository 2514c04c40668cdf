/** Bodies that are moved past the event loop: every byte, whatever the framing, the pace and the end of the client. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { until } from '../../support/until.ts';
import { digestOf, RegistryClient, someBytes } from './client.ts';

let registry: BerthRegistry;
let client: RegistryClient;
beforeAll(async () => {
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
});
afterAll(() => registry.stop());

const megabyte = 1024 * 1024;

/** A connection whose answers are read as they come. */
class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  constructor() {
    this.socket = connect(registry.port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk as Buffer]);
    });
  }

  send(head: string, body: Uint8Array = new Uint8Array()): void {
    this.socket.write(`${head}\r\nHost: x\r\n\r\n`);
    this.socket.write(body);
  }

  /** Status lines so far. */
  get statuses(): string[] {
    return this.#received.toString('latin1').match(/HTTP\/1\.1 \d\d\d/g) ?? [];
  }
}

function chunked(bytes: Uint8Array, size: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

async function pulled(repository: string, digest: string, headers: Record<string, string> = {}): Promise<Uint8Array> {
  const response = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`, { headers });
  return new Uint8Array(await response.arrayBuffer());
}

test('by length and in chunks of any size, another request right behind', async () => {
  const bytes = someBytes(3 * megabyte + 17);
  for (const size of [1000, 32 * 1024, 2 * megabyte]) {
    const raw = new RawClient();
    const location = await client.begin('raw');
    raw.send(`PATCH ${location} HTTP/1.1\r\nTransfer-Encoding: chunked`, chunked(bytes.subarray(0, -megabyte), size));
    raw.send(`PATCH ${location} HTTP/1.1\r\nContent-Length: ${megabyte}`, bytes.subarray(-megabyte));
    raw.send(`PUT ${location}?digest=${digestOf(bytes)} HTTP/1.1\r\nContent-Length: 0`);
    await until('three answers', () => raw.statuses.length === 3);
    expect(raw.statuses.map((line) => line.slice(-3))).toEqual(['202', '202', '201']);
    raw.socket.destroy();
    expect(digestOf(await pulled('raw', digestOf(bytes)))).toBe(digestOf(bytes));
    expect((await client.request('DELETE', `/v2/raw/blobs/${digestOf(bytes)}`)).status).toBe(202);
  }
});

test('pieces small and large, in any order of the two', async () => {
  const bytes = someBytes(2 * megabyte);
  for (const cuts of [
    [0, 10, megabyte, 2 * megabyte],
    [0, megabyte, megabyte + 10, 2 * megabyte],
    [0, megabyte, 2 * megabyte - 10, 2 * megabyte],
  ]) {
    const location = await client.begin('pieces');
    for (const [index, start] of cuts.slice(0, -1).entries()) {
      const { status } = await client.request('PATCH', location, { body: bytes.slice(start, cuts[index + 1]) });
      expect(status).toBe(202);
    }
    expect((await client.request('PUT', `${location}?digest=${digestOf(bytes)}`)).status).toBe(201);
  }
});

test('many at once, up and down', async () => {
  const work = async (): Promise<void> => {
    const bytes = someBytes(2 * megabyte);
    const digest = await client.blob('many', bytes);
    expect(digestOf(await pulled('many', digest))).toBe(digest);
    const part = await pulled('many', digest, { range: `bytes=100000-${megabyte}` });
    expect(digestOf(part)).toBe(digestOf(bytes.subarray(100_000, megabyte + 1)));
  };
  await Promise.all(Array.from({ length: 30 }, work));
});

test('other bytes than the digest says', async () => {
  const location = await client.begin('other');
  const body = someBytes(megabyte);
  const { status, code } = await client.request('PUT', `${location}?digest=${digestOf('x')}`, { body });
  expect([status, code]).toEqual([400, 'DIGEST_INVALID']);
});

test('what came before the client left is kept, and it goes on from there', async () => {
  const bytes = someBytes(2 * megabyte);
  const location = await client.begin('left');
  const raw = new RawClient();
  raw.send(`PATCH ${location} HTTP/1.1\r\nContent-Length: ${bytes.length}`, bytes.subarray(0, megabyte));
  const range = async (): Promise<string | null> => (await client.request('GET', location)).headers.get('range');
  await until('what it sent to be kept', async () => (await range()) === `0-${megabyte - 1}`);
  // Another one must not write meanwhile.
  expect((await client.request('PATCH', location, { body: someBytes(megabyte) })).status).toBe(409);
  raw.socket.destroy();
  const rest = bytes.slice(megabyte);
  const path = `${location}?digest=${digestOf(bytes)}`;
  await until('the upload to be free', async () => (await client.request('PUT', path, { body: rest })).status === 201);
});

test('chunks that are none end the connection', async () => {
  const raw = new RawClient();
  const location = await client.begin('malformed');
  const bytes = chunked(someBytes(megabyte), 100_000).subarray(0, -5);
  raw.send(`PATCH ${location} HTTP/1.1\r\nTransfer-Encoding: chunked`, Buffer.concat([bytes, Buffer.from('zz\r\n')]));
  await until('the connection to end', () => raw.socket.readableEnded);
  expect(raw.statuses.at(-1)).toBe('HTTP/1.1 400');
});

test('clients that leave in the middle of a download, and that do not read', async () => {
  const bytes = someBytes(20 * megabyte);
  const digest = await client.blob('slow', bytes);
  const sleepers = Array.from({ length: 10 }, () => {
    const raw = new RawClient();
    raw.send(`GET /v2/slow/blobs/${digest} HTTP/1.1`);
    raw.socket.once('data', () => raw.socket.pause());
    return raw;
  });
  await until('answers to begin', () => sleepers.every(({ socket }) => socket.isPaused()));
  expect(digestOf(await pulled('slow', digest))).toBe(digest);
  for (const { socket } of sleepers) socket.destroy();
  expect(digestOf(await pulled('slow', digest))).toBe(digest);
});

test('clients that come and go at once take nothing away from others', async () => {
  const digest = await client.blob('rush', someBytes(megabyte));
  let isRunning = true;
  const rush = async (): Promise<void> => {
    while (isRunning) {
      const location = await client.begin('rush');
      for (const head of [
        `PATCH ${location} HTTP/1.1\r\nContent-Length: ${megabyte}`,
        `GET /v2/rush/blobs/${digest} HTTP/1.1`,
      ]) {
        const raw = new RawClient();
        raw.socket.on('error', () => undefined);
        raw.send(head, someBytes(1000));
        raw.socket.once('connect', () => setImmediate(() => raw.socket.resetAndDestroy()));
        await new Promise((resolve) => raw.socket.once('close', resolve));
      }
    }
  };
  const push = async (): Promise<void> => {
    for (let round = 0; round < 20; round++) {
      const bytes = someBytes(200_000);
      expect(digestOf(await pulled('rush', await client.blob('rush', bytes)))).toBe(digestOf(bytes));
    }
  };
  const rushes = Promise.all(Array.from({ length: 5 }, rush));
  await Promise.all(Array.from({ length: 5 }, push));
  isRunning = false;
  await rushes;
});

test('where no thread can be started, bodies of any size go through the event loop, and past it again later', async () => {
  const lonely = await BerthRegistry.start();
  try {
    for (let count = 0; count < 3; count++) lonely.failpoints.arm('thread.start', 'error no thread');
    const own = new RegistryClient(lonely);
    const bytes = someBytes(3 * megabyte);
    const digest = await own.blob('lonely', bytes);
    const get = async (): Promise<string> => {
      const response = await fetch(`${lonely.url}/v2/lonely/blobs/${digest}`);
      return digestOf(new Uint8Array(await response.arrayBuffer()));
    };
    expect(await get()).toBe(digest);
    const location = await own.begin('lonely');
    expect((await own.request('PATCH', location, { body: bytes.slice(0, megabyte) })).status).toBe(202);
    expect(lonely.failpoints.hits()).toEqual(['thread.start', 'thread.start', 'thread.start']);
    expect(lonely.log.match(/bodies go through the event loop: no thread/g)).toHaveLength(1);
    // The first part's hash is here, the second part comes past the event loop.
    const end = await own.request('PUT', `${location}?digest=${digest}`, { body: bytes.slice(megabyte) });
    expect(end.status).toBe(201);
    expect(await get()).toBe(digest);
  } finally {
    await lonely.stop();
  }
});
