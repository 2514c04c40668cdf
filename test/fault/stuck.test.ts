/** One container that hangs, in each way that one can: all the others live on as if it were not there. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { DeafMount } from '../support/deaf-mount.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { shimOf } from '../support/shim-of.ts';
import { until } from '../support/until.ts';

const runtime = `/var/tmp/berth-test-hanging-runtime-${process.pid}`;
let engine: TestEngine;
beforeAll(async () => {
  writeFileSync(runtime, '#!/bin/sh\nsleep 100000\n');
  chmodSync(runtime, 0o755);
  engine = await startEngine({ images: ['busybox'], config: { runtimes: { hanging: { path: runtime } } } });
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
afterAll(async () => {
  await engine.cleanUp();
  rmSync(runtime);
});

/** Milliseconds below which a verb has waited for nothing that hangs: the engine gives up on a shim after 5,000. */
const prompt = 3000;
/** A busy machine makes a verb late now and then; one that waits for what hangs is late each time. */
const attempts = 4;

/**
 * Everything that people do with containers.
 * @returns the verbs that were late
 */
async function doEverything(stuck: string): Promise<string[]> {
  const late: string[] = [];
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now();
    await work();
    if (performance.now() - begun > prompt) late.push(what);
  };
  await timed('ps', () => engine.ok('ps', '-a'));
  await timed('inspect of the stuck one', () => engine.inspect(stuck));
  await timed('run', () => engine.ok('run', '--rm', 'busybox', 'true'));
  await timed('run -d', () => engine.ok('run', '-d', '--name', 'other', '-v', '/v', 'busybox', 'sleep', '1000'));
  await timed('inspect', () => engine.inspect('other'));
  await timed('exec', () => engine.ok('exec', 'other', 'true'));
  await timed('logs', () => engine.ok('logs', 'other'));
  await timed('stop', () => engine.ok('stop', '-t', '0', 'other'));
  await timed('start', () => engine.ok('start', 'other'));
  await timed('rm', () => engine.ok('rm', '-f', '-v', 'other'));
  return late;
}

async function expectOthersToLive(stuck: string): Promise<void> {
  let always = await doEverything(stuck);
  for (let attempt = 1; attempt < attempts && always.length > 0; attempt++) {
    const late = await doEverything(stuck);
    always = always.filter((what) => late.includes(what));
  }
  expect(always).toEqual([]);
}

async function expectItToGo(stuck: string): Promise<void> {
  await engine.ok('rm', '-f', stuck);
  expect((await engine.request('GET', `/containers/${stuck}/json`)).status).toBe(404);
}

describe('a shim that stands still', () => {
  test('holds up nobody, and can be removed', async () => {
    await engine.ok('run', '-d', '--name', 'stuck', 'busybox', 'sleep', '1000');
    const { Pid } = (await engine.inspect('stuck')).State;
    process.kill(await shimOf(Pid), 'SIGSTOP');
    await expectOthersToLive('stuck');
    await expectItToGo('stuck');
    await until('its process to be gone', () => !existsSync(`/proc/${Pid}`));
  });

  test('does not keep the next engine from coming up, and is heard when it goes on', async () => {
    await engine.ok('run', '-d', '--name', 'stuck', 'busybox', 'sh', '-c', 'trap "exit 9" TERM; sleep 1000 & wait');
    const { Pid, StartedAt } = (await engine.inspect('stuck')).State;
    const shim = await shimOf(Pid);
    await engine.kill9();
    process.kill(shim, 'SIGSTOP');
    await engine.start();
    expect((await engine.inspect('stuck')).State).toMatchObject({ Running: true, Pid, StartedAt });
    await expectOthersToLive('stuck');
    process.kill(shim, 'SIGCONT');
    await engine.ok('stop', 'stuck');
    expect((await engine.inspect('stuck')).State).toMatchObject({ Status: 'exited', ExitCode: 9 });
  });

  test('is told of a stop when it goes on', async () => {
    await engine.ok('run', '-d', '--name', 'stuck', 'busybox', 'sh', '-c', 'trap "exit 9" TERM; sleep 1000 & wait');
    const shim = await shimOf((await engine.inspect('stuck')).State.Pid);
    process.kill(shim, 'SIGSTOP');
    const stopped = engine.ok('stop', '-t', '100', 'stuck');
    await expectOthersToLive('stuck');
    process.kill(shim, 'SIGCONT');
    await stopped;
    expect((await engine.inspect('stuck')).State).toMatchObject({ Status: 'exited', ExitCode: 9 });
  });
});

describe('a runtime that hangs', () => {
  test('holds up nobody, and its container can be removed', async () => {
    const run = engine.spawn('berth', 'run', '--runtime', 'hanging', '--name', 'stuck', 'busybox', 'true');
    await until('the container to be there', async () => (await engine.ok('ps', '-aq')) !== '');
    await expectOthersToLive('stuck');
    await expectItToGo('stuck');
    expect((await run.exit()).code).not.toBe(0);
  });

  test('does not keep the next engine from coming up', async () => {
    engine.spawn('berth', 'run', '--runtime', 'hanging', '--name', 'stuck', 'busybox', 'true');
    await until('the container to be there', async () => (await engine.ok('ps', '-aq')) !== '');
    await engine.kill9();
    await engine.start();
    await expectOthersToLive('stuck');
    await expectItToGo('stuck');
  });
});

test('mounts that do not answer hold up nobody', async () => {
  const mount = await DeafMount.make();
  try {
    // More of them than the engine has threads for files.
    const stuck = Array.from({ length: 6 }, (_, index) => `stuck-${index}`);
    for (const [index, name] of stuck.entries()) {
      const bind = index % 2 === 0 ? ['-v', `${mount.path}:/x`] : ['--mount', `type=bind,src=${mount.path}/y,dst=/x`];
      engine.spawn('berth', 'run', ...bind, '--name', name, 'busybox', 'true');
    }
    await until('one of them to be there', async () => (await engine.ok('ps', '-aq')) !== '');
    await expectOthersToLive('stuck-0');
  } finally {
    await mount.remove();
  }
});
