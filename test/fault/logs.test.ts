/** What becomes of log readers when the engine, the client or the shim goes away. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { runOk } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { shimOf } from '../support/shim-of.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
afterAll(() => engine.cleanUp());

async function noReader(path: string): Promise<void> {
  await until('the reader to end', async () => !(await runOk(['ps', '-eo', 'args'])).includes(`read-log ${path}`));
}

/** A container that writes a line now and then, and a follower that has seen the first. */
async function followed(name: string) {
  await engine.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'while :; do echo tick; usleep 20000; done');
  const follower = engine.spawn('berth', 'logs', '-f', name);
  await follower.output(/tick/);
  return {
    follower,
    path: (await engine.inspect(name)).LogPath as string,
    pid: (await engine.inspect(name)).State.Pid as number,
  };
}

test('kill -9 of the engine ends its readers; the log goes on', async () => {
  const { follower, path } = await followed('killed');
  await engine.kill9();
  await follower.exit();
  await noReader(path);
  await engine.start();
  const before = (await engine.ok('logs', 'killed')).length;
  await until('more of the log', async () => (await engine.ok('logs', 'killed')).length > before);
  // What the dead reader had of its own goes with the next follower's arrival.
  const again = engine.spawn('berth', 'logs', '-f', '--tail', '1', 'killed');
  await again.output(/tick/);
  expect(readdirSync(`${path}.followers`)).toHaveLength(1);
  await again.kill();
  await noReader(path);
});

test('a graceful stop does not wait for followers', async () => {
  const { follower, path } = await followed('stopped');
  expect(await engine.stop()).toBe(0);
  await follower.exit();
  await noReader(path);
  await engine.start();
});

test('a follower ends when the shim is killed', async () => {
  const { follower, path, pid } = await followed('orphaned');
  const shim = await shimOf(pid);
  process.kill(shim, 'SIGKILL');
  expect((await follower.exit()).code).toBe(0);
  await noReader(path);
  await until('the container to be gone', () => !existsSync(`/proc/${pid}`));
});

test('a follower ends when its container is removed', async () => {
  const { follower, path } = await followed('removed');
  await engine.ok('rm', '-f', 'removed');
  expect((await follower.exit()).code).toBe(0);
  await noReader(path);
});
