/** Two gigabytes through the log: written, read back whole, and followed live through the default rotation, in constant memory. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { runOk } from '../support/command.ts';
import { program, startEngine, type TestEngine } from '../support/engine.ts';

const bytes = 2_000_000_000;
const writer = `yes ${'0123456789'.repeat(9)}012345678 | head -c ${bytes}`;
const limit = { timeout: 600_000 };

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

/** Proportional set size in bytes. */
function memory(): number {
  return Number(readFileSync(`/proc/${engine.pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)?.[1]) * 1024;
}

test('written without a limit, and read back whole', async () => {
  const wanted = await runOk(['sh', '-c', `${writer} | sha256sum`], limit);
  const before = memory();
  await engine.ok('run', '-d', '--name', 'big', '--log-opt', 'max-size=-1', 'busybox', 'sh', '-c', writer);
  await engine.berthWith(limit, 'wait', 'big');
  const read = runOk(['sh', '-c', `${program().join(' ')} logs big | sha256sum`], {
    ...limit,
    env: engine.clientEnvironment,
  });
  expect(await read).toBe(wanted);
  expect(memory() - before).toBeLessThan(50_000_000);
  await engine.ok('rm', 'big');
});

test('followed live through the default rotation', async () => {
  const wanted = await runOk(['sh', '-c', `${writer} | sha256sum`], limit);
  const before = memory();
  await engine.ok(
    'run',
    '-d',
    '--name',
    'live',
    'busybox',
    'sh',
    '-c',
    `until [ -e /go ]; do usleep 10000; done; ${writer}`,
  );
  const followed = runOk(['sh', '-c', `${program().join(' ')} logs -f live | sha256sum`], {
    ...limit,
    env: engine.clientEnvironment,
  });
  await engine.touch('live', '/go');
  expect(await followed).toBe(wanted);
  expect(memory() - before).toBeLessThan(50_000_000);
});
