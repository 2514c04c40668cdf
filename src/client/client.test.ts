/** The HTTP client against servers that write their bytes by hand, on both transports. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { Client } from './client.ts';
import { createContainer } from './containers/create.ts';
import { waitContainer } from './containers/wait.ts';
import { readText } from './http/read-all.ts';
import { bunTransport } from './transport/bun.ts';
import { nodeTransport } from './transport/node.ts';
import type { Transport } from './transport/transport.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-client-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let servers = 0;

type Answerer = (request: string, socket: Socket, count: number) => void;

/** Gives each request's head (and what came with it) to the handler; counts connections. */
async function serve(transport: Transport, answer: Answerer) {
  const path = join(directory, `${++servers}.sock`);
  const state = { connections: 0, requests: [] as string[] };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    state.connections++;
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      pending += bytes.toString('latin1');
      if (!pending.includes('\r\n\r\n')) return;
      state.requests.push(pending);
      const request = pending;
      pending = '';
      answer(request, socket, state.requests.length);
    });
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  const client = new Client({ host: `unix://${path}`, transport });
  return {
    client,
    state,
    path,
    [Symbol.asyncDispose]: async () => {
      client.close();
      server.close();
    },
  };
}

const sized = (body: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const transports: [string, Transport][] = [
  ['Bun.connect', bunTransport],
  ['node:net', nodeTransport],
];

describe.each(transports)('%s', (_name, transport) => {
  test('one connection carries request after request', async () => {
    await using server = await serve(transport, (_request, socket) => socket.write(sized('{"a":1}')));
    for (let round = 0; round < 5; round++)
      expect(await server.client.json<unknown>({ method: 'GET', path: '/x' })).toEqual({ a: 1 });
    expect(server.state.connections).toBe(1);
  });

  test('a connection that the engine closes is not used again', async () => {
    await using server = await serve(transport, (_request, socket, count) => {
      socket.write(sized('ok'));
      if (count === 1) socket.end();
    });
    await server.client.text({ method: 'GET', path: '/x' });
    expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('ok');
    expect(server.state.connections).toBe(2);
  });

  test('Connection: close is obeyed', async () => {
    await using server = await serve(transport, (_request, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
    );
    await server.client.text({ method: 'GET', path: '/x' });
    await server.client.text({ method: 'GET', path: '/x' });
    expect(server.state.connections).toBe(2);
  });

  test('chunked bodies in every cut', async () => {
    const wire =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n';
    for (const step of [1, 2, 3, 7, 50, wire.length]) {
      await using server = await serve(transport, (_request, socket) => {
        const send = (at: number): void => {
          if (at < wire.length) socket.write(wire.slice(at, at + step), () => setImmediate(() => send(at + step)));
        };
        send(0);
      });
      expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('abcd0123456789');
      expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('abcd0123456789');
      expect(server.state.connections).toBe(1);
    }
  });

  test('a body without length ends with the connection', async () => {
    await using server = await serve(transport, (_request, socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('all of it');
  });

  test('a body that stops half way is an error', async () => {
    await using server = await serve(transport, (_request, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    );
    await expect(server.client.text({ method: 'GET', path: '/x' })).rejects.toThrow('unexpected EOF');
  });

  test.each([
    [400, 'invalid'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [409, 'conflict'],
    [413, 'too-large'],
    [500, 'internal'],
    [501, 'not-implemented'],
    [503, 'unavailable'],
  ])('status %p is kind %p', async (status, kind) => {
    await using server = await serve(transport, (_request, socket) =>
      socket.write(sized('{"message":"why"}', `${status} X`)),
    );
    const failure = await server.client.text({ method: 'GET', path: '/x' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BerthError);
    expect(failure).toMatchObject({ kind, message: 'why', status });
  });

  test('an interim answer is skipped', async () => {
    await using server = await serve(transport, (_request, socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${sized('x')}`),
    );
    expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('x');
  });

  test('an engine that is not there is told in the words that tools look for', async () => {
    const client = new Client({ host: `unix://${directory}/none.sock`, transport });
    const failure = client.text({ method: 'GET', path: '/x' });
    await expect(failure).rejects.toThrow(
      `Cannot connect to the Docker daemon at unix://${directory}/none.sock. Is the docker daemon running?`,
    );
  });

  test('an upload is chunked; an early answer is heard', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(65536);
    }
    await using server = await serve(transport, (_request, socket, count) => {
      if (count === 1) socket.write(sized('{"message":"too much"}', '413 Large'));
    });
    const failure = server.client.request({ method: 'POST', path: '/load', upload: endless() });
    await expect(failure).rejects.toThrow('too much');
    expect(server.state.requests[0]).toContain('Transfer-Encoding: chunked');
  });

  test.each(['101 UPGRADED', '200 OK'])('hijack by %p: raw bytes both ways and half-close', async (status) => {
    const path = join(directory, `${++servers}.sock`);
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      let head = false;
      socket.on('data', (bytes) => {
        if (!head) {
          head = true;
          socket.write(`HTTP/1.1 ${status}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst `);
        } else socket.write(bytes.toString().toUpperCase());
      });
      socket.on('end', () => socket.end(' last'));
    });
    await new Promise<void>((resolve) => void listener.listen(path, resolve));
    const client = new Client({ host: `unix://${path}`, transport });
    const stream = await client.hijack({ method: 'POST', path: '/attach' });
    await stream.write(new TextEncoder().encode('typed'));
    stream.end();
    expect(await readText(stream)).toBe('first TYPED last');
    stream.close();
    listener.close();
  });

  test('an older engine is spoken to in its own version', async () => {
    await using server = await serve(transport, (request, socket) => {
      const old = request.includes(' /v1.41/');
      const refusal = '{"message":"client version 1.51 is too new. Maximum supported API version is 1.41"}';
      socket.write(old ? sized('{}') : sized(refusal, '400 Bad Request'));
    });
    await server.client.json({ method: 'GET', path: '/info' });
    await server.client.json({ method: 'GET', path: '/info' });
    expect(server.state.requests.map((request) => request.split(' ')[1])).toEqual([
      '/v1.51/info',
      '/v1.41/info',
      '/v1.41/info',
    ]);
  });

  test('wait resolves when the engine watches, its result when the container ends', async () => {
    let finish: (() => void) | undefined;
    await using server = await serve(transport, (_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      finish = () => socket.write('10\r\n{"StatusCode":7}\r\n0\r\n\r\n');
    });
    const waiting = await waitContainer(server.client, 'x', { condition: 'next-exit' });
    finish?.();
    expect(await waiting.result).toEqual({ StatusCode: 7 });
  });

  test('names and queries are escaped', async () => {
    await using server = await serve(transport, (_request, socket) => socket.write(sized('{"Id":"1","Warnings":[]}')));
    await createContainer(server.client, { name: 'a b&c', body: { Image: 'i' } });
    expect(server.state.requests[0]).toStartWith('POST /v1.51/containers/create?name=a%20b%26c HTTP/1.1\r\n');
  });

  test('an abort closes the connection', async () => {
    const controller = new AbortController();
    await using server = await serve(transport, () => controller.abort());
    const failure = server.client.withSignal(controller.signal).text({ method: 'GET', path: '/x' });
    await expect(failure).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('an abort ends a stream that is being read, and says so', async () => {
    await using server = await serve(transport, (_request, socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nfirst'));
    const controller = new AbortController();
    const answer = await server.client.withSignal(controller.signal).request({ method: 'GET', path: '/x' });
    expect(new TextDecoder().decode((await answer.body.read()) ?? undefined)).toBe('first');
    const next = answer.body.read();
    controller.abort();
    await expect(next).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('an abort that comes when the answer is read touches no later request', async () => {
    await using server = await serve(transport, (_request, socket) => socket.write(sized('ok')));
    const controller = new AbortController();
    await server.client.withSignal(controller.signal).text({ method: 'GET', path: '/x' });
    controller.abort();
    expect(await server.client.text({ method: 'GET', path: '/x' })).toBe('ok');
    expect(server.state.connections).toBe(1);
    const late = server.client.withSignal(controller.signal).text({ method: 'GET', path: '/x' });
    await expect(late).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('an abort does not wait for a connection', async () => {
    const silent: Transport = { connect: () => new Promise(() => undefined) };
    const controller = new AbortController();
    const client = new Client({ host: 'tcp://192.0.2.1', transport: silent }).withSignal(controller.signal);
    const failure = client.text({ method: 'GET', path: '/x' });
    controller.abort();
    await expect(failure).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('integers keep their digits both ways', async () => {
    await using server = await serve(transport, (_request, socket) =>
      socket.write(sized('{"a":18446744073709551615}')),
    );
    const value = await server.client.json<{ a: bigint }>({ method: 'POST', path: '/x', json: { b: 2n ** 63n } });
    expect(value.a).toBe(18446744073709551615n);
    expect(server.state.requests[0]).toEndWith('{"b":9223372036854775808}');
  });
});
