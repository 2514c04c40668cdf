/** HTTP/1.1 as the server speaks it: framing, pipelining, limits, and what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Readable } from 'node:stream';
import { dial, parseAnswer, readAll, readUntil, type Served, serve } from './support/served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const ping = 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n';

/** Sends bytes, ends, and gives all that comes back. */
async function exchange(...pieces: (string | Buffer)[]): Promise<string> {
  const socket = await dial(served.path);
  const all = readAll(socket);
  for (const piece of pieces) socket.write(piece);
  socket.end();
  return (await all).toString('latin1');
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}

describe('framing', () => {
  test('a thousand pipelined requests in one write, answered in order', async () => {
    const text = await exchange(ping.repeat(1000));
    expect(statuses(text).filter((status) => status === 200)).toHaveLength(1000);
  });

  test('a request that comes byte by byte', async () => {
    const socket = await dial(served.path);
    for (const byte of ping) socket.write(byte);
    expect(await readUntil(socket, '\r\n\r\nOK')).toContain('200 OK');
    socket.destroy();
  });

  test('bodies with a length and in chunks, between other requests', async () => {
    const body = '{"Image":"busybox","Labels":{"k":"v"}}';
    const head = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('');
    const text = await exchange(
      ping,
      `${head}Content-Length: ${body.length}\r\n\r\n${body}`,
      ping,
      `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\nX-Trailer: y\r\n\r\n`,
      ping,
    );
    expect(statuses(text)).toEqual([200, 201, 200, 201, 200]);
    const creates = served.calls.filter((call) => call.verb === 'lifecycle.create').slice(-2);
    for (const call of creates)
      expect(call.arguments[0]).toMatchObject({ config: { Image: 'busybox', Labels: { k: 'v' } } });
  });

  test('chunk extensions and upper-case sizes', async () => {
    const text = await exchange(
      'PUT /containers/x/archive?path=/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nA;a=b\r\n0123456789\r\n0\r\n\r\n',
      ping,
    );
    expect(statuses(text)).toEqual([200, 200]);
  });

  test('100 Continue before the body is sent, and not when nobody reads it', async () => {
    const socket = await dial(served.path);
    socket.write(
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(await readUntil(socket, '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{"Image":"a"}');
    expect(await readUntil(socket, '\r\n\r\n')).toContain('201 Created');
    socket.write('POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n');
    const refused = await readUntil(socket, 'page not found');
    expect(refused).toContain('404');
    expect(refused).not.toContain('100 Continue');
    socket.destroy();
  });

  test('a body that nobody wants is read over', async () => {
    const text = await exchange(
      `POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`,
      Buffer.alloc(100_000),
      ping,
    );
    expect(statuses(text)).toEqual([404, 200]);
  });

  test('a large body that nobody wants ends the connection after the answer', async () => {
    const text = await exchange(
      `POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n`,
      Buffer.alloc(2_000_000),
    );
    expect(statuses(text)).toEqual([404]);
  });

  test('HTTP/1.0 gets one answer without chunks', async () => {
    const text = await exchange('GET /containers/x/logs?stdout=1 HTTP/1.0\r\n\r\n', ping);
    expect(statuses(text)).toEqual([200]);
    expect(text).not.toContain('Transfer-Encoding');
    expect(text).toEndWith('\r\n\r\nlog');
  });

  test('Connection: close is obeyed', async () => {
    const text = await exchange('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', ping);
    expect(statuses(text)).toEqual([200]);
    expect(text).toContain('Connection: close\r\n');
  });

  test('HEAD has no body', async () => {
    const text = await exchange('HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n', ping);
    expect(statuses(text)).toEqual([200, 200]);
    expect(text.match(/\r\n\r\nOK/g)).toHaveLength(1);
  });

  test('an absolute target, OPTIONS, and a path that needs cleaning', async () => {
    expect(statuses(await exchange('GET http://host/_ping HTTP/1.1\r\nHost: x\r\n\r\n'))).toEqual([200]);
    expect(statuses(await exchange('OPTIONS /anything HTTP/1.1\r\nHost: x\r\n\r\n'))).toEqual([200]);
    expect(await exchange('GET //containers//json?all=1 HTTP/1.1\r\nHost: x\r\n\r\n')).toContain(
      '301 Moved Permanently\r\nLocation: /containers/json?all=1',
    );
  });
});

describe('limits', () => {
  test('a head of 900 KiB passes, one beyond a MiB is refused', async () => {
    const head = (size: number) => `GET /_ping HTTP/1.1\r\nHost: x\r\nX-Registry-Config: ${'a'.repeat(size)}\r\n\r\n`;
    expect(statuses(await exchange(head(900 * 1024)))).toEqual([200]);
    expect(statuses(await exchange(head(1100 * 1024)))).toEqual([431]);
  });

  test('five hundred headers', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `X-${index}: ${index}\r\n`).join('');
    expect(statuses(await exchange(`GET /_ping HTTP/1.1\r\nHost: x\r\n${lines}\r\n`))).toEqual([200]);
  });

  test('a JSON body beyond 8 MiB is 413', async () => {
    const body = `{"Image":"${'a'.repeat(9 * 1024 * 1024)}"}`;
    const answer = await served.ask('POST', '/containers/create', body);
    expect(answer.status).toBe(413);
  });
});

