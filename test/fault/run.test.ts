/**
 * kill -9 of the engine at every named step of a container's life, then the next engine: what it says agrees with the kernel,
 * no exit code and no log line is lost, nothing is left behind.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { shimOf } from '../support/shim-of.ts';
import { until } from '../support/until.ts';

const steps = failpointsOf('run');
const script = 'echo begin; exit 7';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  engine.failpoints.clear();
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
afterAll(() => engine.cleanUp());

/** Everything that the engine says of its containers must be what the kernel says. */
async function expectBooksToAgree(): Promise<void> {
  const containers = (await (await engine.request('GET', '/containers/json?all=1')).json()) as { Id: string }[];
  for (const { Id } of containers) {
    await until(`${Id} to agree with the kernel`, async () => {
      // One with --rm goes by itself meanwhile.
      if (!(await isThere(Id))) return true;
      const { State } = await engine.inspect(Id);
      return State.Running === (State.Pid > 0 && existsSync(`/proc/${State.Pid}`));
    });
  }
}

async function isThere(name: string): Promise<boolean> {
  return (await engine.request('GET', `/containers/${name}/json`)).ok;
}

test('the source has steps to kill at', () => {
  expect(steps.length).toBeGreaterThan(8);
});

describe.each(['kept', '--rm'] as const)('kill -9, %s', (kind) => {
  test.each(steps)('at %s', async (step) => {
    engine.failpoints.arm(step, 'kill9');
    const name = `${kind === '--rm' ? 'gone' : 'kept'}-${step.replace('run.', '')}`;
    await engine.berth('run', ...(kind === '--rm' ? ['--rm'] : []), '--name', name, 'busybox', 'sh', '-c', script);
    if (kind === 'kept' && engine.failpoints.hits().length === 0) await engine.berth('rm', name);
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.died();
    await engine.start();

    await expectBooksToAgree();
    if (kind === '--rm') {
      // A container that ran goes by itself; one that was only created waits for its client.
      await until('the container to be gone, or never started', async () => {
        return !(await isThere(name)) || (await engine.inspect(name)).State.Status === 'created';
      });
    } else if (await isThere(name)) {
      const { State } = await until('the container to come to rest', async () => {
        const found = (await isThere(name)) ? await engine.inspect(name) : null;
        return !found?.State.Running ? (found ?? { State: { Status: 'gone' } }) : null;
      });
      if (State.Status === 'exited') {
        expect(State.ExitCode).toBe(7);
        expect(await engine.ok('logs', name)).toBe('begin');
      }
    }
    // The name can be used again, and the engine works.
    if (await isThere(name)) await engine.ok('rm', '-f', name);
    expect(await engine.ok('run', '--rm', '--name', name, 'busybox', 'echo', 'again')).toBe('again');
  });
});

describe('kill -9 of the engine that takes over', () => {
  test.each(failpointsOf('adopt'))('at %s', async (step) => {
    await engine.ok('run', '-d', '--name', 'running', 'busybox', 'sleep', '1000');
    const ending = 'until [ -e /go ]; do usleep 1000; done; echo last words; exit 7';
    await engine.ok('run', '-d', '--name', 'ending', 'busybox', 'sh', '-c', ending);
    await engine.ok('run', '-d', '--rm', '--name', 'leaving', 'busybox', 'sh', '-c', ending);
    const [before, ...others] = await Promise.all(
      ['running', 'ending', 'leaving'].map(async (name) => (await engine.inspect(name)).State.Pid as number),
    );
    await engine.kill9();
    for (const pid of others) await Bun.write(`/proc/${pid}/root/go`, '');
    for (const pid of others) await until('the container to end', () => !existsSync(`/proc/${pid}`));
    engine.failpoints.arm(step, 'kill9');
    await expect(engine.start()).rejects.toThrow('the engine ended at once');
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.start();
    await expectBooksToAgree();
    expect((await engine.inspect('running')).State).toMatchObject({ Running: true, Pid: before });
    expect((await engine.inspect('ending')).State).toMatchObject({ Status: 'exited', ExitCode: 7 });
    expect(await engine.ok('logs', 'ending')).toBe('last words');
    await until('the one with --rm to be gone', async () => !(await isThere('leaving')));
  });
});

/** Behind these the kernel has decided already: nothing there may fail, only die. */
const decided = new Set(['run.after-start', 'run.before-exit', 'run.after-exit']);

describe('an error', () => {
  test.each(steps.filter((step) => !decided.has(step)))('at %s is told, and leaves nothing', async (step) => {
    engine.failpoints.arm(step, 'error no room for it');
    await engine.berth('run', '--rm', '--name', 'failing', 'busybox', 'sh', '-c', script);
    expect(engine.failpoints.hits()).toEqual([step]);
    expect(await engine.answers()).toBe(true);
    await expectBooksToAgree();
  });
});

