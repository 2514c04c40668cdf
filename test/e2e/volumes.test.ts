/** Volumes as whole things: their options, their names, copies of them, and what is left of them after mistakes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult } from '../support/command.ts';
import { run } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  folder = mkdtempSync('/var/tmp/berth-e2e-volumes-');
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.request('POST', '/volumes/prune?filters={"all":["true"]}');
  expect(volumesMounted()).toEqual([]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

/** Mount points of this engine's volumes on the host. */
function volumesMounted(): string[] {
  const below = join(engine.identity.dataRoot, 'volumes');
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((place) => place.startsWith(below));
}

const inVolume = (volume: string, script: string): Promise<string> =>
  engine.ok('run', '--rm', '-v', `${volume}:/v`, 'busybox', 'sh', '-c', script);

function expectRefusal(result: CommandResult, words: string): void {
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain(words);
}

/** Everything that a copy must keep: owners, modes, links, holes, a name that is no text, times, attributes. */
const tree = `cd /v && mkdir -m 1777 d && echo a > d/a && chown 5:6 d/a && chmod 4751 d/a && ln d/a hard && ln -s ../x soft &&
  mkfifo pipe && mknod null c 1 3 && truncate -s 5000000 hole && printf x > "$(printf 'b\\377d')" && touch -d 2001-02-03 d && chmod 700 . && chown 7:8 .`;
const show = 'cd /v && find . | sort | xargs stat -c "%n %f %u %g %h %Y %s %t" && cat d/a';

describe('the local driver mounts', () => {
  test('a tmpfs, for all containers together, until the last is gone', async () => {
    await engine.ok(
      'volume',
      'create',
      '-o',
      'type=tmpfs',
      '-o',
      'device=tmpfs',
      '-o',
      'o=size=1m,mode=1770',
      'memory',
    );
    expect((await engine.docker('volume', 'inspect', '-f', '{{json .Options}}', 'memory')).stdout.trim()).toBe(
      '{"device":"tmpfs","o":"size=1m,mode=1770","type":"tmpfs"}',
    );
    await engine.ok('run', '-d', '--name', 'one', '-v', 'memory:/v', 'busybox', 'sleep', '1000');
    await engine.ok('exec', 'one', 'sh', '-c', 'echo shared > /v/f');
    expect(await inVolume('memory', 'cat /v/f; stat -f -c %T /v; stat -c %a /v')).toBe('shared\ntmpfs\n1770');
    await engine.kill9();
    await engine.start();
    expect(await inVolume('memory', 'cat /v/f')).toBe('shared');
    expect(volumesMounted().length).toBe(1);
    await engine.ok('stop', '-t', '0', 'one');
    expect(await inVolume('memory', 'ls /v')).toBe('');
  });

  test('a directory of the host, read-only where it says so', async () => {
    const source = join(folder, 'source');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'f'), 'of the host');
    const options = (o: string) => ['-o', 'type=none', '-o', `device=${source}`, '-o', `o=${o}`];
    await engine.ok('volume', 'create', ...options('bind'), 'bound');
    await engine.ok('volume', 'create', ...options('bind,ro'), 'read-only');
    expect(await inVolume('bound', 'cat /v/f; echo new > /v/g')).toBe('of the host');
    expect(await inVolume('read-only', 'cat /v/g; touch /v/h 2>&1 || true')).toContain('Read-only file system');
    // Removal and copies know the device from the volume's own directory.
    expect(await engine.ok('volume', 'clone', 'bound', 'copied')).toBe('copied');
    await engine.ok('volume', 'rm', 'bound', 'read-only');
    expect(readdirSync(source).sort()).toEqual(['f', 'g']);
    expect(await inVolume('copied', 'cat /v/g')).toBe('new');
  });

  test('what cannot be mounted is told by the start, and leaves nothing', async () => {
    await engine.ok('volume', 'create', '-o', 'type=none', '-o', 'device=/no/such', '-o', 'o=bind', 'broken');
    for (const client of ['berth', 'docker'] as const)
      expectRefusal(
        await engine[client]('run', '--rm', '-v', 'broken:/v', 'busybox', 'true'),
        `failed to mount local volume: mount /no/such:${join(engine.identity.dataRoot, 'volumes/broken/_data')}, flags: 0x1000: no such file or directory`,
      );
    expectRefusal(await engine.docker('volume', 'create', '-o', 'nonsense=1', 'x1'), 'invalid option: "nonsense"');
    expect(await engine.ok('ps', '-aq')).toBe('');
  });
});

test('a read-only mount of the host stays read-only under both runtimes', async () => {
  const place = join(folder, 'read-only');
  mkdirSync(place);
  await run(['mount', '--bind', '-o', 'ro', '/usr', place]);
  try {
    for (const runtime of ['crun', 'runc'])
      expectRefusal(
        await engine.berth('run', '--rm', '--runtime', runtime, '-v', `${place}:/m`, 'busybox', 'touch', '/m/x'),
        'Read-only file system',
      );
  } finally {
    await run(['umount', place]);
  }
});

