/** Builds that are cut short: by the death of the engine, by a full disk. Nothing of them is left, and what was done before stays known. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startEngine, TestEngine } from '../support/engine.ts';
import { claimIdentity } from '../support/identity.ts';
import { busyboxArchive } from '../support/images.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
const context = mkdtempSync('/tmp/berth-build-fault-');

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.removeContainers());
afterAll(async () => {
  rmSync(context, { recursive: true });
  await engine.cleanUp();
}, 300_000);

const entries = (path: string): string[] => readdirSync(path);
const running = (): string[] => entries(join(engine.identity.execRoot, 'containers'));
const layers = (): number => entries(join(engine.identity.dataRoot, 'layers')).length;
const temporary = (): string[] => entries(join(engine.identity.dataRoot, 'tmp'));

function dockerfile(...lines: string[]): void {
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
}

test('the engine dies while a step runs', async () => {
  const before = layers();
  dockerfile('FROM busybox', 'RUN echo first > /first', 'RUN echo second > /second; sleep 1000');
  const client = engine.spawn('berth', 'build', '--progress', 'plain', context);
  await until('the second step to run', () => layers() >= before + 2 && running().length === 1);
  await engine.kill9();
  await client.kill();
  await engine.start();
  await until(
    'what it left to be gone',
    () => running().length === 0 && temporary().length === 0 && layers() <= before + 1,
  );
  dockerfile('FROM busybox', 'RUN echo first > /first', 'RUN echo second > /second');
  expect(await engine.ok('run', '--rm', await engine.ok('build', '-q', context), 'cat', '/first', '/second')).toBe(
    'first\nsecond',
  );
});

test('what was done before a failure is not done again', async () => {
  dockerfile('FROM busybox', 'RUN echo kept > /kept', 'RUN false');
  expect((await engine.berth('build', context)).code).toBe(1);
  await engine.kill9();
  await engine.start();
  const { stderr } = await engine.berth('build', '--progress', 'plain', context);
  expect(stderr.match(/CACHED/g)).toHaveLength(1);
});

test('what a long build has done is not done again when the engine dies', async () => {
  dockerfile('FROM busybox', 'RUN echo saved > /saved', 'RUN sleep 1000');
  const client = engine.spawn('berth', 'build', '--progress', 'plain', context);
  await until('the first step to be written down', async () => {
    const answer = await fetch('http://engine/system/df', { unix: engine.identity.socket });
    const { BuildCache } = (await answer.json()) as { BuildCache: { Description: string }[] };
    return BuildCache.some(({ Description }) => Description.includes('echo saved'));
  });
  await engine.kill9();
  await client.kill();
  await engine.start();
  await until('what it left to be gone', () => running().length === 0);
  dockerfile('FROM busybox', 'RUN echo saved > /saved', 'RUN true');
  expect((await engine.berth('build', '--progress', 'plain', context)).stderr.match(/CACHED/g)).toHaveLength(1);
});

test('an image of a build survives the engine, and its cache with it', async () => {
  dockerfile('FROM busybox', 'RUN echo lasting > /lasting', 'CMD ["cat", "/lasting"]');
  const id = await engine.ok('build', '-q', '-t', 'lasting', context);
  await engine.kill9();
  await engine.start();
  expect(await engine.ok('run', '--rm', 'lasting')).toBe('lasting');
  expect(await engine.ok('build', '-q', context)).toBe(id);
});

test('a step that fills the disk leaves nothing of it', async () => {
  const disk = await SmallDisk.make({ bytes: 96 * 1024 * 1024 });
  const identity = claimIdentity();
  mkdirSync(dirname(identity.dataRoot), { recursive: true });
  mkdirSync(join(disk.path, 'data'));
  symlinkSync(join(disk.path, 'data'), identity.dataRoot);
  const small = new TestEngine(identity, {});
  try {
    await small.start();
    await small.load(busyboxArchive());
    const left = (name: string): string => readdirSync(join(identity.dataRoot, name)).join();
    const before = left('layers');
    dockerfile('FROM busybox', 'RUN dd if=/dev/zero of=/big bs=1M count=200');
    const result = await small.berth('build', '--progress', 'plain', context);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('No space left on device');
    await until('its files to be gone', () => left('layers') === before && left('tmp') === '');
    dockerfile('FROM busybox', 'RUN echo fits > /small');
    await small.ok('build', '-q', context);
  } finally {
    await small.cleanUp();
    await disk.remove();
  }
}, 300_000);
