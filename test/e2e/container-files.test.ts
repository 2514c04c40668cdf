/** Files of containers: cp, export, diff, commit. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let here: string;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  here = mkdtempSync(join(tmpdir(), 'berth-copy-'));
});
afterAll(async () => {
  rmSync(here, { recursive: true, force: true });
  await engine.cleanUp();
});

/** The engine's words, and what older clients make of a 404. */
const missing = /Could not find the file \/no|No such container:path/;

const archive = (container: string, path: string): string =>
  `/v1.51/containers/${container}/archive?path=${encodeURIComponent(path)}`;

async function statOf(container: string, path: string): Promise<Record<string, unknown>> {
  const response = await engine.request('HEAD', archive(container, path));
  return JSON.parse(Buffer.from(response.headers.get('x-docker-container-path-stat') ?? '', 'base64').toString());
}

async function put(
  container: string,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  more = '',
): Promise<[number, string]> {
  const response = await engine.request('PUT', `${archive(container, path)}${more}`, body);
  const text = await response.text();
  return [response.status, text === '' ? '' : JSON.parse(text).message];
}

async function get(container: string, path: string): Promise<[number, string]> {
  const response = await engine.request('GET', archive(container, path));
  const text = await response.text();
  return [response.status, response.ok ? text : JSON.parse(text).message];
}

