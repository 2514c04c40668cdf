import { describe, expect, test } from 'bun:test';
import { BerthDatabase } from '../../store/db/database.ts';
import { ContainerIndex } from './container-index.ts';
import { FakeEngine, newTestRecord, testConfig, testHostConfig } from './fake-engine.ts';
import { logPlan } from './log-plan.ts';
import { mergeConfig } from './merge-config.ts';
import { checkedName, generateName } from './names.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import { restartDelay, shouldRestart, startsWithEngine } from './restart-policy.ts';
import { statusText } from './status-text.ts';

describe('the index', () => {
  const index = new ContainerIndex(new BerthDatabase(':memory:'));
  const one = index.add(newTestRecord({ id: `ab1${'0'.repeat(61)}`, name: 'one' }));
  index.add(newTestRecord({ id: `ab2${'0'.repeat(61)}`, name: 'two' }));
  index.add(newTestRecord({ id: `cd1${'0'.repeat(61)}`, name: 'ab1' }));

  test('finds by id, name with or without slash, unique prefix', () => {
    expect(index.find(one.id)).toBe(one);
    expect(index.find('/one')).toBe(one);
    expect(index.find('ab10')).toBe(one);
  });
  test('a name wins over a prefix', () => expect(index.find('ab1').record.name).toBe('ab1'));
  test('an ambiguous prefix and a stranger are told apart', () => {
    expect(() => index.find('ab')).toThrow('multiple IDs found with provided prefix: ab');
    expect(() => index.find('nobody')).toThrow('No such container: nobody');
    expect(() => index.find('')).toThrow('No such container: ');
  });
  test('a name is free as soon as its holder is removed or renamed', () => {
    index.rename(one, 'uno');
    index.checkName('one');
    index.remove(one);
    index.checkName('uno');
    expect(() => index.find('uno')).toThrow('No such container: uno');
  });
  test('the order of creation survives the engine', () => {
    const database = new BerthDatabase(':memory:');
    const first = new ContainerIndex(database);
    const fractions = ['1', '12', '123', '2', '05', ''];
    for (const [number, fraction] of fractions.entries())
      first.add(
        newTestRecord({
          id: String(9 - number).repeat(64),
          name: `n${fraction}`,
          created: `2026-01-01T00:00:00${fraction && `.${fraction}`}Z`,
        }),
      );
    const again = new ContainerIndex(database);
    again.load();
    expect([...again.all()].map(({ record }) => record.name)).toEqual(['n', 'n05', 'n1', 'n12', 'n123', 'n2']);
  });
  test('integers of 64 bits survive the database', () => {
    const database = new BerthDatabase(':memory:');
    const hostConfig = testHostConfig({ Memory: 2n ** 63n - 1n });
    new ContainerIndex(database).add(newTestRecord({ hostConfig }));
    const again = new ContainerIndex(database);
    again.load();
    expect(again.find('web').record.hostConfig.Memory).toBe(2n ** 63n - 1n);
  });
});

describe('the row of a container', () => {
  test('gives back the same record, whatever is usual or not', () => {
    const records = [
      newTestRecord(),
      newTestRecord({
        hostConfig: testHostConfig({ NetworkMode: 'host', Memory: 2n ** 63n - 1n, Dns: null, Binds: ['/a:/b'] }),
      }),
      newTestRecord({ config: testConfig({ Env: [], Labels: { a: 'b' }, Tty: true }), state: 'exited', exitCode: 3 }),
    ];
    for (const record of records) expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });
  test('of a plain container fits into a page of an index', async () => {
    const engine = new FakeEngine();
    const id = await engine.run();
    expect(encodeRecord(engine.service.context.index.find(id).record).length).toBeLessThan(900);
  });
  test('what is decoded shares nothing with what is usual', () => {
    const text = encodeRecord(newTestRecord());
    decodeRecord(text).mounts.push({} as never);
    expect(decodeRecord(text).mounts).toEqual([]);
  });
});

