import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { HttpConnection, type HttpHandler } from './connection.ts';

/** `/reads` reads the first bytes of the body, any other path none; both refuse it then. */
const handler: HttpHandler = async (request, response) => {
  if (request.target === '/reads') for await (const _ of request.stream()) break;
  response.send(413, {}, 'no');
};

let server: Server;
beforeAll(async () => {
  server = createServer(
    { allowHalfOpen: true },
    (socket) => void new HttpConnection(socket, handler, { head: 100, unreadBody: 100 }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

/** Sends the text and nothing more; gives what came back until the server closed. */
async function talk(text: string, then: (socket: Socket) => void = () => undefined): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  socket.write(text);
  then(socket);
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

test('a head that does not come to its end', async () => {
  expect(await talk('GET / HTTP/1.1\r\nHost: x\r\nX: ')).toBe('');
});

test.each(['/', '/reads'])('a body that nobody wants any more and that does not come: %s', async (path) => {
  const answer = await talk(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx`);
  expect(answer).toStartWith('HTTP/1.1 413');
});

test('a body that nobody wants any more and that has no end', async () => {
  const piece = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
  const answer = await talk('POST /reads HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', (socket) => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', send);
    send();
  });
  expect(answer).toStartWith('HTTP/1.1 413');
});

test('a small body that nobody wanted keeps the connection', async () => {
  const request = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody';
  expect((await talk(request.repeat(3), (socket) => socket.end())).match(/HTTP\/1\.1 413/g)).toHaveLength(3);
});
