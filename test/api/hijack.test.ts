/** Attach and exec take the connection out of HTTP, with and without Upgrade, whatever came before on it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Duplex, PassThrough } from 'node:stream';
import { BerthError } from '../../src/api/errors.ts';
import { encodeFrame } from '../../src/wire/stdcopy.ts';
import { attached, failing } from './support/fake-backends.ts';
import { dial, parseAnswer, readAll, readUntil, type Served, serve } from './support/served.ts';

const attach = 'POST /v1.47/containers/one/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n';
const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const oldHead = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n';
const newHead = 'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

/** One attach to the echo: `payload` and an end of stdin, everything that comes back after the head. */
async function roundTrip(path: string, request: string, payload: Buffer): Promise<{ head: string; body: Buffer }> {
  const socket = await dial(path);
  const all = readAll(socket);
  socket.write(request);
  socket.end(payload);
  const raw = await all;
  const end = raw.indexOf('\r\n\r\n');
  return { head: raw.toString('latin1', 0, end + 2), body: raw.subarray(end + 4) };
}

describe('attach', () => {
  for (const [style, extra, head] of [
    ['without Upgrade', '', oldHead],
    ['with Upgrade', upgrade, newHead],
  ] as const) {
    test(`${style}: a thousand times, stdin ends, all comes back`, async () => {
      const payload = Buffer.alloc(3000, 'x');
      let right = 0;
      const one = async (): Promise<void> => {
        const answer = await roundTrip(served.path, `${attach}${extra}\r\n`, payload);
        if (answer.head.startsWith(head) && answer.body.equals(payload)) right++;
      };
      for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 20 }, one));
      expect(right).toBe(1000);
    });

    test(`${style}: bytes that came with the request are the stream's`, async () => {
      const socket = await dial(served.path);
      const all = readAll(socket);
      socket.write(`${attach}${extra}\r\nearly `);
      await readUntil(socket, 'early ').catch(() => {});
      socket.end('late');
      expect(parseBody(await all)).toEndWith('early late');
    });

    test(`${style}: a body of known length is not input`, async () => {
      const answer = await roundTrip(
        served.path,
        `${attach}${extra}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"stream":1}\n`,
        Buffer.from('input'),
      );
      expect(answer.body.toString()).toBe('input');
    });

    test(`${style}: after other requests on the same connection, pipelined`, async () => {
      const socket = await dial(served.path);
      const all = readAll(socket);
      const ping = 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n';
      socket.write(
        `${ping}${ping}POST /v1.47/containers/one/start HTTP/1.1\r\nHost: x\r\n\r\n${attach}${extra}\r\nhello`,
      );
      socket.end();
      const text = (await all).toString('latin1');
      expect(text.match(/HTTP\/1\.1 200 OK\r\nApi-Version/g)?.length).toBe(2);
      expect(text).toContain('HTTP/1.1 204 No Content');
      expect(text.slice(text.lastIndexOf('HTTP/1.1'))).toStartWith(head);
      expect(text).toEndWith('\r\n\r\nhello');
    });

    test(`${style}: a failure before is an answer, and the connection goes on`, async () => {
      const own = await serve({ 'streams.attach': failing(new BerthError('not-found', 'No such container: one')) });
      const socket = await dial(own.path);
      socket.write(`${attach}${extra}\r\n`);
      expect(await readUntil(socket, 'such container')).toStartWith('HTTP/1.1 404 Not Found');
      socket.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(await readUntil(socket, '\r\n\r\nOK')).toContain('200 OK');
      socket.destroy();
      await own.close();
    });
  }

  test('before 1.42 a multiplexed stream has the raw name', async () => {
    const answer = await roundTrip(served.path, `${attach.replace('1.47', '1.41')}${upgrade}\r\n`, Buffer.from('x'));
    expect(answer.head).toStartWith('HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n');
  });

  test('the end of the process closes the connection after all output, while stdin is open', async () => {
    const stream = new PassThrough();
    const own = await serve({ 'streams.attach': async () => attached(stream) });
    const socket = await dial(own.path);
    const all = readAll(socket);
    socket.write(`${attach}\r\n`);
    stream.end(Buffer.alloc(1_000_000, 'o'));
    expect(parseBody(await all).length).toBe(1_000_000);
    socket.end();
    await own.close();
  });

  test('output goes on after the end of stdin', async () => {
    const toProcess = new PassThrough();
    const fromProcess = new PassThrough();
    const stream = new Duplex({
      read() {
        fromProcess.on('data', (chunk) => this.push(chunk));
        fromProcess.on('end', () => this.push(null));
      },
      write(chunk, _encoding, done) {
        toProcess.write(chunk, done);
      },
      final(done) {
        toProcess.end(done);
      },
    });
    const own = await serve({ 'streams.attach': async () => attached(stream) });
    const socket = await dial(own.path);
    const all = readAll(socket);
    socket.write(`${attach}\r\n`);
    socket.end('input');
    const input: Buffer[] = [];
    for await (const chunk of toProcess) input.push(chunk as Buffer);
    expect(Buffer.concat(input).toString()).toBe('input');
    fromProcess.end('output after the end of input');
    expect(parseBody(await all)).toBe('output after the end of input');
    await own.close();
  });

  test('a client that leaves takes the stream down, not the process', async () => {
    const stream = new PassThrough();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    const own = await serve({ 'streams.attach': async () => attached(stream) });
    const socket = await dial(own.path);
    socket.write(`${attach}\r\n`);
    await readUntil(socket, 'raw-stream');
    socket.destroy();
    await closed;
    await own.close();
  });

  test('detach keys leave a terminal', async () => {
    let left = 0;
    const typed: string[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        typed.push(String(chunk));
        done();
      },
    });
    const own = await serve({ 'streams.attach': async () => ({ stream, terminal: true, detached: () => left++ }) });
    const socket = await dial(own.path);
    const all = readAll(socket);
    socket.write(`${attach}\r\n`);
    socket.write('ab\x10');
    socket.write('c\x10\x11never');
    expect(parseBody(await all)).toBe('');
    expect(typed.join('')).toBe('ab\x10c');
    expect(left).toBe(1);
    expect(stream.destroyed).toBe(true);
    socket.end();
    await own.close();
  });

  test('stdin is read over where it was not asked for', async () => {
    const stream = new PassThrough();
    const own = await serve({ 'streams.attach': async () => attached(stream) });
    const socket = await dial(own.path);
    const all = readAll(socket);
    socket.write(`${attach.replace('stdin=1', 'stdin=0')}\r\nignored`);
    socket.end();
    stream.write('still here');
    await readUntil(socket, 'still here').catch(() => {});
    stream.end();
    expect(parseBody(await all)).toBe('still here');
    await own.close();
  });
});