test('a container that is over before a busy engine asks how it began was started all the same', async () => {
  const asks = join(engine.identity.notes, 'asks');
  engine.failpoints.arm('run.after-launch', `delay ${asks}`);
  const client = engine.spawn('berth', 'run', '-d', '--name', 'quick', 'busybox', 'sh', '-c', 'exit 7');
  await engine.failpoints.struck('run.after-launch');
  const id = await engine.ok('ps', '-aq', '--no-trunc', '--filter', 'name=quick');
  const noted = join(engine.identity.execRoot, 'containers', id, 'exit');
  await until('the end of the container to be noted', () => existsSync(noted));
  await Bun.write(asks, '');
  expect(await client.exit()).toMatchObject({ code: 0, stderr: '' });
  expect(await engine.ok('wait', 'quick')).toBe('7');
});

describe('while the engine is dead', () => {
  test('a container runs on, keeps its address and port, and every line of its log', async () => {
    const body =
      'while :; do { echo -e "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r"; echo hi; } | nc -l -p 80; done';
    await engine.ok('run', '-d', '--name', 'server', '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', body);
    const counter = 'i=0; while :; do echo $i; i=$((i+1)); usleep 1000; done';
    await engine.ok('run', '-d', '--name', 'counter', 'busybox', 'sh', '-c', counter);
    const before = await engine.inspect('server');
    const port = before.NetworkSettings.Ports['80/tcp'][0].HostPort;
    const answers = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) })).status === 200;
    await until('the server to answer', answers);
    for (let round = 0; round < 3; round++) {
      await engine.kill9();
      await until('the server to answer without an engine', answers);
      await engine.start();
    }
    const after = await engine.inspect('server');
    expect(after.State).toMatchObject({ Running: true, Pid: before.State.Pid, StartedAt: before.State.StartedAt });
    expect(after.NetworkSettings).toEqual(before.NetworkSettings);
    await engine.ok('stop', '-t', '0', 'counter');
    const lines = (await engine.ok('logs', 'counter')).split('\n');
    expect(lines.length).toBeGreaterThan(100);
    expect(lines).toEqual(lines.map((_, index) => String(index)));
  });

  test('an exit is entered with its code and its time', async () => {
    const waiting = 'until [ -e /go ]; do usleep 1000; done; echo last words; exit 42';
    await engine.ok('run', '-d', '--name', 'leaving', 'busybox', 'sh', '-c', waiting);
    const {
      Id,
      State: { Pid },
    } = await engine.inspect('leaving');
    const go = `/proc/${Pid}/root/go`;
    await engine.kill9();
    const told = Date.now();
    await Bun.write(go, '');
    const noted = join(engine.identity.execRoot, 'containers', Id, 'exit');
    await until('the end of the container to be noted', () => existsSync(noted));
    const ended = Date.now();
    await engine.start();
    const { State } = await engine.inspect('leaving');
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 42, OOMKilled: false });
    // Not the time at which the next engine learns of it.
    expect(Date.parse(State.FinishedAt)).toBeWithin(told - 1, ended + 1);
    expect(await engine.ok('logs', 'leaving')).toBe('last words');
    expect(await engine.ok('wait', 'leaving')).toBe('42');
  });

  test('an exit while the next engine takes over is not missed', async () => {
    const waiting = 'until [ -e /go ]; do usleep 1000; done; exit 42';
    await engine.ok('run', '-d', '--name', 'meanwhile', 'busybox', 'sh', '-c', waiting);
    const { Pid } = (await engine.inspect('meanwhile')).State;
    const go = `/proc/${Pid}/root/go`;
    await engine.kill9();
    const goOn = `${engine.failpoints.path}.go-on`;
    engine.failpoints.arm('adopt.before-entry', `delay ${goOn}`);
    const started = engine.start();
    await engine.failpoints.struck('adopt.before-entry');
    await Bun.write(go, '');
    await until('the container to end', () => !existsSync(`/proc/${Pid}`));
    await Bun.write(goOn, '');
    await started;
    expect(await engine.ok('wait', 'meanwhile')).toBe('42');
    expect((await engine.inspect('meanwhile')).State).toMatchObject({ Status: 'exited', ExitCode: 42 });
  });

  test('a shim that is killed takes its container with it, and the next engine says so', async () => {
    await engine.ok('run', '-d', '--name', 'orphan', 'busybox', 'sleep', '1000');
    const { Pid } = (await engine.inspect('orphan')).State;
    const shim = await shimOf(Pid);
    await engine.kill9();
    process.kill(shim, 'SIGKILL');
    await engine.start();
    await until(
      'the container to be called exited',
      async () => (await engine.inspect('orphan')).State.Status === 'exited',
    );
    await until('the process to be gone', () => !existsSync(`/proc/${Pid}`));
  });

  test('a graceful stop leaves containers running too', async () => {
    await engine.ok('run', '-d', '--name', 'staying', 'busybox', 'sleep', '1000');
    const before = (await engine.inspect('staying')).State.Pid;
    await engine.restart();
    expect((await engine.inspect('staying')).State).toMatchObject({ Running: true, Pid: before });
  });
});