describe('refused', () => {
  for (const [name, request, status] of [
    ['garbage', '\x16\x03\x01\x02\x00garbage\r\n\r\n', 400],
    ['HTTP/2 without negotiation', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['no Host', 'GET /_ping HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET /_ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['a folded header', 'GET /_ping HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400],
    ['a blank before the colon', 'GET /_ping HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n', 400],
    ['a NUL in a value', 'GET /_ping HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n', 400],
    [
      'length and chunks',
      'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['two lengths', 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    ['a negative length', 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
    ['another encoding', 'POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
    ['another expectation', 'POST /a HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n', 417],
  ] as const)
    test(name, async () => {
      const text = await exchange(request, ping);
      expect(statuses(text)).toEqual([status]);
      expect(text).toContain('Connection: close\r\n');
    });

  test('a bad chunk size in the middle of an upload', async () => {
    const own = await serve({
      'archive.write': async (_id: string, _path: string, content: Readable) => {
        for await (const _chunk of content);
      },
    });
    const socket = await dial(own.path);
    const all = readAll(socket);
    socket.write(
      'PUT /containers/x/archive?path=/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
    );
    expect(parseAnswer(await all).status).toBe(400);
    socket.end();
    await own.close();
  });

  test('an upload that breaks off fails the reader', async () => {
    const failures: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = await serve({
      'archive.write': async (_id: string, _path: string, content: Readable) => {
        try {
          for await (const _chunk of content);
        } catch (error) {
          failures.push(error);
          resolve();
          throw error;
        }
      },
    });
    const socket = await dial(own.path);
    socket.write('PUT /containers/x/archive?path=/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc');
    await own.ask('GET', '/_ping');
    socket.destroy();
    await promise;
    expect(String(failures[0])).toContain('unexpected EOF');
    await own.close();
  });
});

describe('a client that leaves', () => {
  for (const [name, leave] of [
    ['by closing', 'destroy'],
    ['by closing its half', 'end'],
  ] as const)
    test(`${name} aborts what runs for it`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const own = await serve({
        'images.pull': (_options: unknown, _progress: unknown, signal: AbortSignal) =>
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              resolve();
              reject(new Error('cancelled'));
            });
          }),
      });
      const socket = await dial(own.path);
      socket.write('POST /images/create?fromImage=a HTTP/1.1\r\nHost: x\r\n\r\n');
      await own.ask('GET', '/_ping');
      socket[leave]();
      await promise;
      socket.destroy();
      await own.close();
    });
});

test('a client that closed its half still reads its error', async () => {
  const socket = await dial(served.path);
  const all = readAll(socket);
  socket.end('GET /v1.99/version HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(parseAnswer(await all).status).toBe(400);
});

test('a small answer takes less than half a millisecond', async () => {
  const socket = await dial(served.path);
  socket.setNoDelay(true);
  const times: number[] = [];
  for (let round = 0; round < 500; round++) {
    const begin = performance.now();
    socket.write(ping);
    await readUntil(socket, '\r\n\r\nOK');
    times.push(performance.now() - begin);
  }
  socket.destroy();
  times.sort((a, b) => a - b);
  // The fastest tenth: others may use the processors meanwhile.
  expect(times[times.length / 10]).toBeLessThan(0.5);
});