describe('exec start', () => {
  const body = '{"Detach":false,"Tty":false}';
  const request = `POST /exec/f/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;

  test('with its body, both styles, a thousand times', async () => {
    let right = 0;
    const one = async (extra: string): Promise<void> => {
      const { body: echoed } = await roundTrip(served.path, `${request}${extra}\r\n${body}`, Buffer.from('payload'));
      if (echoed.toString() === 'payload') right++;
    };
    for (let round = 0; round < 50; round++)
      await Promise.all(Array.from({ length: 20 }, (_, index) => one(index % 2 ? upgrade : '')));
    expect(right).toBe(1000);
  });

  test('a body in pieces, then raw bytes at once', async () => {
    const socket = await dial(served.path);
    const all = readAll(socket);
    socket.write(`${request}${upgrade}\r\n${body.slice(0, 5)}`);
    await Promise.resolve();
    socket.write(`${body.slice(5)}raw`);
    socket.end();
    expect(parseBody(await all)).toBe('raw');
  });

  test('a chunked body, then raw bytes', async () => {
    const socket = await dial(served.path);
    const all = readAll(socket);
    socket.write(
      `POST /exec/f/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${upgrade}\r\n2\r\n{}\r\n0\r\n\r\nraw`,
    );
    socket.end();
    expect(parseBody(await all)).toBe('raw');
  });

  test('a failure after the hijack is the output', async () => {
    const own = await serve({ 'exec.start': failing(new BerthError('internal', 'OCI runtime exec failed')) });
    const { body: output } = await roundTrip(own.path, `${request}\r\n${body}`, Buffer.alloc(0));
    expect(output.toString('latin1')).toBe('\x01\0\0\0\0\0\0\x19OCI runtime exec failed\r\n');
    await own.close();
  });

  for (const [terminal, asked, expected] of [
    [true, true, 'out'],
    [true, false, '\x01\0\0\0\0\0\0\x03out'],
    [false, false, 'out'],
  ] as const)
    test(`terminal ${terminal}, asked for ${asked}: the form is what was asked for`, async () => {
      const stream = new PassThrough();
      const own = await serve({ 'exec.start': async () => attached(stream, terminal) });
      const text = JSON.stringify({ Tty: asked });
      const socket = await dial(own.path);
      const all = readAll(socket);
      socket.write(
        `POST /exec/f/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
      stream.end('out');
      expect(parseBody(await all)).toBe(expected);
      socket.end();
      await own.close();
    });

  test('frames become bare bytes for a client that asked for a terminal', async () => {
    const stream = new PassThrough();
    const own = await serve({ 'exec.start': async () => attached(stream, false) });
    const frames = Buffer.concat([encodeFrame(1, Buffer.from('out')), encodeFrame(2, Buffer.from('err'))]);
    stream.write(frames.subarray(0, 5));
    stream.end(frames.subarray(5));
    const text = '{"Tty":true}';
    const { body: output } = await roundTrip(
      own.path,
      `POST /exec/f/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      Buffer.alloc(0),
    );
    expect(output.toString()).toBe('outerr');
    await own.close();
  });

  test('detached is an ordinary answer', async () => {
    const answer = await served.ask('POST', '/exec/f/start', { Detach: true });
    expect(answer.status).toBe(200);
  });
});

/** What follows the head. */
function parseBody(raw: Buffer): string {
  parseAnswer(raw);
  return raw.toString('latin1', raw.indexOf('\r\n\r\n') + 4);
}

test('output that is there at once does not come with the head (docker-py would lose it)', async () => {
  for (let round = 0; round < 20; round++) {
    const stream = new PassThrough();
    stream.end('at once');
    const own = await serve({ 'streams.attach': async () => attached(stream) });
    const socket = await dial(own.path);
    const chunks: string[] = [];
    socket.on('data', (chunk) => chunks.push(chunk.toString()));
    const ended = new Promise((resolve) => socket.once('end', resolve));
    socket.write(`${attach}\r\n`);
    await ended;
    expect(chunks[0]).toEndWith('\r\n\r\n');
    expect(chunks.slice(1).join('')).toBe('at once');
    socket.end();
    await own.close();
  }
});
