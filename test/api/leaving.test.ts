/** A client that leaves while the engine is still asked: what the engine then gives is given back. */
import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer as listen, type Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { createServer } from '../../src/server/create-server.ts';
import { attached, fakeBackends, type Overrides } from './support/fake-backends.ts';
import { dial } from './support/served.ts';

/** Output that never comes, as of a quiet container. */
function silence(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
}

/** Sends a request; the client is gone when the backend answers, by `answer`. */
async function leaveDuring(verb: string, request: string, answer: (...args: never[]) => unknown): Promise<void> {
  let accepted: Socket | null = null;
  const answered = Promise.withResolvers<void>();
  const overrides: Overrides = {
    [verb]: async (...args) => {
      const socket = accepted as Socket | null;
      if (!socket) throw new Error('nobody asks');
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
      try {
        return await answer(...args);
      } finally {
        answered.resolve();
      }
    },
  };
  const server = createServer({ backends: fakeBackends(overrides).backends, engineVersion: '28.5.2' });
  const front = listen({ allowHalfOpen: true }, (socket) => {
    accepted = socket;
    server.serve(socket);
  });
  const path = `\0berth-leaving-${process.pid}`;
  front.listen(path);
  await once(front, 'listening');
  const client = await dial(path);
  client.on('error', () => {}); // the server's end is gone
  client.write(request);
  await answered.promise;
  client.destroy();
  front.close();
}

/** The same with a stream in the answer, which must be given back. */
async function leaveWith(verb: string, request: string, given: { stream: Readable; answer: unknown }): Promise<void> {
  const closed = once(given.stream, 'close');
  await leaveDuring(verb, request, () => given.answer);
  await closed;
}

const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const websocket = [
  'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
].join('\r\n');

test.each([
  ['attach', `POST /containers/one/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${upgrade}`],
  ['attach by WebSocket', `GET /containers/one/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${websocket}`],
])('%s', async (_name, request) => {
  const stream = silence();
  await leaveWith('streams.attach', request, { stream, answer: attached(stream) });
  expect(stream.destroyed).toBe(true);
});

test('logs that are followed', async () => {
  const stream = new Readable({ read() {} });
  const request = 'GET /containers/one/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n';
  await leaveWith('streams.logs', request, { stream, answer: { stream, terminal: false } });
  expect(stream.destroyed).toBe(true);
});

test('an export', async () => {
  const stream = new Readable({ read() {} });
  const request = 'GET /containers/one/export HTTP/1.1\r\nHost: x\r\n\r\n';
  await leaveWith('archive.export', request, { stream, answer: stream });
  expect(stream.destroyed).toBe(true);
});

test('an upload is not taken for a whole one', async () => {
  const request = 'PUT /containers/one/archive?path=/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n';
  let fate = '';
  await leaveDuring('archive.write', request, async (_id: never, _path: never, content: AsyncIterable<unknown>) => {
    try {
      for await (const _bytes of content);
      fate = 'whole';
    } catch (error) {
      fate = (error as Error).message;
    }
  });
  expect(fate).toBe('unexpected EOF');
});