test.each(['berth', 'docker'] as const)(
  '%s lists by filter, counts users, prunes what it is asked to',
  async (client) => {
    const cli = async (...args: string[]): Promise<string> => {
      const result = await engine[client](...args);
      expect(result).toMatchObject({ code: 0 });
      return result.stdout.trim();
    };
    const names = async (...filters: string[]): Promise<string> =>
      (await cli('volume', 'ls', '-q', ...filters.flatMap((filter) => ['-f', filter]))).replaceAll('\n', ' ');
    await cli('volume', 'create', '--label', 'tier=db', 'data-1');
    await cli('volume', 'create', '--label', 'tier=web', '--label', 'keep', 'data-2');
    await cli('volume', 'create', 'other');
    await inVolume('data-1', 'printf 12345 > /v/f; ln /v/f /v/g');
    for (const name of ['one', 'two']) await engine.ok('create', '--name', name, '-v', 'data-1:/v', 'busybox', 'true');
    expect(await names('label=tier')).toBe('data-1 data-2');
    expect(await names('label=tier=db')).toBe('data-1');
    expect(await names('name=data')).toBe('data-1 data-2');
    expect(await names('name=^data-2$', 'driver=local')).toBe('data-2');
    expect(await names('driver=nfs')).toBe('');
    expect(await names('dangling=true')).toBe('data-2 other');
    expect(await names('dangling=0')).toBe('data-1');
    const { Volumes } = (await (await engine.request('GET', '/system/df')).json()) as {
      Volumes: { Name: string; UsageData: unknown }[];
    };
    expect(Volumes.find(({ Name }) => Name === 'data-1')?.UsageData).toEqual({ RefCount: 2, Size: 5 });
    expect(await cli('system', 'df', '-v')).toMatch(/^data-1 +2 +5B$/m);
    expectRefusal(await engine[client]('volume', 'rm', 'data-1'), 'volume is in use');
    expectRefusal(await engine[client]('volume', 'rm', '-f', 'data-1'), 'volume is in use');
    await cli('volume', 'rm', '-f', 'no-such');
    // Debian's client speaks of the time before 1.42, when volumes with names went as well.
    if (client === 'berth') await cli('volume', 'prune', '-f');
    expect(await names()).toBe('data-1 data-2 other');
    const keep = encodeURIComponent('{"all":["true"],"label!":["keep"]}');
    const pruned = await (await engine.request('POST', `/volumes/prune?filters=${keep}`)).json();
    expect(pruned).toEqual({ VolumesDeleted: ['other'], SpaceReclaimed: 0 });
  },
);

test('two containers share a directory of the host', async () => {
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  for (const name of ['first', 'second'])
    await engine.ok('run', '-d', '--name', name, '-v', `${shared}:/data`, 'busybox', 'sleep', '1000');
  await engine.ok('exec', 'first', 'sh', '-c', 'echo hello > /data/letter');
  expect((await engine.docker('exec', 'second', 'cat', '/data/letter')).stdout).toBe('hello\n');
  writeFileSync(join(shared, 'letter'), 'from the host');
  expect(await engine.ok('exec', 'first', 'cat', '/data/letter')).toBe('from the host');
});

test('an image is mounted read-only, whole or a directory of it, and stays while a container has it', async () => {
  await engine.ok('create', '--name', 'maker', 'busybox', 'true');
  writeFileSync(join(folder, 'made'), 'of the image');
  await engine.ok('cp', join(folder, 'made'), 'maker:/etc/made');
  await engine.ok('commit', 'maker', 'mounted');
  const create = (name: string, more: string, script: string) =>
    engine.ok(
      'create',
      '--name',
      name,
      '--mount',
      `type=image,src=mounted,dst=/m${more}`,
      'busybox',
      'sh',
      '-c',
      script,
    );
  await create('whole', '', 'cat /m/etc/made; touch /m/etc/new 2>&1; ls /m/bin | grep -c busybox');
  await create('part', ',image-subpath=etc', 'cat /m/made; ls /m | wc -l');
  await create('none', ',image-subpath=nowhere', 'true');
  expectRefusal(await engine.docker('rmi', 'mounted'), 'is using');
  for (const rounds of [1, 2]) {
    const said = await engine.berth('start', '-a', 'whole');
    expect(said.stdout, `round ${rounds}`).toMatch(/^of the imagetouch: \/m\/etc\/new: Read-only file system\n1$/m);
  }
  expect(await engine.ok('start', '-a', 'part')).toStartWith('of the image');
  expectRefusal(await engine.berth('start', 'none'), 'cannot access path /nowhere of image mounted');
  expectRefusal(
    await engine.berth('create', '--mount', 'type=image,src=mounted,dst=/m,image-subpath=../x', 'busybox'),
    'subpath must be a relative path',
  );
  await engine.ok('rm', 'maker', 'whole', 'part', 'none');
  await engine.ok('rmi', 'mounted');
});

