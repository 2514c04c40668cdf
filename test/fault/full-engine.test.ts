/**
 * An engine whose data root is full: what does not fit fails in Docker's words and leaves nothing, what runs goes on, what makes room works.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TestEngine } from '../support/engine.ts';
import { claimIdentity } from '../support/identity.ts';
import { imageFixture } from '../support/image-fixture.ts';
import { busyboxArchive, dockerArchive } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

const megabyte = 1024 * 1024;
const noSpace = 'no space left on device';

let disk: SmallDisk;
let engine: TestEngine;
let registry: TestRegistry;
let imagesBefore: string;

beforeAll(async () => {
  disk = await SmallDisk.make({ bytes: 96 * megabyte });
  const identity = claimIdentity();
  mkdirSync(dirname(identity.dataRoot), { recursive: true });
  mkdirSync(join(disk.path, 'data'));
  symlinkSync(join(disk.path, 'data'), identity.dataRoot);
  engine = new TestEngine(identity, {});
  await engine.start();
  await engine.load(busyboxArchive());
  registry = await TestRegistry.start();
});
afterAll(async () => {
  await engine.cleanUp();
  await registry.stop();
  await disk.remove();
});

const filler = (): string => join(disk.path, 'filler');
const left = (directory: string): string[] => readdirSync(join(engine.identity.dataRoot, directory)).sort();
const everything = (): string =>
  ['layers', 'tmp', 'downloads', 'containers', 'volumes', 'blobs'].map((name) => left(name).join()).join(' ');

/** Takes all room but so many bytes. */
function fill(leaving: number): void {
  rmSync(filler(), { force: true });
  while (disk.free > leaving + 4096) {
    try {
      writeFileSync(filler(), Buffer.alloc(Math.min(megabyte, disk.free - leaving)), { flag: 'a' });
    } catch {
      // The file system keeps a little for itself.
      return;
    }
  }
}

async function images(): Promise<string> {
  const list = (await (await engine.request('GET', '/images/json?all=1')).json()) as { Id: string }[];
  return list
    .map(({ Id }) => Id)
    .sort()
    .join();
}

beforeEach(async () => {
  imagesBefore = await images();
});
afterEach(async () => {
  rmSync(filler(), { force: true });
  await engine.removeContainers();
  await engine.expectNoLeaks();
  expect(await images()).toBe(imagesBefore);
  expect(await engine.ok('run', '--rm', 'busybox', 'echo', 'works')).toBe('works');
});

test('commit', async () => {
  await engine.ok('run', '-d', '--name', 'big', 'busybox', 'sh', '-c', 'head -c 30m /dev/urandom >/big; sleep 1000');
  await until(
    'its file',
    async () => (await engine.berth('exec', 'big', 'sh', '-c', '[ $(wc -c </big) = 31457280 ]')).code === 0,
  );
  fill(10 * megabyte);
  const before = everything();
  const response = await engine.request('POST', '/commit?container=big&repo=made');
  expect({ status: response.status, text: await response.text() }).toEqual({
    status: 500,
    text: expect.stringContaining(noSpace),
  });
  await until('its pieces to be gone', () => everything() === before);
  expect((await engine.inspect('big')).State).toMatchObject({ Running: true, Paused: false });
});

test('load', async () => {
  fill(10 * megabyte);
  const before = everything();
  const archive = dockerArchive({
    tags: ['big:1'],
    layers: [tar([{ name: 'big', content: randomBytes(20 * megabyte) }])],
  });
  const response = await engine.request('POST', '/images/load', archive, { 'content-type': 'application/x-tar' });
  expect(await response.text()).toContain(noSpace);
  await until('its pieces to be gone', () => everything() === before);
});

test('pull', async () => {
  const image = imageFixture({
    layers: [[{ name: 'big', content: randomBytes(10 * megabyte).toString('hex') }]],
    compression: 'none',
  });
  const name = registry.add('app/big', 'latest', image);
  for (const room of [5, 28]) {
    fill(room * megabyte);
    const before = left('layers').join();
    const response = await engine.request('POST', `/images/create?fromImage=${encodeURIComponent(name)}`);
    expect(await response.text()).toContain(noSpace);
    await until('its pieces to be gone', () => left('layers').join() === before && left('tmp').length === 0);
  }
});

test('create, start, rm, and an exit in between', async () => {
  await engine.ok(
    'run',
    '-d',
    '--name',
    'ending',
    'busybox',
    'sh',
    '-c',
    'until [ -e /dev/shm/go ]; do usleep 1000; done; exit 7',
  );
  await engine.ok('create', '--name', 'leaving', 'busybox');
  const { Pid } = (await engine.inspect('ending')).State;
  fill(0);
  const before = everything();
  const response = await engine.request('POST', '/containers/create?name=full', { Image: 'busybox', Cmd: ['true'] });
  const refusal = await response.text();
  expect(refusal).toContain(noSpace);
  await until('its pieces to be gone', () => everything() === before);
  expect(await engine.ok('ps', '-aq')).toHaveLength(25);

  await Bun.write(`/proc/${Pid}/root/dev/shm/go`, '');
  expect(await engine.ok('wait', 'ending')).toBe('7');
  expect((await engine.inspect('ending')).State).toMatchObject({ Status: 'exited', ExitCode: 7 });
  // What makes room works without any.
  await engine.ok('rm', 'leaving');
  expect((await engine.request('GET', '/containers/leaving/json')).status).toBe(404);
  await engine.kill9();
  rmSync(filler());
  await engine.start();
  expect((await engine.inspect('ending')).State).toMatchObject({ Status: 'exited', ExitCode: 7 });
});

test('a container that writes its log goes on, and logs again when there is room', async () => {
  const script = 'i=0; while :; do echo $i; i=$((i+1)); echo $i >/dev/shm/count; usleep 2000; done';
  await engine.ok('run', '-d', '--name', 'writer', 'busybox', 'sh', '-c', script);
  const { Pid } = (await engine.inspect('writer')).State;
  const count = async (): Promise<number> => Number(await Bun.file(`/proc/${Pid}/root/dev/shm/count`).text());
  await until('it to write', async () => (await count()) > 10);
  fill(0);
  const filled = await count();
  await until('it to go on', async () => (await count()) > filled + 1000);
  expect((await engine.inspect('writer')).State.Running).toBe(true);
  await engine.ok('ps');
  rmSync(filler());
  const freed = await count();
  await until('new lines in its log', async () => {
    const last = (await engine.ok('logs', '--tail', '1', 'writer')).split('\n').at(-1);
    return Number(last) > freed;
  });
});

test('a volume and a network', async () => {
  await engine.ok('volume', 'create', 'before');
  await engine.ok('network', 'create', 'before');
  fill(0);
  for (const path of ['/volumes/create', '/networks/create']) {
    const response = await engine.request('POST', path, { Name: 'full' });
    expect({ status: response.status, text: await response.text() }).toEqual({
      status: 500,
      text: expect.stringContaining(noSpace),
    });
  }
  await engine.ok('volume', 'rm', 'before');
  await engine.ok('network', 'rm', 'before');
  rmSync(filler());
  expect(((await (await engine.request('GET', '/volumes')).json()) as { Volumes: unknown[] }).Volumes).toEqual([]);
  expect(left('volumes')).toEqual([]);
  expect(await (await engine.request('GET', '/networks')).json()).toHaveLength(3);
});
