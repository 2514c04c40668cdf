/** One contract, both transports: what the HTTP client relies on. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAll } from '../http/read-all.ts';
import { bunTransport } from './bun.ts';
import { nodeTransport } from './node.ts';
import type { Endpoint, Transport } from './transport.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-transport-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let servers = 0;

interface Running extends AsyncDisposable {
  endpoint: Endpoint;
}

async function serve(handle: (socket: Socket) => void, tcp = false): Promise<Running> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    handle(socket);
  });
  const path = join(directory, `${++servers}.sock`);
  await new Promise<void>((resolve) => {
    if (tcp) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  const endpoint: Endpoint =
    tcp && address !== null && typeof address === 'object'
      ? { kind: 'tcp', host: '127.0.0.1', port: address.port }
      : { kind: 'unix', path };
  return { endpoint, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Bytes that tell where they belong. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

const transports: [string, Transport][] = [
  ['Bun.connect', bunTransport],
  ['node:net', nodeTransport],
];

describe.each(transports)('%s', (_name, transport) => {
  test.each([false, true])('bytes come back as they went (tcp: %p)', async (tcp) => {
    await using server = await serve((socket) => socket.pipe(socket), tcp);
    const connection = await transport.connect(server.endpoint);
    await connection.write(new TextEncoder().encode('hello'));
    connection.end();
    expect(new TextDecoder().decode(await readAll(connection))).toBe('hello');
  });

  test('half-close: the peer answers after our end', async () => {
    await using server = await serve((socket) => {
      let size = 0;
      socket.on('data', (bytes) => {
        size += bytes.length;
      });
      socket.on('end', () => socket.end(`got ${size}`));
    });
    const connection = await transport.connect(server.endpoint);
    await connection.write(pattern(300_000));
    connection.end();
    expect(new TextDecoder().decode(await readAll(connection))).toBe('got 300000');
  });

  test("the peer's end leaves our direction open", async () => {
    const received = Promise.withResolvers<string>();
    await using server = await serve((socket) => {
      let text = '';
      socket.end('bye');
      socket.on('data', (bytes) => {
        text += bytes;
      });
      socket.on('end', () => received.resolve(text));
    });
    const connection = await transport.connect(server.endpoint);
    expect(new TextDecoder().decode(await readAll(connection))).toBe('bye');
    await connection.write(new TextEncoder().encode('still here'));
    connection.end();
    expect(await received.promise).toBe('still here');
  });

  test('a large stream arrives whole and in order while the reader is slow', async () => {
    const bytes = pattern(8 << 20);
    await using server = await serve((socket) => socket.end(bytes));
    const connection = await transport.connect(server.endpoint);
    let at = 0;
    for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
      expect(Buffer.compare(chunk, bytes.subarray(at, at + chunk.length))).toBe(0);
      at += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(at).toBe(bytes.length);
  });

  test('a reader that does not read holds the sender up', async () => {
    let written = 0;
    const stalled = Promise.withResolvers<void>();
    await using server = await serve((socket) => {
      const block = pattern(1 << 20);
      const more = (): void => {
        if (written >= 256 << 20) {
          stalled.reject(new Error('everything was taken'));
          return;
        }
        written += block.length;
        if (socket.write(block)) setImmediate(more);
        else {
          const late = setTimeout(() => stalled.resolve(), 300);
          socket.once('drain', () => {
            clearTimeout(late);
            more();
          });
        }
      };
      more();
    });
    const connection = await transport.connect(server.endpoint);
    await stalled.promise;
    expect(written).toBeLessThan(32 << 20);
    connection.close();
  });

  test('a peer that does not read holds the writer up, and all bytes arrive in the end', async () => {
    const gate = Promise.withResolvers<void>();
    const total = Promise.withResolvers<number>();
    await using server = await serve((socket) => {
      let size = 0;
      socket.pause();
      void gate.promise.then(() => socket.resume());
      socket.on('data', (bytes) => {
        size += bytes.length;
      });
      socket.on('end', () => {
        total.resolve(size);
        socket.end();
      });
    });
    const connection = await transport.connect(server.endpoint);
    let accepted = 0;
    const writing = (async () => {
      for (let block = 0; block < 64; block++) {
        await connection.write(pattern(1 << 20));
        accepted++;
      }
      connection.end();
    })();
    // Until the writer stands still between two looks.
    for (let before = -1; before !== accepted; ) {
      before = accepted;
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(accepted).toBeLessThan(32);
    gate.resolve();
    await writing;
    expect(await total.promise).toBe(64 << 20);
  });

  test('take gives what is here and never waits', async () => {
    await using server = await serve((socket) => socket.end('abc'));
    const connection = await transport.connect(server.endpoint);
    let text = '';
    for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
      text += new TextDecoder().decode(bytes);
      for (let more = connection.take(); more; more = connection.take()) text += new TextDecoder().decode(more);
    }
    expect(text).toBe('abc');
    expect(connection.take()).toBeUndefined();
  });

  test('errors carry the code of the system', async () => {
    const missing = transport.connect({ kind: 'unix', path: join(directory, 'nobody.sock') });
    await expect(missing).rejects.toMatchObject({ code: expect.stringMatching(/^(ENOENT|ECONNREFUSED)$/) });
  });

  test('close ends both directions at once', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await serve((socket) => {
      socket.on('close', () => closed.resolve());
      socket.on('data', () => undefined);
      socket.on('end', () => socket.end());
    });
    const connection = await transport.connect(server.endpoint);
    expect(connection.alive).toBe(true);
    connection.close();
    connection.close();
    expect(connection.alive).toBe(false);
    await closed.promise;
    await expect(connection.write(new Uint8Array(1))).rejects.toThrow();
  });
});
