/** Servers and sockets: the net server in front of HTTP, hijacked connections, raw descriptors. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function place(): { path: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'));
  return { path: join(directory, 's.sock'), remove: () => rmSync(directory, { recursive: true }) };
}

async function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(path, resolve);
  await promise;
}

/** Everything that the other end says until it ends. By events: `for await` would destroy a socket whose other half is still open. */
async function everything(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('end', () => resolve(Buffer.concat(parts)));
  socket.on('error', reject);
  return await promise;
}

test('a net server hands a connection on by emit(connection), keep-alive included', async () => {
  const http = createHttpServer((request, response) => response.end(`you asked ${request.url}`));
  const { path, remove } = place();
  const front = createServer({ allowHalfOpen: true }, (socket) => {
    http.emit('connection', socket);
  });
  await listening(front, path);
  const client = connect(path);
  client.write('GET /one HTTP/1.1\r\nHost: x\r\n\r\n');
  client.write('GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const answer = (await everything(client)).toString();
  expect(answer).toContain('you asked /one');
  expect(answer).toContain('you asked /two');
  front.close();
  remove();
});

test('a half-closed connection still carries data back, exactly', async () => {
  const { path, remove } = place();
  const front = createServer({ allowHalfOpen: true }, async (socket) => {
    const said = await everything(socket);
    socket.end(Buffer.concat([Buffer.alloc(1_000_000, 'x'), said]));
  });
  await listening(front, path);
  for (let round = 0; round < 50; round++) {
    const client = connect({ path, allowHalfOpen: true });
    client.end('my last word');
    const answer = await everything(client);
    expect(answer.length).toBe(1_000_012);
    expect(answer.subarray(-12).toString()).toBe('my last word');
  }
  front.close();
  remove();
});

test('a socket that is not read holds the writer back', async () => {
  const { path, remove } = place();
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
  const server = createServer({ pauseOnConnect: true }, resolve);
  await listening(server, path);
  const client = connect(path);
  const other = await accepted;
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  while (client.write(chunk)) written += chunk.length;
  // The kernel's buffers and the stream's high-water mark, no more.
  expect(written).toBeLessThan(4 * 1024 * 1024);
  client.destroy();
  other.destroy();
  server.close();
  remove();
});

test('Bun.connect speaks over a unix socket: data, half-close, end', async () => {
  const { path, remove } = place();
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.end(`heard ${(await everything(socket)).toString()}`);
  });
  await listening(server, path);
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let answer = '';
  const socket = await Bun.connect({
    unix: path,
    allowHalfOpen: true,
    socket: {
      data(_, bytes) {
        answer += bytes.toString();
      },
      // Not `end`: this half is closed already, so the other's end closes the socket.
      close() {
        resolve(answer);
      },
    },
  });
  socket.write('hello');
  socket.shutdown();
  expect(await ended).toBe('heard hello');
  server.close();
  remove();
});

test('net.Server.listen({ fd }) serves the descriptor that it is given', async () => {
  const { path, remove } = place();
  const script = `
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8); os.set_inheritable(s.fileno(), True); os.dup2(s.fileno(), 3)
os.execv(sys.argv[2], [sys.argv[2], '-e', sys.argv[3]])`;
  const program = `require('node:net').createServer((s) => s.end('from fd 3')).listen({ fd: 3 }, () => console.log('ready'))`;
  const child = Bun.spawn(['python3', '-c', script, path, process.execPath, program], {
    stdout: 'pipe',
    env: { ...process.env, BUN_BE_BUN: '1' },
  });
  try {
    await child.stdout.getReader().read();
    expect((await everything(connect(path))).toString()).toBe('from fd 3');
  } finally {
    child.kill();
    await child.exited;
    remove();
  }
});
