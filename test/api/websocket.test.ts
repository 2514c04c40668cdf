/** Attach by WebSocket. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Duplex, PassThrough } from 'node:stream';
import { createServer } from '../../src/server/create-server.ts';
import { encodeFrame } from '../../src/wire/stdcopy.ts';
import { attached, fakeBackends, type Overrides } from './support/fake-backends.ts';
import { dial, readUntil, type Served, serve } from './support/served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const target = '/containers/one/attach/ws?stream=1&stdin=1&stdout=1&stderr=1';

/** The runtime's own client over TCP, which is nobody's but this test's. */
async function overTcp(overrides: Overrides, path = target): Promise<{ socket: WebSocket; close(): Promise<void> }> {
  const server = createServer({ backends: fakeBackends(overrides).backends, engineVersion: '28.5.2' });
  const { host } = await server.listen('tcp://127.0.0.1:0', '');
  const socket = new WebSocket(`${host.replace('tcp:', 'ws:')}${path}`);
  socket.binaryType = 'arraybuffer';
  return { socket, close: () => server.close(0) };
}

function ended(socket: WebSocket): Promise<{ code: number; received: Buffer }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => void chunks.push(Buffer.from(data as ArrayBuffer));
    socket.onclose = ({ code }) => resolve({ code, received: Buffer.concat(chunks) });
  });
}

describe('attach by WebSocket', () => {
  test('bytes both ways, messages of every size', async () => {
    const typed: Buffer[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        typed.push(Buffer.from(chunk));
        if (Buffer.concat(typed).length === 100_133) this.push(encodeFrame(1, Buffer.alloc(70_000, 'o')));
        done();
      },
    });
    const { socket, close } = await overTcp({ 'streams.attach': async () => attached(stream) });
    const end = ended(socket);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    for (const size of [0, 3, 130, 100_000]) socket.send(Buffer.alloc(size, 'i'));
    while (Buffer.concat(typed).length < 100_133) await new Promise((resolve) => setImmediate(resolve));
    stream.push(encodeFrame(2, Buffer.from('err')));
    stream.push(null);
    const { code, received } = await end;
    expect(code).toBe(1000);
    expect(received.toString()).toBe(`${'o'.repeat(70_000)}err`);
    await close();
  });

  test('the client’s close is the end of stdin', async () => {
    const stream = new PassThrough();
    const finished = new Promise((resolve) => stream.once('finish', resolve));
    const { socket, close } = await overTcp({ 'streams.attach': async () => attached(stream, true) });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    socket.close();
    await finished;
    await close();
  });

  const head = `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n`;

  test('the handshake of RFC 6455', async () => {
    const socket = await dial(served.path);
    socket.write(`${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
    const answer = await readUntil(socket, '\r\n\r\n');
    expect(answer).toStartWith('HTTP/1.1 101 ');
    expect(answer).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    socket.destroy();
  });

  for (const [name, bytes] of [
    ['an unmasked frame', [0x82, 0x01, 0x61]],
    ['a reserved bit', [0xc2, 0x81, 0, 0, 0, 0, 0x61]],
    ['an unknown operation', [0x83, 0x81, 0, 0, 0, 0, 0x61]],
    ['a frame of many gigabytes', [0x82, 0xff, 0, 0, 0xff, 0, 0, 0, 0, 0]],
  ] as const)
    test(`${name} ends the connection`, async () => {
      const socket = await dial(served.path);
      socket.write(`${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
      await readUntil(socket, '\r\n\r\n');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.on('end', () => socket.end());
      socket.resume();
      socket.write(Buffer.from(bytes));
      await closed;
    });

  test('an ordinary request is refused', async () => {
    const answer = await served.ask('GET', target);
    expect([answer.status, answer.body]).toEqual([400, '{"message":"not websocket protocol"}\n']);
  });
});