describe('names', () => {
  test('are checked as dockerd does', () => {
    expect(checkedName('/web_1.x-y')).toBe('web_1.x-y');
    for (const name of ['a', 'a b', '-x', 'a/b', ''])
      expect(() => checkedName(name)).toThrow(
        `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      );
  });
  test('a generated one that is taken gets a number', () => {
    const first = generateName(
      () => false,
      () => 0,
    );
    expect(
      generateName(
        (name) => name === first,
        () => 0,
      ),
    ).toBe(`${first}0`);
  });
});

describe('config and image', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['default'], Env: ['PATH=/bin', 'A=image'], Labels: { a: '1', b: '2' } };
  const merged = (own: object) => mergeConfig(testConfig({ Cmd: null, ...own }), image);

  test('nothing said: the image’s', () =>
    expect(merged({})).toMatchObject({ Entrypoint: ['/entry'], Cmd: ['default'] }));
  test('a command replaces only the command', () =>
    expect(merged({ Cmd: ['x'] })).toMatchObject({ Entrypoint: ['/entry'], Cmd: ['x'] }));
  test('an entrypoint drops the image’s command', () =>
    expect(merged({ Entrypoint: ['/own'] })).toMatchObject({ Entrypoint: ['/own'], Cmd: null }));
  test('an empty entrypoint keeps a given command alone', () => {
    expect(merged({ Entrypoint: [''], Cmd: ['x'] })).toMatchObject({ Entrypoint: null, Cmd: ['x'] });
    expect(() => merged({ Entrypoint: [''] })).toThrow('no command specified');
    expect(merged({ Entrypoint: [], Cmd: ['x'] })).toMatchObject({ Entrypoint: [], Cmd: ['x'] });
  });
  test('variables and labels are joined, the client’s win', () =>
    expect(merged({ Env: ['A=own'], Labels: { b: '3' } })).toMatchObject({
      Env: ['A=own', 'PATH=/bin'],
      Labels: { a: '1', b: '3' },
    }));
});

describe('restart policy', () => {
  const facts = { exitCode: 1, stoppedByUser: false, restartCount: 0 };
  const policy = (Name: string, MaximumRetryCount = 0) => ({ policy: { Name, MaximumRetryCount } });

  test('who comes back', () => {
    expect(shouldRestart({ ...facts, ...policy('no') })).toBe(false);
    expect(shouldRestart({ ...facts, ...policy('always'), exitCode: 0 })).toBe(true);
    expect(shouldRestart({ ...facts, ...policy('always'), stoppedByUser: true })).toBe(false);
    expect(shouldRestart({ ...facts, ...policy('on-failure'), exitCode: 0 })).toBe(false);
    expect(shouldRestart({ ...facts, ...policy('on-failure', 2), restartCount: 1 })).toBe(true);
    expect(shouldRestart({ ...facts, ...policy('on-failure', 2), restartCount: 2 })).toBe(false);
  });
  test('the waits double to a minute and begin anew after ten seconds', () => {
    const waits: number[] = [];
    for (let wait = 0; waits.length < 12; waits.push(wait)) wait = restartDelay(wait, 5);
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(60_000);
    expect(restartDelay(60_000, 10_000)).toBe(100);
  });
  test('with the engine', () => {
    expect(startsWithEngine({ ...facts, ...policy('always'), stoppedByUser: true })).toBe(true);
    expect(startsWithEngine({ ...facts, ...policy('unless-stopped'), stoppedByUser: true })).toBe(false);
    expect(startsWithEngine({ ...facts, ...policy('unless-stopped'), exitCode: 0 })).toBe(true);
    expect(startsWithEngine({ ...facts, ...policy('on-failure') })).toBe(true);
    expect(startsWithEngine({ ...facts, ...policy('on-failure'), exitCode: 0 })).toBe(false);
    expect(startsWithEngine({ ...facts, ...policy('no') })).toBe(false);
  });
});

describe('status text', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const at = (state: 'running' | 'paused' | 'exited' | 'restarting' | 'created', extra = {}) =>
    statusText(newTestRecord({ state, startedAt: '2026-01-01T00:00:00Z', ...extra }), now);
  test('as docker ps shows it', () => {
    expect(at('running')).toBe('Up About an hour');
    expect(at('paused')).toBe('Up About an hour (Paused)');
    expect(at('exited', { exitCode: 3, finishedAt: '2026-01-01T00:58:00Z' })).toBe('Exited (3) 2 minutes ago');
    expect(at('restarting', { exitCode: 1, finishedAt: '2026-01-01T00:59:55Z' })).toBe('Restarting (1) 5 seconds ago');
    expect(at('created')).toBe('Created');
  });
});

describe('logs', () => {
  const withLog = (Type: string, Config: Record<string, string>) => testHostConfig({ LogConfig: { Type, Config } });
  const plan = (Config: Record<string, string>) =>
    logPlan(newTestRecord({ hostConfig: withLog('json-file', Config) }), '/log');

  test('a log that says nothing is bounded', () => expect(plan({})).toMatchObject({ maxSize: 20e6, maxFile: 5 }));
  test('sizes as Docker reads them', () => {
    expect(plan({ 'max-size': '10k', 'max-file': '3' })).toMatchObject({ maxSize: 10_000, maxFile: 3 });
    expect(plan({ 'max-size': '-1' })).toMatchObject({ maxSize: -1 });
    expect(() => plan({ 'max-size': 'x' })).toThrow("invalid size: 'x'");
    expect(() => plan({ 'max-file': '0' })).toThrow('max-file cannot be less than 1');
  });
  test('attributes', () => {
    const record = newTestRecord({
      config: testConfig({ Labels: { a: '1', b: '2' }, Env: ['X=y', 'Z=w'] }),
      hostConfig: withLog('json-file', { labels: 'a', 'env-regex': '^Z', tag: '{{.Name}}/{{.ID}}' }),
    });
    expect(logPlan(record, '/log')).toMatchObject({ attributes: { a: '1', Z: 'w', tag: 'web/cccccccccccc' } });
  });
});

describe('list', () => {
  test('filters, order and limit', async () => {
    const engine = new FakeEngine();
    const one = await engine.run({ Labels: { tier: 'web' } }, {}, 'one');
    const two = await engine.create({ Cmd: ['echo', 'a b'] }, {}, 'two');
    const names = (filters: Record<string, string[]>, all = true, limit = 0): string[] =>
      engine.service
        .list({ all, limit, size: false, filters: new Map(Object.entries(filters)) })
        .map(({ Names }) => Names[0] as string);
    expect(names({})).toEqual(['/two', '/one']);
    expect(names({}, false)).toEqual(['/one']);
    expect(names({}, false, 1)).toEqual(['/two']);
    expect(names({ status: ['created'] }, false)).toEqual(['/two']);
    expect(names({ label: ['tier=web'] })).toEqual(['/one']);
    expect(names({ name: ['^/tw'] })).toEqual(['/two']);
    expect(names({ id: [one.slice(0, 6)] })).toEqual(['/one']);
    expect(names({ since: ['one'] })).toEqual(['/two']);
    expect(names({ before: ['two'] })).toEqual(['/one']);
    expect(names({ ancestor: ['busybox'] }).length).toBe(2);
    expect(names({ network: ['bridge'] })).toEqual(['/two']);
    expect(() => names({ status: ['foo'] })).toThrow("invalid filter 'status=foo'");
    const [summary] = engine.service.list({ all: true, limit: 0, size: false, filters: new Map([['id', [two]]]) });
    expect(summary).toMatchObject({ Command: "echo 'a b'", State: 'created', Status: 'Created', Ports: [] });
  });
});

describe('the bundle', () => {
  interface Spec {
    process: Record<string, unknown>;
    hostname: string;
    mounts: { destination: string; options: string[] }[];
    linux: Record<string, unknown>;
    annotations?: unknown;
  }
  const bundleOf = async (config: object, host: object): Promise<Spec> => {
    const engine = new FakeEngine();
    const id = await engine.run(config, host);
    return JSON.parse(engine.files.bundlesById.get(id)?.config ?? '') as Spec;
  };

  test('of a plain container is what dockerd writes', async () => {
    const spec = await bundleOf({ Cmd: ['sleep', '1'], Hostname: 'h' }, {});
    expect(spec.process).toMatchObject({
      user: { uid: 0, gid: 0, additionalGids: [0] },
      args: ['sleep', '1'],
      // Without a passwd file runc, which dockerd uses, adds the last by itself.
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=h', 'HOME=/'],
      cwd: '/',
    });
    expect(spec.mounts.map(({ destination }) => destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/sys/fs/cgroup',
      '/dev/mqueue',
      '/dev/shm',
      '/etc/resolv.conf',
      '/etc/hostname',
      '/etc/hosts',
    ]);
    expect(spec.linux).toMatchObject({
      namespaces: expect.arrayContaining([{ type: 'network', path: '/proc/self/ns/net' }]),
      seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
    });
  });
  test('network parameters are the shim’s to write, others the runtime’s', async () => {
    const engine = new FakeEngine();
    const Sysctls = { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '9' };
    const id = await engine.run({}, { Sysctls });
    expect(engine.supervisor.started[0]?.sysctls).toEqual({
      'net.ipv4.ip_unprivileged_port_start': '0',
      'net.ipv4.ping_group_range': '0 2147483647',
      'net.ipv4.ip_forward': '1',
    });
    const spec = JSON.parse(engine.files.bundlesById.get(id)?.config ?? '') as Spec;
    expect(spec.linux['sysctl']).toEqual({ 'kernel.msgmax': '9' });
  });
  test('of a privileged one has no filter, no masks, writable /sys', async () => {
    const spec = await bundleOf({}, { Privileged: true });
    expect(spec.linux['seccomp']).toBeUndefined();
    expect(spec.linux['maskedPaths']).toBeUndefined();
    expect(spec.mounts.find(({ destination }) => destination === '/sys')?.options).not.toContain('ro');
  });
  test('of a read-only one', async () => {
    const spec = await bundleOf({}, { ReadonlyRootfs: true });
    const options = Object.fromEntries(spec.mounts.map((mount) => [mount.destination, mount.options]));
    expect(options['/etc/hosts']).toContain('ro');
    expect(options['/dev/shm']).not.toContain('ro');
  });
  test('limits, init and annotations', async () => {
    const spec = await bundleOf(
      { Cmd: ['x'] },
      { Memory: 32e6, NanoCpus: 5e8, PidsLimit: 9, Init: true, Annotations: { a: 'b' } },
    );
    expect(spec.process['args']).toEqual(['/sbin/docker-init', '--', 'x']);
    expect(spec.annotations).toEqual({ a: 'b' });
    expect(spec.linux['resources']).toMatchObject({
      memory: { limit: 32e6, swap: 64e6 },
      cpu: { quota: 50_000, period: 100_000 },
      pids: { limit: 9 },
    });
  });
  test('limits of 64 bits keep every digit', async () => {
    const engine = new FakeEngine();
    const id = await engine.run({}, { Memory: 2n ** 62n + 1n, MemorySwap: -1 });
    expect(engine.files.bundlesById.get(id)?.config).toContain('"memory":{"limit":4611686018427387905,"swap":-1}');
  });
  test('a user’s mount takes the place of a default one', async () => {
    const spec = await bundleOf({}, { Tmpfs: { '/dev/shm': 'size=1m' }, Binds: ['/h:/a/b', '/h:/a'] });
    expect(spec.mounts.filter(({ destination }) => destination === '/dev/shm').length).toBe(1);
    const order = spec.mounts.map(({ destination }) => destination);
    expect(order.indexOf('/a')).toBeLessThan(order.indexOf('/a/b'));
  });
});

describe('sizes', () => {
  test('are only measured when asked for', async () => {
    const engine = new FakeEngine();
    const id = await engine.create({ Image: 'busybox' });
    const list = { all: true, limit: 0, filters: new Map() };
    expect('SizeRootFs' in (engine.service.list({ ...list, size: false })[0] ?? {})).toBe(false);
    expect((await engine.service.list({ ...list, size: true }))[0]).toMatchObject({ SizeRootFs: 1000 });
    expect(await engine.service.inspect(id, { size: true })).toMatchObject({ SizeRw: 0, SizeRootFs: 1000 });
  });
});

test('prune goes on past a container that is started meanwhile', async () => {
  const engine = new FakeEngine();
  const started = await engine.create({ Image: 'busybox' });
  const idle = await engine.create({ Image: 'busybox' });
  engine.files.sizesOf = async (ids) => {
    await engine.service.start(started);
    return ids.map(() => 10);
  };
  expect(await engine.service.prune(new Map())).toEqual({ ContainersDeleted: [idle], SpaceReclaimed: 10 });
});
