/** Restart policies: the waits, the count, what a stop means, and who comes back after a crash and after a reboot. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp());

const run = (name: string, policy: string, ...rest: string[]): Promise<string> =>
  engine.ok('run', '-d', '--name', name, '--restart', policy, ...rest);
const state = async (name: string): Promise<string> => (await engine.inspect(name)).State.Status;
const becomes = (name: string, wanted: string): Promise<boolean> =>
  until(`${name} to be ${wanted}`, async () => (await state(name)) === wanted);

interface Happened {
  action: string;
  at: bigint;
}

async function happened(name: string, ...actions: string[]): Promise<Happened[]> {
  const filters = actions.flatMap((action) => ['--filter', `event=${action}`]);
  const text = await engine.ok(
    ...['events', '--since', '0', '--until', String(Date.now() / 1000), '--filter', `container=${name}`, ...filters],
    ...['--format', '{{.Action}} {{.TimeNano}}'],
  );
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ action: line.split(' ')[0] as string, at: BigInt(line.split(' ')[1] as string) }));
}

test('the waits double from 100 ms', async () => {
  await run('failing', 'on-failure:4', 'busybox', 'false');
  await until('the last restart', async () => {
    const { RestartCount, State } = await engine.inspect('failing');
    return RestartCount === 4 && State.Status === 'exited';
  });
  const events = await happened('failing', 'start', 'die');
  expect(events.map(({ action }) => action)).toEqual(Array.from({ length: 5 }, () => ['start', 'die']).flat());
  const waits = [100, 200, 400, 800].map((wait, index) => {
    const [die, start] = events.slice(index * 2 + 1);
    return { wait, took: Number(((start as Happened).at - (die as Happened).at) / 1_000_000n) };
  });
  // How much longer they take is the machine's matter.
  for (const { wait, took } of waits) expect(took).toBeGreaterThanOrEqual(wait - 1);
  // A start by hand counts from the beginning: the first run and four more.
  await engine.ok('start', 'failing');
  await until('ten runs', async () => (await happened('failing', 'die')).length === 10);
  await becomes('failing', 'exited');
});

test('what waits for its restart can be stopped, killed and removed', async () => {
  const meet = async (...verb: string[]): Promise<void> => {
    const name = `waiting-${verb[0]}`;
    await run(name, 'always', 'busybox', 'sleep', '1000');
    // The sixth wait has 3.2 seconds: long enough to be met on a busy machine.
    for (let round = 0; round < 6; round++) {
      const { Pid } = (await engine.inspect(name)).State;
      process.kill(Pid, 'SIGKILL');
      if (round < 5)
        await until('the next process', async () => ![0, Pid].includes((await engine.inspect(name)).State.Pid));
    }
    await becomes(name, 'restarting');
    const { State, RestartCount } = await engine.inspect(name);
    expect([State.Running, State.Restarting, State.ExitCode, RestartCount]).toEqual([true, true, 137, 6]);
    expect(await engine.berth(...verb, name)).toMatchObject({ code: 0 });
    if (verb[0] !== 'rm') expect(await state(name)).toBe('exited');
  };
  await Promise.all([meet('stop', '-t', '0'), meet('kill'), meet('rm', '-f')]);
});

test('`update --restart` counts from the next exit on', async () => {
  await run('updated', 'no', 'busybox', 'sleep', '1000');
  await engine.ok('update', '--restart', 'on-failure:1', 'updated');
  expect((await engine.inspect('updated')).HostConfig.RestartPolicy).toEqual({
    Name: 'on-failure',
    MaximumRetryCount: 1,
  });
  for (const left of [true, false]) {
    const { Pid } = (await engine.inspect('updated')).State;
    process.kill(Pid, 'SIGKILL');
    if (left)
      await until('it to come back', async () => ![0, Pid].includes((await engine.inspect('updated')).State.Pid));
  }
  await becomes('updated', 'exited');
  const automatic = await engine.berth('run', '-d', '--rm', '--name', 'leaving', 'busybox', 'sleep', '1000');
  expect(automatic.code).toBe(0);
  expect((await engine.berth('update', '--restart', 'always', 'leaving')).stderr).toContain(
    'Restart policy cannot be updated because AutoRemove is enabled for the container',
  );
});

const policies = ['no', 'always', 'unless-stopped', 'on-failure'] as const;

async function everyPolicy(): Promise<void> {
  for (const policy of policies) {
    await run(`${policy}-running`, policy, 'busybox', 'sleep', '1000');
    await run(`${policy}-stopped`, policy, 'busybox', 'sleep', '1000');
    await engine.ok('stop', '-t', '0', `${policy}-stopped`);
    await engine.ok('create', '--name', `${policy}-created`, '--restart', policy, 'busybox', 'sleep', '1000');
  }
}

/** The state of every container, once these run. */
async function settled(...running: string[]): Promise<Record<string, string>> {
  for (const name of running) await becomes(name, 'running');
  const lines = (await engine.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' '))) as Record<string, string>;
}

