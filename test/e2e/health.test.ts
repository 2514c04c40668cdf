/** Health checks: state, events, what is done with an unhealthy container, a crash of the engine, probes that hang. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

const status = async (name: string): Promise<string> => (await engine.inspect(name)).State.Health?.Status;
const becomes = (name: string, wanted: string): Promise<boolean> =>
  until(`${name} to be ${wanted}`, async () => (await status(name)) === wanted);

/** A container that is well while /ok is there. */
const checked = ['--health-cmd', 'echo looking; test -e /ok', '--health-interval', '100ms', '--health-retries', '2'];

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const name = (what: string): string => `${what}-${client}`;

  test('the state goes from starting to unhealthy to healthy, seen in inspect, ps, filters and events', async () => {
    const web = name('web');
    const since = String(Date.now() / 1000);
    const made = await engine[client]('run', '-d', '--name', web, ...checked, 'busybox', 'sleep', '1000');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    await becomes(web, 'unhealthy');
    expect(await engine.ok('ps', '--filter', 'health=unhealthy', '--format', '{{.Names}} {{.Status}}')).toMatch(
      new RegExp(`^${web} Up .*\\(unhealthy\\)$`),
    );
    await engine.ok('exec', web, 'touch', '/ok');
    await becomes(web, 'healthy');
    const { Health } = (await engine.inspect(web)).State;
    expect(Health.FailingStreak).toBe(0);
    expect(Health.Log.length).toBeLessThanOrEqual(5);
    expect(Health.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: 'looking\n' });
    const events = await engine[client](
      ...['events', '--since', since, '--until', String(Date.now() / 1000)],
      ...['--filter', `container=${web}`, '--filter', 'event=health_status', '--format', '{{.Action}}'],
    );
    expect(events.stdout).toBe('health_status: unhealthy\nhealth_status: healthy\n');
    await engine.ok('rm', '-f', web);
  });

  test('no check, and a check of the image left out', async () => {
    const plain = name('plain');
    await engine[client]('run', '-d', '--name', plain, '--no-healthcheck', 'busybox', 'sleep', '1000');
    const { State, Config } = await engine.inspect(plain);
    expect([State.Health, Config.Healthcheck]).toEqual([undefined, { Test: ['NONE'] }]);
    const both = await engine[client]('run', '--no-healthcheck', '--health-cmd', 'x', 'busybox');
    expect(both.code).toBe(125);
    expect(both.stderr).toContain('--no-healthcheck conflicts with --health-* options');
    await engine.ok('rm', '-f', plain);
  });
});

test('the check of an image is inherited, changed in part, and left out', async () => {
  const check = 'HEALTHCHECK --interval=100ms --retries=2 CMD test -e /ok';
  await engine.ok('create', '--name', 'base', 'busybox', 'sleep', '1000');
  await engine.ok('commit', '-c', check, 'base', 'checked-image');
  await engine.ok('rm', 'base');
  await engine.ok('run', '-d', '--name', 'inherits', 'checked-image');
  await becomes('inherits', 'unhealthy');
  await engine.ok('run', '-d', '--name', 'changes', '--health-cmd', 'true', 'checked-image');
  await becomes('changes', 'healthy');
  expect((await engine.inspect('changes')).Config.Healthcheck).toEqual({
    ...{ Test: ['CMD-SHELL', 'true'], Interval: 100_000_000, Retries: 2 },
  });
  await engine.ok('run', '-d', '--name', 'without', '--no-healthcheck', 'checked-image');
  expect((await engine.inspect('without')).State.Health).toBeUndefined();
  await engine.ok('rm', '-f', 'inherits', 'changes', 'without');
});

test('a failure in the start period does not count, and the start interval is used meanwhile', async () => {
  await engine.ok(
    ...['run', '-d', '--name', 'starts', '--health-cmd', 'test -e /ok', '--health-retries', '1'],
    ...['--health-interval', '1h', '--health-start-interval', '100ms', '--health-start-period', '1h', 'busybox'],
    ...['sleep', '1000'],
  );
  await until('three results', async () => (await engine.inspect('starts')).State.Health.Log.length >= 3);
  expect((await engine.inspect('starts')).State.Health).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  await engine.ok('exec', 'starts', 'touch', '/ok');
  await becomes('starts', 'healthy');
  await engine.ok('rm', '-f', 'starts');
});