describe('whole volumes', () => {
  test('a clone, and an export that is imported, have everything', async () => {
    await inVolume('first', tree);
    const wanted = await inVolume('first', show);
    await engine.ok('volume', 'clone', 'first', 'second');
    const file = join(folder, 'first.tar');
    await engine.ok('volume', 'export', '-o', file, 'first');
    expect(await engine.ok('volume', 'import', 'third', file)).toBe('third');
    await engine.ok('volume', 'create', 'fourth');
    await run(['gzip', '-k', file]);
    await engine.ok('volume', 'import', 'fourth', `${file}.gz`);
    for (const name of ['second', 'third', 'fourth']) expect(await inVolume(name, show)).toBe(wanted);
    // A copy is a copy.
    await inVolume('second', 'echo changed > /v/d/a');
    expect(await inVolume('first', show)).toBe(wanted);
    expect(await engine.ok('volume', 'du', '--format', '{{.Name}} {{.Entries}} {{.Links}}', 'first')).toBe('first 8 0');
  });

  test('a stopped container keeps a volume that gets another name, and the name is free', async () => {
    await inVolume('old', 'echo kept > /v/f');
    await engine.ok('create', '--name', 'binds', '-v', 'old:/v', 'busybox', 'cat', '/v/f');
    await engine.ok('create', '--name', 'mounts', '--mount', 'type=volume,src=old,dst=/v', 'busybox', 'cat', '/v/f');
    await engine.ok('volume', 'rename', 'old', 'new');
    expect(await engine.ok('volume', 'ls', '-q')).toBe('new');
    for (const name of ['binds', 'mounts']) {
      const { Mounts } = await engine.inspect(name);
      expect(Mounts).toMatchObject([{ Name: 'new', Source: join(engine.identity.dataRoot, 'volumes/new/_data') }]);
      expect(await engine.ok('start', '-a', name)).toBe('kept');
    }
    expect((await engine.inspect('binds')).HostConfig.Binds).toEqual(['new:/v']);
    expect(await inVolume('old', 'ls /v')).toBe('');
    await engine.ok('run', '-d', '--name', 'runs', '-v', 'new:/v', 'busybox', 'sleep', '1000');
    expectRefusal(await engine.berth('volume', 'rename', 'new', 'newer'), 'in use by a running container');
    expectRefusal(await engine.berth('volume', 'rename', 'old', 'new'), 'exists already');
    expectRefusal(await engine.berth('volume', 'rename', 'none', 'newer'), 'no such volume');
    expectRefusal(await engine.berth('volume', 'rename', 'old', 'a/b'), 'includes invalid characters');
  });

  test('an anonymous volume that gets a name is not removed with its container', async () => {
    await engine.ok('create', '--name', 'owner', '-v', '/v', 'busybox');
    const [{ Name }] = (await engine.inspect('owner')).Mounts as [{ Name: string }];
    await engine.ok('volume', 'rename', Name, 'precious');
    await engine.ok('rm', '-v', 'owner');
    await engine.ok('volume', 'prune', '-f');
    expect(await engine.ok('volume', 'ls', '-q')).toBe('precious');
  });

  test('what cannot be copied leaves nothing', async () => {
    await inVolume('full', 'echo x > /v/f');
    expectRefusal(await engine.berth('volume', 'clone', 'none', 'x1'), 'no such volume');
    expectRefusal(await engine.berth('volume', 'clone', 'full', 'full'), 'exists already');
    expectRefusal(await engine.berth('volume', 'clone', 'full', 'a/b'), 'includes invalid characters');
    expectRefusal(await engine.berth('volume', 'export', 'none', '-o', join(folder, 'none.tar')), 'no such volume');
    expectRefusal(await engine.berth('volume', 'import', 'full', '/bin/sh'), 'tar');
    const bad = join(folder, 'bad.tar');
    writeFileSync(bad, Buffer.alloc(4096, 'no tar '));
    expectRefusal(await engine.berth('volume', 'import', 'x1', bad), 'tar');
    const good = join(folder, 'good.tar');
    await engine.ok('volume', 'export', '-o', good, 'full');
    expectRefusal(await engine.berth('volume', 'import', 'full', good), 'volume is not empty');
    writeFileSync(bad, readFileSync(good).subarray(0, 700));
    expectRefusal(await engine.berth('volume', 'import', 'x1', bad), '');
    expect(await engine.ok('volume', 'ls', '-q')).toBe('full');
    expect(readdirSync(join(engine.identity.dataRoot, 'volumes'))).toEqual(['full']);
    expect(existsSync(join(folder, 'none.tar'))).toBe(false);
  });
});