describe('who comes back', () => {
  test('after a crash of the engine: who ran goes on, `always` means always', async () => {
    await everyPolicy();
    const pids = await Promise.all(
      policies.map(async (policy) => (await engine.inspect(`${policy}-running`)).State.Pid),
    );
    await engine.kill9();
    await engine.start();
    expect(await settled('always-stopped')).toEqual({
      ...Object.fromEntries(policies.map((policy) => [`${policy}-running`, 'running'])),
      ...Object.fromEntries(policies.map((policy) => [`${policy}-created`, 'created'])),
      ...{ 'no-stopped': 'exited', 'on-failure-stopped': 'exited', 'unless-stopped-stopped': 'exited' },
      'always-stopped': 'running',
    });
    expect(
      await Promise.all(policies.map(async (policy) => (await engine.inspect(`${policy}-running`)).State.Pid)),
    ).toEqual(pids);
  });

  test('after a reboot, in an order that everybody finds who it needs', async () => {
    await everyPolicy();
    // Made in the wrong order: the guest is older than its host.
    await engine.ok('create', '--name', 'host', '--restart', 'always', '-v', '/data', 'busybox', 'sleep', '1000');
    await engine.ok(
      ...['create', '--name', 'guest', '--restart', 'always', '--network', 'container:host', '--pid', 'container:host'],
      ...['--volumes-from', 'host', 'busybox', 'sleep', '1000'],
    );
    await engine.ok('start', 'host');
    await engine.ok('start', 'guest');
    await engine.ok('rename', 'host', 'zhost');
    await engine.reboot();
    const comeBack = ['always-stopped', 'always-running', 'unless-stopped-running', 'on-failure-running', 'guest'];
    const states = await settled(...comeBack);
    expect(states).toMatchObject({
      ...{ 'no-running': 'exited', 'always-running': 'running', 'unless-stopped-running': 'running' },
      ...{ 'no-stopped': 'exited', 'always-stopped': 'running', 'unless-stopped-stopped': 'exited' },
      ...{ 'no-created': 'created', 'always-created': 'created', 'on-failure-stopped': 'exited' },
      'on-failure-running': 'running',
    });
    expect((await engine.inspect('no-running')).State.ExitCode).toBe(255);
    const address = await engine.ok('exec', 'zhost', 'hostname', '-i');
    expect(await engine.ok('exec', 'guest', 'hostname', '-i')).toBe(address);
  });

  test('who ended while no engine was there', async () => {
    await run('alone', 'always', 'busybox', 'sleep', '1000');
    await run('gone', 'no', 'busybox', 'sleep', '1000');
    const pids = await Promise.all(['alone', 'gone'].map(async (name) => (await engine.inspect(name)).State.Pid));
    await engine.kill9();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await engine.start();
    await becomes('alone', 'running');
    expect((await engine.inspect('gone')).State).toMatchObject({ Status: 'exited', ExitCode: 137 });
  });
});