test('a probe that hangs is ended with all that it started, and its output is cut', async () => {
  await engine.ok(
    ...['run', '-d', '--name', 'hangs', '--health-interval', '100ms', '--health-timeout', '1s'],
    ...['--health-retries', '1', '--health-cmd', 'yes | head -c 9000; sleep 555; true', 'busybox', 'sleep', '1000'],
  );
  await becomes('hangs', 'unhealthy');
  interface Probe {
    ExitCode: number;
    Output: string;
  }
  const probes = async (): Promise<Probe[]> => (await engine.inspect('hangs')).State.Health.Log;
  // Where the machine is busy one may be ended before it wrote anything.
  const cut = await until('a probe that wrote much', async () =>
    (await probes()).find(({ Output }) => Output.endsWith('...')),
  );
  expect(cut.ExitCode).toBe(-1);
  expect(cut.Output).toStartWith('Health check exceeded timeout (1s): y\ny\n');
  expect(cut.Output.length).toBeLessThan(4200);
  await until('three probes', async () => (await probes()).length >= 3);
  // Not one for each probe: at most the one that is under way.
  const sleepers = (await engine.ok('top', 'hangs')).split('\n').filter((line) => line.endsWith('sleep 555'));
  expect(sleepers.length).toBeLessThanOrEqual(1);
  // Its first process reaps nobody.
  expect(await engine.ok('top', 'hangs')).not.toContain('[sleep]');
  await engine.ok('rm', '-f', 'hangs');
});

test('the engine goes on looking after a kill -9, and the state does not begin anew', async () => {
  await engine.ok('run', '-d', '--name', 'adopted', ...checked, 'busybox', 'sh', '-c', 'touch /ok; sleep 1000');
  await becomes('adopted', 'healthy');
  await engine.kill9();
  await engine.start();
  expect(await status('adopted')).toBe('healthy');
  await engine.ok('exec', 'adopted', 'rm', '/ok');
  await becomes('adopted', 'unhealthy');
  await engine.ok('rm', '-f', 'adopted');
});

test('a probe that was under way at a kill -9 of the engine is ended by the next one', async () => {
  const command = 'sleep 777; true';
  await engine.ok(
    'run',
    '-d',
    '--name',
    'probed',
    '--health-cmd',
    command,
    '--health-interval',
    '100ms',
    'busybox',
    'sleep',
    '1000',
  );
  const probes = async (): Promise<number> =>
    (await engine.ok('top', 'probed')).split('\n').filter((line) => line.endsWith('sleep 777')).length;
  await until('a probe', async () => (await probes()) === 1);
  const before = await engine.ok('top', 'probed', '-o', 'pid,args');
  const [old] =
    before
      .split('\n')
      .find((line) => line.endsWith('sleep 777'))
      ?.trim()
      .split(' ') ?? [];
  await engine.kill9();
  await engine.start();
  await until('the old probe to end', () => !existsSync(`/proc/${old}`));
  await until('a new probe', async () => (await probes()) === 1);
  await engine.ok('rm', '-f', 'probed');
});

test('a paused container is not looked at', async () => {
  await engine.ok('run', '-d', '--name', 'paused', ...checked, 'busybox', 'sh', '-c', 'touch /ok; sleep 1000');
  await becomes('paused', 'healthy');
  await engine.ok('pause', 'paused');
  expect(await engine.ok('ps', '--filter', 'name=paused', '--format', '{{.Status}}')).toEndWith('(Paused)');
  await engine.ok('unpause', 'paused');
  await becomes('paused', 'healthy');
  await engine.ok('rm', '-f', 'paused');
});

describe('--on-unhealthy', () => {
  const run = (action: string, ...options: string[]): Promise<string> =>
    engine.ok(
      ...['run', '-d', '--name', `does-${action}`, '--on-unhealthy', action, '--stop-timeout', '0', ...options],
      ...['--health-cmd', 'false', '--health-interval', '100ms', '--health-retries', '1', 'busybox', 'sleep', '1000'],
    );

  test('stop stops it, and no restart policy wakes it', async () => {
    await run('stop', '--restart', 'always');
    await until('its end', async () => (await engine.inspect('does-stop')).State.Status === 'exited');
    await engine.ok('rm', 'does-stop');
  });

  test('kill ends it, and its restart policy decides', async () => {
    await run('kill', '--restart', 'on-failure');
    await until('a restart', async () => (await engine.inspect('does-kill')).RestartCount > 0);
    await engine.ok('rm', '-f', 'does-kill');
  });

  test('restart starts it anew', async () => {
    await run('restart');
    const first = (await engine.inspect('does-restart')).State.StartedAt;
    await until('another start', async () => {
      const { State } = await engine.inspect('does-restart');
      return State.Running && State.StartedAt !== first;
    });
    await engine.ok('rm', '-f', 'does-restart');
  });

  test('another word is refused, at the API too', async () => {
    const cli = await engine.berth('create', '--on-unhealthy', 'reboot', 'busybox');
    expect(cli.stderr).toContain('invalid value "reboot" for berth.on-unhealthy');
    const api = await engine.request('POST', '/containers/create', {
      Image: 'busybox',
      HostConfig: { Annotations: { 'berth.on-unhealthy': 'reboot' } },
    });
    expect(api.status).toBe(400);
  });
});
