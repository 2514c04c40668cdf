/** The edges of what is asked about containers: ps with every filter, events, wait, top, kill, stop, prune, update, stats. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
const hostPort = 21_080 + Math.floor(Math.random() * 500);
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok(
    ...[
      'run',
      '-d',
      '--name',
      'web',
      '-l',
      'tier=front',
      '-l',
      'own',
      '-p',
      `127.0.0.1:${hostPort}:80`,
      '--expose',
      '90',
    ],
    ...['-v', 'data:/data', 'busybox', 'sleep', '1000'],
  );
  await engine.ok('create', '--name', 'made', '-l', 'tier=back', '--network', 'none', 'busybox', 'true');
  await engine.berth('run', '--name', 'failed', 'busybox', 'sh', '-c', 'exit 3');
  await engine.ok('run', '-d', '--name', 'checked', '--health-cmd', 'true', 'busybox', 'sleep', '1000');
});
afterAll(() => engine.cleanUp());

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const filters: [filters: string[], found: string][] = [
    [['ancestor=busybox'], 'checked failed made web'],
    [['ancestor=nope'], ''],
    [['before=failed'], 'made web'],
    [['since=made'], 'checked failed'],
    [['exited=3'], 'failed'],
    [['expose=80-89'], 'web'],
    [['expose=90/tcp'], 'web'],
    [['expose=90/udp'], ''],
    [[`publish=${hostPort}`], 'web'],
    [['publish=80'], ''],
    [['health=none'], 'failed made web'],
    [['health=starting', 'health=healthy'], 'checked'],
    [['is-task=true'], ''],
    [['is-task=false'], 'checked failed made web'],
    [['label=tier'], 'made web'],
    [['label=tier=front', 'label=own'], 'web'],
    [['name=^/?made$'], 'made'],
    [['name=e'], 'checked failed made web'],
    [['network=none'], 'made'],
    [['status=created', 'status=exited'], 'failed made'],
    [['volume=data'], 'web'],
    [['volume=/data'], 'web'],
  ];
  test.each(filters)('ps -a --filter %p', async (words, found) => {
    const flags = words.flatMap((word) => ['--filter', word]);
    const { stdout } = await engine[client]('ps', '-a', '--format', '{{.Names}}', ...flags);
    expect(stdout.split('\n').filter(Boolean).toSorted().join(' ')).toBe(found);
  });

  test.each([
    ['exited=x', 'strconv.Atoi: parsing "x": invalid syntax'],
    [
      'publish=70000',
      'error while looking up for publish 70000: strconv.ParseUint: parsing "70000": value out of range',
    ],
    ['expose=x', 'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax'],
    ['is-task=x', "invalid filter 'is-task=[x]'"],
    ['health=x', 'must be one of none, starting, healthy, unhealthy'],
    ['since=nope', 'No such container: nope'],
    ['odd=x', "invalid filter 'odd'"],
  ])('ps --filter %s is refused', async (filter, message) => {
    expect((await engine[client]('ps', '--filter', filter)).stderr).toContain(message);
  });

  test('a filter by exit code does not show what has stopped without -a', async () => {
    expect((await engine[client]('ps', '-q', '--filter', 'exited=3')).stdout).toBe('');
    expect((await engine[client]('ps', '--format', '{{.Names}}', '--filter', 'status=exited')).stdout).toBe('failed\n');
    expect((await engine[client]('ps', '-l', '--format', '{{.Names}}')).stdout).toBe('checked\n');
    expect((await engine[client]('ps', '-n', '2', '--format', '{{.Names}}')).stdout).toBe('checked\nfailed\n');
    expect((await engine[client]('ps', '-as', '--filter', 'name=failed', '--format', '{{.Size}}')).stdout).toMatch(
      /^0B \(virtual [\d.]+MB\)\n$/,
    );
  });

  test('events: what was is followed by what comes, each once', async () => {
    const since = String(Date.now() / 1000);
    const name = (number: number): string => `event-${client}-${number}`;
    const create = async (number: number): Promise<void> => {
      await engine.request('POST', `/containers/create?name=${name(number)}`, { Image: 'busybox', Cmd: ['true'] });
    };
    await Promise.all([0, 1, 2, 3, 4].map(create));
    const watching = engine.spawn(
      client,
      ...['events', '--since', since, '--filter', 'event=create', '--filter', 'type=container'],
      ...['--format', '{{.Actor.Attributes.name}}'],
    );
    // Made while the watching begins: before, in between or after.
    for (let number = 5; number < 40; number++) await create(number);
    const wanted = Array.from({ length: 40 }, (_, number) => name(number)).toSorted();
    await until('forty events', async () => watching.stdout.split('\n').length > 40);
    await watching.kill();
    expect(watching.stdout.split('\n').filter(Boolean).toSorted()).toEqual(wanted);
    const past = await engine[client](
      ...['events', '--since', since, '--until', String(Date.now() / 1000), '--filter', `container=${name(7)}`],
      ...['--format', '{{.Type}} {{.Action}}'],
    );
    expect(past.stdout).toBe('container create\n');
    await engine.ok('rm', ...Array.from({ length: 40 }, (_, number) => name(number)));
  });

  test('wait tells the exit code, of many in the order of their names, and of a removal', async () => {
    expect(await engine[client]('wait', 'failed', 'made')).toMatchObject({ code: 0, stdout: '3\n0\n' });
    const name = `waited-${client}`;
    await engine.ok(
      'run',
      '-d',
      '--rm',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'until [ -e /go ]; do usleep 1000; done; exit 5',
    );
    const { Id } = await engine.inspect(name);
    const removed = engine.request('POST', `/containers/${Id}/wait?condition=removed`);
    const next = engine.request('POST', `/containers/${Id}/wait?condition=next-exit`);
    await engine.touch(name, '/go');
    for (const answer of [await next, await removed]) expect(await answer.json()).toEqual({ StatusCode: 5 });
    expect((await engine.request('GET', `/containers/${Id}/json`)).status).toBe(404);
    const odd = await engine.request('POST', '/containers/web/wait?condition=odd');
    expect([odd.status, await odd.json()]).toEqual([400, { message: 'invalid condition: "odd"' }]);
  });

  test('signals by name and by number, and how a stop ends', async () => {
    const name = `signalled-${client}`;
    const script =
      'trap "echo hup >> /got" HUP; trap "echo usr1 >> /got; exit 6" USR1; touch /got; while :; do usleep 10000; done';
    await engine.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', script);
    await until('its traps', async () => (await engine.berth('exec', name, 'ls', '/got')).code === 0);
    for (const [count, signal] of [...['HUP', 'SIGHUP', 'hup', '1'].entries()]) {
      expect(await engine[client]('kill', '-s', signal, name)).toMatchObject({ code: 0 });
      await until(
        `signal ${count + 1}`,
        async () => (await engine.ok('exec', name, 'cat', '/got')).split('\n').length === count + 1,
      );
    }
    // Debian's older client has no `stop --signal`.
    expect((await engine.request('POST', `/containers/${name}/stop?signal=USR1&t=20`)).status).toBe(204);
    expect((await engine.inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 6 });
    await engine.ok('start', name);
    const begun = performance.now();
    expect(await engine[client]('stop', '-t', '1', name)).toMatchObject({ code: 0 });
    expect(performance.now() - begun).toBeGreaterThan(990);
    expect((await engine.inspect(name)).State.ExitCode).toBe(137);
    expect((await engine[client]('kill', '-s', 'ODD', 'web')).stderr).toContain(
      'cannot kill container: web: invalid signal: ODD',
    );
    expect((await engine.berth('stop', '-s', 'ODD', 'web')).stderr).toContain(
      'cannot stop container: web: invalid signal: ODD',
    );
    await engine.ok('rm', name);
  });

  test('top with options of ps', async () => {
    expect((await engine[client]('top', 'web', '-o', 'pid,comm')).stdout).toMatch(/^PID +COMMAND\n\d+ +sleep\n$/);
    expect((await engine[client]('top', 'web', 'aux')).stdout).toMatch(/^USER +PID +%CPU.*\nroot +\d+ .*sleep 1000\n$/);
    expect((await engine[client]('top', 'web', '-o', 'comm')).stderr).toContain("Couldn't find PID field in ps output");
    expect((await engine[client]('top', 'made')).stderr).toContain('is not running');
  });

  test('prune takes what its filters name and counts the space', async () => {
    const name = (what: string): string => `${what}-${client}`;
    const write = 'head -c 1000000 /dev/zero > /file';
    await engine.ok('run', '--name', name('old'), '-l', `prune=${client}`, 'busybox', 'sh', '-c', write);
    await engine.ok('create', '--name', name('kept'), '-l', `prune=${client}`, '-l', 'keep', 'busybox');
    const prune = (...flags: string[]) =>
      engine[client](
        'container',
        'prune',
        '-f',
        ...[`label=prune=${client}`, ...flags].flatMap((flag) => ['--filter', flag]),
      );
    expect((await prune('until=1h')).stdout).toBe('Total reclaimed space: 0B\n');
    const { Id } = await engine.inspect(name('old'));
    expect((await prune('label!=keep')).stdout).toBe(`Deleted Containers:\n${Id}\n\nTotal reclaimed space: 1MB\n`);
    expect((await prune('odd=x')).stderr).toContain("invalid filter 'odd'");
    await engine.ok('rm', name('kept'));
  });

  test('update: what is felt at once, and what cannot be', async () => {
    const name = `limits-${client}`;
    await engine.ok('run', '-d', '--name', name, '-m', '64m', '--memory-swap', '128m', 'busybox', 'sleep', '1000');
    const flags = ['--cpus', '0.5', '-m', '32m', '--memory-swap', '48m', '--pids-limit', '40', '--cpuset-cpus', '0'];
    expect(await engine[client]('update', ...flags, name)).toMatchObject({ code: 0, stdout: `${name}\n` });
    const { HostConfig } = await engine.inspect(name);
    expect([HostConfig.NanoCpus, HostConfig.Memory, HostConfig.MemorySwap, HostConfig.PidsLimit]).toEqual([
      ...[500_000_000, 33_554_432, 50_331_648, 40],
    ]);
    const files = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true';
    expect(await engine.ok('exec', name, 'sh', '-c', files)).toBe('33554432');
    expect((await engine[client]('update', '--cpu-quota', '20000', name)).stderr).toContain(
      'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set',
    );
    expect((await engine[client]('update', '-m', '100m', name)).stderr).toContain(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
    expect((await engine[client]('update', '-m', '1m', name)).stderr).toContain('Minimum memory limit allowed is 6MB');
    await engine.ok('rm', '-f', name);
    await engine.ok('create', '--name', name, 'busybox');
    expect((await engine[client]('update', '-m', '64m', name)).stderr).toContain(
      'update the memoryswap at the same time',
    );
    expect((await engine[client]('update', '-m', '64m', '--memory-swap', '-1', name)).code).toBe(0);
    await engine.ok('rm', name);
  });

  test('stats: one reading, of those that do not run too, and a stream', async () => {
    const one = await engine[client](
      'stats',
      '--no-stream',
      '--format',
      '{{.Name}} {{.PIDs}} {{.MemUsage}}',
      'web',
      'made',
    );
    expect(one.stdout).toMatch(/^web 1 [\d.]+[KM]iB \/ [\d.]+[GM]iB\nmade 0 0B \/ 0B\n$/);
    const all = await engine[client]('stats', '-a', '--no-stream', '--format', '{{.Name}}');
    expect(all.stdout.split('\n').filter(Boolean).toSorted()).toEqual(['checked', 'failed', 'made', 'web']);
    expect((await engine[client]('stats', '--no-stream', 'nope')).stderr).toContain('No such container: nope');
  });
});

test('what an update cannot change is said', async () => {
  const update = async (body: object): Promise<unknown> =>
    ((await (await engine.request('POST', '/containers/web/update', body)).json()) as { Warnings: unknown }).Warnings;
  expect(await update({})).toBeNull();
  expect(await update({ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }], CgroupParent: '/x' })).toEqual([
    'Ulimits cannot be changed by an update and stays as it is.',
    'CgroupParent cannot be changed by an update and stays as it is.',
  ]);
});

test('stats at the API: one shot is not waited for, the others know the reading before', async () => {
  const read = async (query: string) =>
    (await (await engine.request('GET', `/containers/web/stats?${query}`)).json()) as Record<
      string,
      Record<string, unknown>
    >;
  const answers: string[] = [];
  const noted = async (name: string, query: string): ReturnType<typeof read> => {
    const reading = await read(query);
    answers.push(name);
    return reading;
  };
  const [full, shot] = await Promise.all([noted('full', 'stream=0'), noted('shot', 'stream=0&one-shot=1')]);
  expect(answers).toEqual(['shot', 'full']);
  expect(shot['precpu_stats']?.['system_cpu_usage']).toBeUndefined();
  expect(Number(full['cpu_stats']?.['system_cpu_usage'])).toBeGreaterThan(
    Number(full['precpu_stats']?.['system_cpu_usage']),
  );
  expect(full['pids_stats']?.['current']).toBe(1);
  expect(Object.keys(full['networks'] ?? {})).toEqual(['eth0']);
});
