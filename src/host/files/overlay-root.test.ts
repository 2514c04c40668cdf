import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { overlayEntry, readOverlayFile } from './overlay-root.ts';
import { readInRoot } from './read-in-root.ts';

let root = '';
const layers = (): string[] => ['top', 'middle', 'base'].map((name) => join(root, name));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'overlay-root-'));
  const file = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await file('secret', 'of the host');
  await file('base/etc/passwd', 'base');
  await file('base/etc/group', 'base');
  await file('base/usr/lib/passwd', 'lib');
  await file('middle/etc/group', 'middle');
  await file('middle/plain/file', 'x');
  await file('base/plain', 'hidden by a directory');
  await mkdir(join(root, 'top/etc'), { recursive: true });
  await symlink('/usr/lib/passwd', join(root, 'top/etc/passwd'));
  await symlink('../../../../secret', join(root, 'top/etc/up'));
  await symlink(join(root, 'secret'), join(root, 'top/etc/out'));
  await symlink('loop', join(root, 'top/etc/loop'));
  await symlink('usr/lib', join(root, 'base/lib'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const read = async (path: string, limit = 100): Promise<string | null> =>
  (await readOverlayFile(layers(), path, limit))?.toString() ?? null;

describe('a file of a root that is not mounted', () => {
  test('comes from the highest layer that has it', async () => expect(await read('/etc/group')).toBe('middle'));
  test('links lead on inside the merged root', async () => {
    expect(await read('/etc/passwd')).toBe('lib');
    expect(await read('/lib/passwd')).toBe('lib');
  });
  test('no link leads out of it', async () => {
    expect(await read('/etc/up')).toBeNull();
    expect(await read('/etc/out')).toBeNull();
    expect(await read('/../secret')).toBeNull();
  });
  test('loops, directories, missing and long files count as missing', async () => {
    expect(await read('/etc/loop')).toBeNull();
    expect(await read('/etc')).toBeNull();
    expect(await read('/none')).toBeNull();
    expect(await read('/etc/group', 3)).toBeNull();
    expect(await read('/etc/group/x')).toBeNull();
  });
  test('a directory hides a file below it', async () => expect(await read('/plain')).toBeNull());
  test('entries are found with links left alone', async () => {
    expect((await overlayEntry(layers(), '/etc/passwd'))?.isSymbolicLink()).toBe(true);
    expect((await overlayEntry(layers(), '/plain'))?.isDirectory()).toBe(true);
    expect(await overlayEntry(layers(), '/etc/nothing')).toBeNull();
  });
});

describe('a file inside a directory taken as root', () => {
  test('absolute links stay inside, and nothing leads out', async () => {
    const top = join(root, 'base');
    expect((await readInRoot(top, '/etc/passwd', 100))?.toString()).toBe('base');
    expect((await readInRoot(top, '/lib/passwd', 100))?.toString()).toBe('lib');
    expect(await readInRoot(top, '/../secret', 100)).toBeNull();
    expect(await readInRoot(join(root, 'top'), '/etc/out', 100)).toBeNull();
    expect(await readInRoot(top, '/etc', 100)).toBeNull();
    expect(await readInRoot(top, '/etc/passwd', 2)).toBeNull();
    expect(await readInRoot('/nonexistent', '/x', 100)).toBeNull();
  });
});