/** A container in which `script` has run; running on, or not. */
async function container(
  name: string,
  script: string,
  options: { running: boolean; flags?: string[] },
): Promise<string> {
  const { running, flags = [] } = options;
  await engine.ok('run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', `${script}; echo done; sleep 1000`);
  await until('the script to end', async () => (await engine.berth('logs', name)).stdout.includes('done'));
  if (!running) await engine.ok('stop', '-t', '0', name);
  return name;
}

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const ok = async (...args: string[]): Promise<string> => {
    const result = await engine[client](...args);
    expect({ args, ...result }).toMatchObject({ code: 0 });
    return result.stdout.trimEnd();
  };
  const refused = async (...args: string[]): Promise<string> => {
    const result = await engine[client](...args);
    expect(result.code).not.toBe(0);
    return result.stderr;
  };
  const name = (what: string): string => `${what}-${client}`;
  const local = (what: string): string => join(here, name(what));

  describe.each([true, false])('a container that runs: %p', (running) => {
    const id = (what: string): string => name(`${what}-${running}`);

    test('files and folders in and out, by the rules of their ends', async () => {
      const c = await container(id('rules'), 'mkdir -p /d/e; echo in >/d/e/f; ln -s /d /link; ln -s /d/e/f /flink', {
        running,
        flags: ['-v', `${id('rules')}:/data`],
      });
      const from = local(`rules-${running}`);
      mkdirSync(join(from, 'tree/sub'), { recursive: true });
      writeFileSync(join(from, 'one'), 'one', { mode: 0o640 });
      writeFileSync(join(from, 'tree/sub/deep'), 'deep');
      symlinkSync('sub/deep', join(from, 'tree/link'));
      await ok('cp', join(from, 'one'), `${c}:/renamed`);
      await ok('cp', join(from, 'one'), `${c}:/link/`);
      await ok('cp', join(from, 'tree'), `${c}:/d`);
      await ok('cp', `${join(from, 'tree')}/.`, `${c}:/data`);
      await ok('cp', join(from, 'tree'), `${c}:/fresh`);
      expect((await get(c, '/renamed'))[1]).toContain('one');
      expect((await statOf(c, '/renamed'))['mode']).toBe(0o640);
      expect(await statOf(c, '/d/tree/link')).toMatchObject({ linkTarget: '/d/tree/sub/deep', name: 'link' });
      expect((await get(c, '/data/sub/deep'))[1]).toContain('deep');
      expect((await get(c, '/fresh/sub/deep'))[1]).toContain('deep');
      const out = local(`out-${running}`);
      mkdirSync(out);
      await ok('cp', `${c}:/d`, out);
      expect(readFileSync(join(out, 'd/e/f'), 'utf8')).toBe('in\n');
      expect(readFileSync(join(out, 'd/one'), 'utf8')).toBe('one');
      await ok('cp', `${c}:/d/.`, join(out, 'fresh'));
      expect(existsSync(join(out, 'fresh/e/f'))).toBe(true);
      await ok('cp', `${c}:/flink`, join(out, 'asitis'));
      expect(readlinkSync(join(out, 'asitis'))).toBe('/d/e/f');
      await ok('cp', '-L', `${c}:/flink`, join(out, 'followed'));
      expect(lstatSync(join(out, 'followed')).isFile()).toBe(true);
      expect(readFileSync(join(out, 'followed'), 'utf8')).toBe('in\n');
      expect(await refused('cp', `${c}:/nope`, out)).toMatch(missing);
      expect(await refused('cp', join(from, 'tree'), `${c}:/renamed`)).toContain('cannot copy directory');
      expect(await refused('cp', join(from, 'one'), `${c}:/no/where`)).toMatch(missing);
      await engine.ok('rm', '-f', c);
      await engine.ok('volume', 'rm', id('rules'));
    });

    test('a tar on -, both ways', async () => {
      const c = await container(id('pipe'), 'mkdir /d; echo x >/d/f', { running });
      const archived = tar([{ name: 'a/b', content: Buffer.from('piped') }]);
      const wrote = await engine[`${client}With`]({ stdin: archived }, 'cp', '-', `${c}:/d`);
      expect(wrote).toMatchObject({ code: 0 });
      expect(await ok('cp', `${c}:/d`, '-')).toContain('piped');
      await engine.ok('rm', '-f', c);
    });
  });

  test('export is the root without what is mounted on it', async () => {
    const c = await container(name('export'), 'echo v >/data/v; echo r >/root-file', {
      running: true,
      flags: ['-v', '/data'],
    });
    const file = local('export.tar');
    await ok('export', '-o', file, c);
    const list = Bun.spawnSync(['tar', 'tf', file]).stdout.toString().split('\n');
    expect(list).toContain('root-file');
    expect(list).toContain('data/');
    expect(list).not.toContain('data/v');
    expect(list.filter((entry) => /^(proc|sys)\/./.test(entry))).toEqual([]);
    const imported = await engine.ok('import', file, name('imported'));
    expect(imported).toMatch(/^sha256:/);
    expect(await ok('run', '--rm', name('imported'), 'cat', '/root-file')).toBe('r');
    await engine.ok('rm', '-f', '-v', c);
  });

  test('commit: what was added, changed, deleted; config, author, history', async () => {
    const c = await container(
      name('commit'),
      'rm /etc/group; rm -r /var/spool; mkdir /var/spool; echo n >/var/spool/new; ln /var/spool/new /hard; chmod 700 /tmp',
      { running: true },
    );
    const image = name('committed');
    const id = await ok('commit', '-a', 'An Author', '-m', 'a comment', '-c', 'ENV A=b', '-c', 'CMD ["env"]', c, image);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await engine.inspect(c)).State.Status).toBe('running');
    expect(await ok('run', '--rm', image)).toContain('A=b');
    const check = 'test ! -e /etc/group && ls /var/spool && stat -c %h /hard && stat -c %a /tmp';
    expect(await ok('run', '--rm', image, 'sh', '-c', check)).toBe('new\n2\n700');
    const inspect = JSON.parse(await ok('image', 'inspect', image))[0];
    expect(inspect).toMatchObject({ Author: 'An Author', Comment: 'a comment', Id: id });
    expect(inspect.RootFS.Layers).toHaveLength(2);
    const history = await ok('history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', image);
    expect(history.split('\n')[0]).toContain('rm /etc/group');
    expect(history.split('\n')[0]).toEndWith('|a comment');
    expect(await refused('commit', c, 'Upper')).toContain('must be lowercase');
    expect(await refused('commit', '-c', 'RUN x', c)).toContain('RUN is not a valid change command');
    await engine.ok('rm', '-f', c);
    await engine.ok('image', 'rm', image);
  });

  test('diff says exactly what differs', async () => {
    const c = await container(
      name('diff'),
      'mkdir /new; echo f >/new/f; rm /etc/group; echo x >>/etc/passwd; chmod 700 /tmp; rm -r /var/spool; mkdir -p /var/spool',
      { running: false },
    );
    const lines = (await ok('diff', c)).split('\n').sort();
    expect(lines).toEqual(['A /new', 'A /new/f', 'C /etc', 'C /etc/passwd', 'C /tmp', 'D /etc/group']);
    await engine.ok('rm', c);
  });
});

