/** Streams: back-pressure both ways, wait, events, progress. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Readable } from 'node:stream';
import type { EventMessage } from '../../src/api/types/events.ts';
import type { ProgressSink } from '../../src/api/types/progress.ts';
import { dial, readAll, readUntil, type Served, serve } from './support/served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const megabyte = 1024 * 1024;

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
}

/** Bytes of `total`, made on demand; `made` counts them. */
function source(total: number): { stream: Readable; made: () => number } {
  let made = 0;
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const stream = new Readable({
    read() {
      if (made >= total) this.push(null);
      else {
        made += chunk.length;
        this.push(chunk);
      }
    },
  });
  return { stream, made: () => made };
}

describe('back-pressure', () => {
  test('an export to a client that does not read stays at the source', async () => {
    const { stream, made } = source(1000 * megabyte);
    const own = await serve({ 'archive.export': async () => stream });
    const socket = await dial(own.path);
    socket.write(get('/containers/one/export'));
    await readUntil(socket, '\r\n\r\n');
    socket.pause();
    // Other requests go on, and the source stands still between two looks.
    let before = -1;
    for (let round = 0; round < 200 && before !== made(); round++) {
      before = made();
      for (let count = 0; count < 5; count++) await own.ask('GET', '/_ping');
    }
    expect(made()).toBeLessThan(4 * megabyte);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    socket.destroy();
    await closed;
    await own.close();
  });

  test('200 MB out and in, whole, in flat memory', async () => {
    const total = 200 * megabyte;
    const own = await serve({
      'archive.export': async () => source(total).stream,
      'images.load': async (archive: Readable, _options: unknown, progress: ProgressSink) => {
        let length = 0;
        for await (const chunk of archive) length += (chunk as Buffer).length;
        progress({ stream: String(length) });
      },
    });
    const before = process.memoryUsage().rss;
    const down = await dial(own.path);
    down.write(get('/containers/one/export').replace('HTTP/1.1', 'HTTP/1.0'));
    let received = 0;
    for await (const chunk of down) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(total);
    const up = await dial(own.path);
    const answer = readAll(up);
    up.write(`POST /images/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`);
    for await (const chunk of source(total).stream)
      if (!up.write(chunk as Buffer)) await new Promise((resolve) => up.once('drain', resolve));
    expect((await answer).toString()).toContain(`{"stream":"${total}"}`);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * megabyte);
    up.destroy();
    await own.close();
  });

  test('an upload to a backend that does not read stays at the client', async () => {
    let stream: Readable | undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = await serve({
      'images.load': async (archive: Readable) => {
        stream = archive;
        archive.read(0);
        await promise;
        for await (const _chunk of archive);
      },
    });
    const socket = await dial(own.path);
    const total = 50 * megabyte;
    socket.write(`POST /images/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`);
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    while (socket.write(chunk)) sent += chunk.length;
    sent += chunk.length;
    for (let count = 0; count < 50; count++) await own.ask('GET', '/_ping');
    expect(stream?.readableLength ?? 0).toBeLessThan(megabyte);
    const answer = readAll(socket);
    resolve();
    for (; sent < total; sent += chunk.length)
      if (!socket.write(chunk)) await new Promise((go) => socket.once('drain', go));
    expect((await answer).toString()).toContain('200 OK');
    await own.close();
  });
});

