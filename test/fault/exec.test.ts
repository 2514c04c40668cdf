/** kill -9 of the engine at every named step of an exec: the container runs on, no process is forgotten. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok('run', '-d', '--name', 'host', 'busybox', 'sleep', '100000');
});
afterEach(() => engine.failpoints.clear());
afterAll(() => engine.cleanUp());

describe('kill -9', () => {
  test.each(failpointsOf('exec'))('at %s', async (step) => {
    const before = (await engine.inspect('host')).State.Pid;
    engine.failpoints.arm(step, 'kill9');
    const result = await engine.berth('exec', 'host', 'sh', '-c', 'echo $$ > /tmp/pid; exec sleep 0.2');
    expect(result.code).not.toBe(0);
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.died();
    await engine.start();
    expect((await engine.inspect('host')).State).toMatchObject({ Running: true, Pid: before });
    // The process that nobody waits for any more is reaped by the shim.
    await until('only the first process to be left in the container', () => processesOf(before).length === 1);
    expect(await engine.ok('exec', 'host', 'echo', 'works')).toBe('works');
  });
});

test('an exec goes on when the engine dies', async () => {
  const { Pid } = (await engine.inspect('host')).State;
  const waiting = 'until [ -e /tmp/go ]; do usleep 1000; done; echo done > /tmp/result';
  await engine.ok('exec', '-d', 'host', 'sh', '-c', waiting);
  await engine.kill9();
  await Bun.write(`/proc/${Pid}/root/tmp/go`, '');
  await until('its result', () => existsSync(`/proc/${Pid}/root/tmp/result`));
  await engine.start();
  expect(await engine.ok('exec', 'host', 'cat', '/tmp/result')).toBe('done');
});

/** Host pids in the pid namespace of `pid`. */
function processesOf(pid: number): number[] {
  const namespace = pidNamespace(pid);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => pidNamespace(other) === namespace);
}

function pidNamespace(pid: number): string | null {
  try {
    // The same in every namespace file system; a text file would need parsing.
    const { ino } = statSync(`/proc/${pid}/ns/pid`);
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) ? null : String(ino);
  } catch {
    // It ended while it was looked at.
    return null;
  }
}
