/** `cp` in both directions: the same files end up at the same places as with docker's client. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let folder: string;
const clients = ['berth', 'docker'] as const;

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  folder = mkdtempSync('/var/tmp/berth-e2e-copy-');
  const source = join(folder, 'source');
  mkdirSync(join(source, 'dir/sub'), { recursive: true });
  writeFileSync(join(source, 'file'), 'one\n');
  chmodSync(join(source, 'file'), 0o640);
  writeFileSync(join(source, 'we ird,[n]*me&'), 'odd\n');
  writeFileSync(join(source, 'dir/sub/deep'), 'deep\n');
  symlinkSync('file', join(source, 'link'));
  symlinkSync('dir', join(source, 'dlink'));
  linkSync(join(source, 'dir/sub/deep'), join(source, 'dir/hard'));
  await engine.ok('create', '--name', 'filled', 'busybox', 'true');
  await engine.ok('cp', `${source}/.`, 'filled:/data');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

const listing = ['find', '.', '-printf', '%p %y %m %s %l %n\\n'];

describe.each([
  ['file', '/root/'],
  ['file', '/root/new'],
  ['file', '/etc/passwd'],
  ['file', '/root/none/'],
  ['file', '/none/x'],
  ['dir', '/root'],
  ['dir/.', '/root'],
  ['dir', '/root/new'],
  ['dir', '/etc/passwd'],
  ['link', '/root/'],
  ['link', '/root/', '-L'],
  ['dlink/', '/root/'],
  ['we ird,[n]*me&', '/root/n&,[x]'],
  ['none', '/root'],
])('in: %s to %s %s', (from, to, ...flags) => {
  test('as docker does', async () => {
    const seen = await Promise.all(
      clients.map(async (client) => {
        const id = (await engine.ok('create', 'busybox', 'true')).trim();
        const result = await engine[`${client}With`](
          { cwd: join(folder, 'source') },
          'cp',
          ...flags,
          from,
          `${id}:${to}`,
        );
        const tree = mkdtempSync(join(folder, 'tree-'));
        await engine.ok('cp', `${id}:/root`, tree).catch(() => '');
        return { code: result.code, tree: (await runOk(listing, { cwd: tree })).split('\n').sort() };
      }),
    );
    expect(seen[0]).toEqual(seen[1] as (typeof seen)[number]);
  });
});

describe.each([
  ['/data/file', '.'],
  ['/data/file', 'there'],
  ['/data/file', 'new'],
  ['/data/file', 'old'],
  ['/data/file', 'none/'],
  ['/data/file', 'none/x'],
  ['/data/dir', 'there'],
  ['/data/dir/.', 'there'],
  ['/data/dir', 'new'],
  ['/data/dir/.', 'new'],
  ['/data/dir', 'old'],
  ['/data/link', '.'],
  ['/data/link', '.', '-L'],
  ['/data/dlink', '.', '-L'],
  ['/data/we ird,[n]*me&', 'n&,[x]'],
  ['/none', '.'],
])('out: %s to %s %s', (from, to, ...flags) => {
  test('as docker does', async () => {
    const seen = await Promise.all(
      clients.map(async (client) => {
        const cwd = mkdtempSync(join(folder, 'out-'));
        mkdirSync(join(cwd, 'there'));
        writeFileSync(join(cwd, 'old'), 'old\n');
        const result = await engine[`${client}With`]({ cwd }, 'cp', ...flags, `filled:${from}`, to);
        return { code: result.code, tree: (await runOk(listing, { cwd })).split('\n').sort() };
      }),
    );
    expect(seen[0]).toEqual(seen[1] as (typeof seen)[number]);
  });
});

test('a tar goes in and comes out as it is', async () => {
  const tar = await engine.berth('cp', 'filled:/data/dir', '-');
  expect(tar.code).toBe(0);
  const made = Bun.spawn(['tar', '-C', join(folder, 'source'), '-c', 'file'], { stdout: 'pipe' });
  const stdin = new Uint8Array(await new Response(made.stdout).arrayBuffer());
  const again = await engine.berthWith({ stdin }, 'cp', '-', 'filled:/data');
  expect(again).toMatchObject({ code: 0, stderr: '' });
  const onto = await engine.berthWith({ stdin: '' }, 'cp', '-', 'filled:/etc/passwd');
  expect(onto.stderr).toBe('destination "filled:/etc/passwd" must be a directory\n');
});

test('export gives the whole root', async () => {
  const file = join(folder, 'root.tar');
  await engine.ok('export', '-o', file, 'filled');
  expect((await runOk(['tar', 'tf', file])).split('\n')).toContain('data/dir/sub/deep');
});

describe.each(clients)('%s', (client) => {
  test('commit makes an image of what changed, with what was asked for', async () => {
    const id = (await engine.ok('create', 'busybox', 'cat', '/root/file')).trim();
    await engine.ok('cp', join(folder, 'source/file'), `${id}:/root/file`);
    const words = ['commit', '-m', 'said', '-a', 'somebody', '-c', 'ENV A=1', id, `made/by-${client}:v1`];
    const made = await engine[client](...words);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await engine.ok('run', '--rm', `made/by-${client}:v1`)).toBe('one');
    const facts = await engine.ok(
      'image',
      'inspect',
      '-f',
      '{{.Author}} {{.Comment}} {{.Config.Env}}',
      made.stdout.trim(),
    );
    expect(facts).toStartWith('somebody said [');
    expect(facts).toContain('A=1');
  });

  test('diff names what changed', async () => {
    const id = (await engine.ok('create', 'busybox', 'true')).trim();
    await engine.ok('cp', join(folder, 'source/file'), `${id}:/root/file`);
    const { stdout } = await engine[client]('diff', id);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['A /root/file']));
  });
});
