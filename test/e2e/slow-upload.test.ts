/** A client that sends files slowly, or not at all any more, into a container that does not run holds up nobody else. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp());

/** The beginning of an archive with one file of a megabyte, of which a part is sent. */
async function beginUpload(container: string): Promise<{ socket: Socket; answer: () => string }> {
  const archive = tar([{ name: 'big', content: 'x'.repeat(1_000_000) }]);
  const socket = connect(engine.identity.socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => undefined);
  const head = ['Host: engine', 'Content-Type: application/x-tar', `Content-Length: ${archive.length}`].join('\r\n');
  socket.write(`PUT /containers/${container}/archive?path=/ HTTP/1.1\r\n${head}\r\n\r\n`);
  socket.write(archive.subarray(0, 2000));
  // The child that unpacks is at work.
  await until(
    'the upload to begin',
    async () => (await Bun.$`pgrep -f ${`${container}.*write`}`.nothrow().quiet()).exitCode === 0,
  );
  return { socket, answer: () => text };
}

test('ps, inspect, rename, another upload’s container and rm -f do not wait for it', async () => {
  const id = await engine.ok('create', '--name', 'slow', 'busybox', 'true');
  const upload = await beginUpload(id);
  expect(await engine.ok('ps', '-aq', '--no-trunc')).toBe(id);
  await engine.ok('rename', 'slow', 'renamed');
  await engine.ok('update', '--restart', 'always', 'renamed');
  expect((await engine.inspect('renamed')).State.Status).toBe('created');
  await engine.ok('run', '--rm', 'busybox', 'true');
  // Nobody had to give up on it first.
  expect(upload.answer()).toBe('');
  await engine.ok('rm', '-f', 'renamed');
  await until('the client to be told', () => upload.answer().includes(' 404 '));
  upload.socket.destroy();
});

test('a start waits for who still sends, and gives up on who does not', async () => {
  const id = await engine.ok('create', '--name', 'stalled', 'busybox', 'sleep', '1000');
  const upload = await beginUpload(id);
  await engine.ok('start', 'stalled');
  await until('the client to be told', () => upload.answer().includes(' 500 '));
  upload.socket.destroy();
  expect((await engine.inspect('stalled')).State.Running).toBe(true);
});

test('two uploads come one after the other, and a start after both', async () => {
  await engine.ok('create', '--name', 'both', 'busybox', 'sh', '-c', 'cat /one /two');
  const put = async (name: string): Promise<number> => {
    const archive = tar([{ name, content: `${name}\n` }]);
    return (await engine.request('PUT', '/containers/both/archive?path=/', new Blob([archive]))).status;
  };
  expect(await Promise.all([put('one'), put('two')])).toEqual([200, 200]);
  expect(await engine.ok('start', '-a', 'both')).toBe('one\ntwo');
});