test('paths are seen from inside: no link leads out', async () => {
  const secret = join(here, 'secret');
  writeFileSync(secret, 'of the host');
  for (const running of [true, false]) {
    const c = await container(
      `hostile-${running}`,
      `ln -s ${secret} /abs; ln -s ../../../../../../..${secret} /up; ln -s / /root-link; ln -s ${here} /dir; ln -s loop /loop`,
      { running },
    );
    for (const path of ['/dir/secret', '/root-link/dir/secret', `/../../../..${secret}`])
      expect((await get(c, path))[0]).toBe(404);
    expect((await get(c, '/abs'))[1]).not.toContain('of the host');
    expect(await statOf(c, '/up')).toMatchObject({ linkTarget: secret });
    expect(await get(c, '/loop/x')).toEqual([500, expect.stringContaining('lstat /loop/x')]);
    // A link in the archive, and one that is there already: both are followed inside.
    const body = tar([
      { name: 'out', type: '2', linkName: here },
      { name: 'out/planted', content: Buffer.from('x') },
      { name: 'dir/planted', content: Buffer.from('x') },
      { name: 'hard', type: '1', linkName: 'etc/passwd' },
    ]);
    const [status] = await put(c, '/', body);
    expect([200, 500]).toContain(status);
    expect(existsSync(join(here, 'planted'))).toBe(false);
    expect(await put(c, '/tmp', tar([{ name: '../../../escape', content: Buffer.from('x') }]))).toEqual([
      500,
      'invalid entry name "../../../escape"',
    ]);
    expect((await put(c, '/tmp', tar([{ name: 'h', type: '1', linkName: '../../../../etc/shadow' }])))[0]).toBe(500);
    await engine.ok('rm', '-f', c);
  }
});

test("the host's processes are out of reach, even where the container shares its pids", async () => {
  const c = await container('pids', 'ln -s /proc/1/root /r', { running: true, flags: ['--pid', 'host'] });
  expect((await get(c, '/r/etc/shadow'))[0]).toBe(404);
  expect((await get(c, '/proc/1/root/etc/shadow'))[0]).toBe(404);
  await engine.ok('rm', '-f', c);
});

test("read-only targets are refused in dockerd's words", async () => {
  for (const running of [true, false]) {
    const c = await container(`ro-${running}`, 'true', {
      running,
      flags: ['--read-only', '-v', `ro-${running}:/ro:ro`, '-v', `rw-${running}:/rw`],
    });
    const body = tar([{ name: 'f', content: Buffer.from('x') }]);
    expect(await put(c, '/', body)).toEqual([400, 'container rootfs is marked read-only']);
    expect(await put(c, '/ro', body)).toEqual([400, 'mounted volume is marked read-only']);
    expect(await put(c, '/rw', body)).toEqual([200, '']);
    expect(await put(c, '/etc/passwd', body)).toEqual([400, 'extraction point is not a directory']);
    expect(await put(c, '/none', body)).toEqual([404, `Could not find the file /none in container ${c}`]);
    await engine.ok('rm', '-f', c);
    await engine.ok('volume', 'rm', `ro-${running}`, `rw-${running}`);
  }
});

test('uploads: packed, empty, broken, over something else', async () => {
  await engine.ok('create', '--name', 'uploads', 'busybox', 'true');
  const body = tar([{ name: 'f', content: Buffer.from('packed') }]);
  for (const packed of [Bun.gzipSync(body), Bun.zstdCompressSync(body)]) {
    expect(await put('uploads', '/tmp', new Uint8Array(packed))).toEqual([200, '']);
    expect((await get('uploads', '/tmp/f'))[1]).toContain('packed');
  }
  expect(await put('uploads', '/tmp', new Uint8Array())).toEqual([200, '']);
  expect(await put('uploads', '/tmp', new Uint8Array(3000).fill(7))).toEqual([500, 'archive/tar: invalid tar header']);
  const file = tar([{ name: 'etc', content: Buffer.from('x') }]);
  const no = '&noOverwriteDirNonDir=true';
  expect(await put('uploads', '/', file, no)).toEqual([500, 'cannot overwrite directory "etc" with non-directory "/"']);
  const directory = tar([{ name: 'tmp/f', type: '5' }]);
  expect((await put('uploads', '/', directory, no))[1]).toContain(
    'cannot overwrite non-directory "tmp/f" with directory',
  );
  await engine.ok('rm', 'uploads');
});

test('files of a container that was never started are there when it starts', async () => {
  const c = await engine.ok(
    'create',
    '--name',
    'early',
    '--user',
    '1234:5678',
    'busybox',
    'stat',
    '-c',
    '%u:%g',
    '/tmp/f',
  );
  expect(await put(c, '/tmp', tar([{ name: 'f', content: Buffer.from('x') }]), '&copyUIDGID=true')).toEqual([200, '']);
  expect(await engine.ok('start', '-a', 'early')).toBe('1234:5678');
  await engine.ok('rm', 'early');
});