describe('wait', () => {
  test('subscribes, then sends the head, then the result', async () => {
    const order: string[] = [];
    const exit = Promise.withResolvers<{ StatusCode: number }>();
    const own = await serve({
      'state.wait': () => {
        order.push('subscribed');
        return { exit: exit.promise };
      },
    });
    const socket = await dial(own.path);
    socket.write('POST /containers/one/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n');
    const head = await readUntil(socket, '\r\n\r\n');
    order.push('head');
    expect(head).toContain('200 OK');
    exit.resolve({ StatusCode: 7 });
    expect(await readUntil(socket, '0\r\n\r\n')).toContain('{"StatusCode":7}\n');
    expect(order).toEqual(['subscribed', 'head']);
    socket.destroy();
    await own.close();
  });

  test('before 1.30 the head comes with the result', async () => {
    const answer = await served.ask('POST', '/v1.29/containers/one/wait?condition=nonsense');
    expect(answer.headers.get('content-length')).toBeDefined();
    expect(answer.body).toBe('{"StatusCode":3}\n');
  });

  test('a client that leaves ends the wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = await serve({
      'state.wait': (_id: string, _condition: string, signal: AbortSignal) => ({
        exit: new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            resolve();
            reject(new Error('cancelled'));
          });
        }),
      }),
    });
    const socket = await dial(own.path);
    socket.write('POST /containers/one/wait HTTP/1.1\r\nHost: x\r\n\r\n');
    await readUntil(socket, '\r\n\r\n');
    socket.destroy();
    await promise;
    await own.close();
  });
});

function event(index: number, more: Partial<EventMessage> = {}): EventMessage {
  return {
    Type: 'container',
    Action: 'start',
    Actor: { ID: `id${index}`, Attributes: { name: `n${index}`, image: 'busybox:latest' } },
    scope: 'local',
    time: 1_700_000_000 + index,
    timeNano: (1_700_000_000n + BigInt(index)) * 1_000_000_000n + 1n,
    ...more,
  };
}

describe('events', () => {
  async function replay(query: string, ...events: EventMessage[]): Promise<string[]> {
    const own = await serve();
    for (const one of events) own.publish(one);
    const answer = await own.ask('GET', `/v1.52/events?${query}`);
    await own.close();
    return answer.body.split('\n').filter(Boolean);
  }

  test('the past, between bounds, with exact time', async () => {
    const lines = await replay('since=1700000002&until=1700000003.000000001', event(1), event(2), event(3), event(4));
    expect(lines.map((line) => (JSON.parse(line) as EventMessage).Actor.ID)).toEqual(['id2', 'id3']);
    expect(lines[0]).toContain('"timeNano":1700000002000000001}');
  });

  test('without since only what comes, at once, until the client leaves', async () => {
    const own = await serve();
    own.publish(event(1));
    const socket = await dial(own.path);
    socket.write(get('/events'));
    await readUntil(socket, '\r\n\r\n');
    own.publish(event(2));
    const text = await readUntil(socket, 'id2');
    expect(text).not.toContain('id1');
    expect(text).toContain('{"Type":"container","Action":"start"');
    expect(own.listeners()).toBe(1);
    socket.end();
    await readUntil(socket, '0\r\n\r\n');
    expect(own.listeners()).toBe(0);
    socket.destroy();
    await own.close();
  });

  test('the type that a client of 1.52 asks for', async () => {
    const own = await serve();
    own.publish(event(1));
    for (const [version, accept, type, start] of [
      ['1.52', 'application/json-seq', 'application/json-seq', '\x1e{'],
      ['1.52', 'application/x-ndjson;q=0.9, text/plain', 'application/x-ndjson', '{'],
      ['1.52', '*/*', 'application/json', '{'],
      ['1.51', 'application/json-seq', 'application/json', '{'],
    ] as const) {
      const answer = await own.ask('GET', `/v${version}/events?until=1750000000`, undefined, { Accept: accept });
      expect(answer.headers.get('content-type')).toBe(type);
      expect(answer.body).toStartWith(start);
    }
    await own.close();
  });

  test('images made here are told of since 1.46', async () => {
    const own = await serve();
    own.publish(event(1, { Type: 'image', Action: 'create' }));
    for (const [version, count] of [
      ['1.45', 0],
      ['1.46', 1],
    ] as const) {
      const { body } = await own.ask('GET', `/v${version}/events?until=1750000000`);
      expect(body.split('\n').filter(Boolean)).toHaveLength(count);
    }
    await own.close();
  });

  test('until in the future ends the stream', async () => {
    const own = await serve();
    const answer = own.ask('GET', `/events?until=${(Date.now() + 200) / 1000}`);
    own.publish(event(1));
    expect((await answer).status).toBe(200);
    await own.close();
  });

  test('old clients get three more keys, of containers and images only', async () => {
    const own = await serve();
    own.publish(event(1));
    own.publish(event(2, { Type: 'network', Action: 'connect' }));
    const lines = (await own.ask('GET', '/v1.51/events?until=1750000000')).body.split('\n');
    expect(lines[0]).toStartWith(
      '{"status":"start","id":"id1","from":"busybox:latest","Type":"container","Action":"start"',
    );
    expect(lines[1]).toStartWith('{"Type":"network","Action":"connect"');
    await own.close();
  });

  const health = event(5, { Action: 'health_status: healthy' });
  const labelled = event(6, { Actor: { ID: 'x', Attributes: { a: 'b' } } });
  for (const [filters, expected] of [
    ['{"type":["container"]}', 4],
    ['{"type":{"network":true}}', 1],
    ['{"event":["start"]}', 3],
    ['{"event":["health_status"]}', 1],
    ['{"event":["health_status: healthy"]}', 1],
    ['{"container":["id1","n2"]}', 2],
    ['{"container":["id"]}', 3],
    ['{"image":["busybox"]}', 3],
    ['{"image":["busybox:latest"]}', 3],
    ['{"label":["a=b"]}', 1],
    ['{"label":["a"],"type":["network"]}', 0],
    ['{"scope":["swarm"]}', 0],
    ['{"daemon":["x"]}', 0],
    ['{"unknown":["x"]}', 5],
  ] as const)
    test(`filter ${filters}`, async () => {
      const net = event(4, {
        Type: 'network',
        Action: 'connect',
        Actor: { ID: 'net', Attributes: { name: 'bridge' } },
      });
      const query = `until=1750000000&filters=${encodeURIComponent(filters)}`;
      expect(await replay(query, event(1), event(2), net, health, labelled)).toHaveLength(expected);
    });
});

