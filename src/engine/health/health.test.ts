import { describe, expect, test } from 'bun:test';
import { Readable } from 'node:stream';
import type { Health, HealthcheckResult } from '../../api/types/container.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { encodeFrame } from '../../wire/stdcopy.ts';
import { FakeEngine } from '../containers/fake-engine.ts';
import { HealthService } from './health-service.ts';
import { healthAfter, healthAtStart, healthUnwatched } from './health-state.ts';
import { unhealthyAction } from './on-unhealthy.ts';
import { type ProbeExec, runProbe } from './probe.ts';
import { ProbeOutput } from './probe-output.ts';
import { nextProbeIn, probePlan } from './probe-plan.ts';

const millisecond = 1_000_000;

describe('the plan', () => {
  test("has Docker's defaults", () => {
    expect(probePlan({ Healthcheck: { Test: ['CMD', 'true', 'x'] } })).toEqual({
      command: ['true', 'x'],
      interval: 30_000,
      timeout: 30_000,
      startPeriod: 0,
      startInterval: 5_000,
      retries: 3,
    });
  });

  test('a shell form runs under the shell of the image', () => {
    expect(probePlan({ Healthcheck: { Test: ['CMD-SHELL', 'a && b'] } })?.command).toEqual(['/bin/sh', '-c', 'a && b']);
    const config = { Healthcheck: { Test: ['CMD-SHELL', 'a'] }, Shell: ['/bin/bash', '-ec'] };
    expect(probePlan(config)?.command).toEqual(['/bin/bash', '-ec', 'a']);
  });

  test.each([[undefined], [[]], [['NONE']], [['FOO', 'x']]])('%p is no check', (words) => {
    expect(probePlan({ Healthcheck: { Test: words } })).toBeNull();
  });

  test('looks more often while the container starts', () => {
    const plan = probePlan({
      Healthcheck: {
        Test: ['CMD', 'x'],
        Interval: 900 * millisecond,
        StartPeriod: 5e9,
        StartInterval: 50 * millisecond,
      },
    });
    if (!plan) throw new Error('no plan');
    expect(nextProbeIn(plan, true, 100)).toBe(50);
    expect(nextProbeIn(plan, false, 100)).toBe(900);
    expect(nextProbeIn(plan, true, 5000)).toBe(900);
  });
});

describe('the state', () => {
  const plan = probePlan({ Healthcheck: { Test: ['CMD', 'x'], Retries: 2, StartPeriod: 1000 * millisecond } });
  if (!plan) throw new Error('no plan');
  const result = (ExitCode: number, Output = ''): HealthcheckResult => ({ Start: '', End: '', ExitCode, Output });
  const start = healthAtStart({ Healthcheck: { Test: ['CMD', 'x'] } } as never, null) as Health;
  const after = (health: Health, codes: number[], age: number): Health =>
    codes.reduce((state, code) => healthAfter(state, result(code), { plan, age }), health);

  test.each([
    ['nothing counts in the start period', [1, 1, 1, 1], 0, 'starting', 0],
    ['afterwards it does', [1], 1000, 'starting', 1],
    ['until it is too much', [1, 1], 1000, 'unhealthy', 2],
    ['one success heals', [1, 1, 0], 1000, 'healthy', 0],
    ['who was well counts even in the start period', [0, 1, -1], 0, 'unhealthy', 2],
    ['one failure of two is none', [0, 7], 2000, 'healthy', 1],
  ] as const)('%s', (_title, codes, age, status, streak) => {
    expect(after(start, [...codes], age)).toMatchObject({ Status: status, FailingStreak: streak });
  });

  test('five results are kept', () => {
    const seen = [1, 2, 3, 4, 5, 6, 7].reduce(
      (state, code) => healthAfter(state, result(code), { plan, age: 0 }),
      start,
    );
    expect(seen.Log.map(({ ExitCode }) => ExitCode)).toEqual([3, 4, 5, 6, 7]);
  });

  test('who is not looked at is unhealthy, and who has no check has no health', () => {
    expect(healthUnwatched({ ...start, Status: 'healthy' })?.Status).toBe('unhealthy');
    expect(healthUnwatched(null)).toBeNull();
    expect(healthAtStart({ Healthcheck: { Test: ['NONE'] } } as never, null)).toBeNull();
  });
});

describe('a probe', () => {
  const plan = { command: ['x'], interval: 1, timeout: 20, startPeriod: 0, startInterval: 1, retries: 1 };
  const { signal } = new AbortController();
  const execOf = (stream: Readable, code: number | null): ProbeExec & { killed: string[] } => {
    const killed: string[] = [];
    return {
      killed,
      create: () => Promise.resolve({ Id: 'e' }),
      start: () => Promise.resolve({ stream }),
      inspect: () => ({ ExitCode: code }) as never,
      kill: (id) => {
        killed.push(id);
        stream.push(null);
        return Promise.resolve();
      },
    };
  };

  test('gives the exit code and both streams', async () => {
    const stream = Readable.from([encodeFrame(1, Buffer.from('out\n')), encodeFrame(2, Buffer.from('err\n'))]);
    const result = await runProbe(execOf(stream, 3), 'c', { plan, signal, turns: new Semaphore(1) });
    expect(result).toMatchObject({ ExitCode: 3, Output: 'out\nerr\n' });
    expect(Date.parse(result.End)).toBeGreaterThanOrEqual(Date.parse(result.Start));
  });

  test('that lasts too long is killed', async () => {
    const stream = new Readable({ read() {} });
    stream.push(encodeFrame(1, Buffer.from('half')));
    const exec = execOf(stream, null);
    const result = await runProbe(exec, 'c', { plan, signal, turns: new Semaphore(1) });
    expect(result).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (20ms): half' });
    expect(exec.killed).toEqual(['e']);
  });

  test('that cannot be started says why', async () => {
    const exec = { ...execOf(Readable.from([]), 0), start: () => Promise.reject(new Error('no such file')) };
    expect(await runProbe(exec, 'c', { plan, signal, turns: new Semaphore(1) })).toMatchObject({
      ExitCode: -1,
      Output: 'no such file',
    });
  });

  test('keeps 4096 bytes of what is said', () => {
    const output = new ProbeOutput();
    for (let piece = 0; piece < 10; piece++) output.push(encodeFrame(1, Buffer.alloc(1000, 'x')));
    expect(output.text).toBe(`${'x'.repeat(4096)}...`);
  });
});

describe('a container with a check', () => {
  const config = { Healthcheck: { Test: ['CMD', 'x'], Interval: millisecond, Retries: 1 } };
  const probes = (code: () => number): ProbeExec => ({
    create: () => Promise.resolve({ Id: 'e' }),
    start: () => Promise.resolve({ stream: Readable.from([]) }),
    inspect: () => ({ ExitCode: code() }) as never,
    kill: () => Promise.resolve(),
  });
  const published = async (engine: FakeEngine, action: string): Promise<void> => {
    while (!engine.events.includes(action)) await new Promise((resolve) => setImmediate(resolve));
  };

  test('tells of changes only, and no more once it has ended', async () => {
    const engine = new FakeEngine();
    let code = 0;
    new HealthService(
      engine.service.context,
      probes(() => code),
    );
    const id = await engine.run(config);
    expect(engine.service.inspect(id).State.Health).toEqual({ Status: 'starting', FailingStreak: 0, Log: [] });
    await published(engine, 'health_status: healthy');
    code = 1;
    await published(engine, 'health_status: unhealthy');
    await engine.exit(id);
    expect(engine.events.filter((action) => action.startsWith('health'))).toEqual([
      'health_status: healthy',
      'health_status: unhealthy',
    ]);
    expect(engine.service.list({ all: true, limit: 0, size: false, filters: new Map() })[0]?.Status).toMatch(/^Exited/);
    expect(engine.service.inspect(id).State.Health?.Status).toBe('unhealthy');
  });

  test('a pause ends the looking, going on begins it again', async () => {
    const engine = new FakeEngine();
    new HealthService(
      engine.service.context,
      probes(() => 0),
    );
    const id = await engine.run(config);
    await published(engine, 'health_status: healthy');
    await engine.service.pause(id);
    expect(engine.service.inspect(id).State.Health?.Status).toBe('unhealthy');
    engine.events.length = 0;
    await engine.service.unpause(id);
    await published(engine, 'health_status: healthy');
    await engine.exit(id);
  });

  test('what is done with an unhealthy one is asked of its annotation', async () => {
    const engine = new FakeEngine();
    new HealthService(
      engine.service.context,
      probes(() => 1),
    );
    engine.supervisor.onSignal = (id) => void engine.exit(id, { code: 143 });
    const id = await engine.run(config, { Annotations: { 'berth.on-unhealthy': 'stop' } });
    await published(engine, 'stop');
    expect(engine.state(id)).toBe('exited');
  });

  test('another word is refused', () => {
    expect(() => unhealthyAction({ Annotations: { 'berth.on-unhealthy': 'reboot' } })).toThrow(
      'invalid value "reboot" for berth.on-unhealthy: must be one of none, restart, stop, kill',
    );
    expect(unhealthyAction({})).toBe('none');
  });
});