describe('progress', () => {
  test('a failure before the first message is a status, a later one ends the stream', async () => {
    const own = await serve({
      'images.pull': async (options: { reference: string }, progress: ProgressSink) => {
        if (options.reference === 'late') progress({ status: 'Pulling' });
        throw new Error('manifest unknown');
      },
    });
    const early = await own.ask('POST', '/images/create?fromImage=early');
    expect([early.status, early.body]).toEqual([500, '{"message":"manifest unknown"}\n']);
    const late = await own.ask('POST', '/images/create?fromImage=late');
    expect(late.status).toBe(200);
    expect(late.body).toBe(
      '{"status":"Pulling"}\r\n{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\r\n',
    );
    await own.close();
  });

  test('load tells its failure inside', async () => {
    const own = await serve({
      'images.load': async () => {
        throw new Error('unexpected EOF');
      },
    });
    const answer = await own.ask('POST', '/images/load', 'x');
    expect([answer.status, answer.body]).toEqual([
      200,
      '{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}\r\n',
    ]);
    await own.close();
  });

  test('a slow client gets the last state of each item, and every word', async () => {
    const count = 200_000;
    const own = await serve({
      'images.pull': async (_options: unknown, progress: ProgressSink) => {
        for (let index = 0; index < count; index++)
          progress({
            status: 'Downloading',
            id: `layer${index % 3}`,
            progressDetail: { current: index, total: count },
          });
        progress({ status: 'Digest: x' });
        progress({ status: 'Status: done' });
      },
    });
    const answer = await own.ask('POST', '/images/create?fromImage=a');
    const lines = answer.body.split('\r\n').filter(Boolean);
    expect(lines.length).toBeLessThan(count / 10);
    expect(lines.slice(-2)).toEqual(['{"status":"Digest: x"}', '{"status":"Status: done"}']);
    expect(lines.at(-3)).toContain(`"current":${count - 1}`);
    await own.close();
  });
});
