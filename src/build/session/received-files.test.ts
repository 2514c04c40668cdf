import { describe, expect, test } from 'bun:test';
import type { ContextEntry } from '../../wire/build-frames.ts';
import { ReceivedFiles } from './received-files.ts';

function context(...entries: (Partial<ContextEntry> & { path: string })[]): ReceivedFiles {
  const files = entries.map((entry) => {
    const whole: ContextEntry = { type: 'file', mode: 0o644, size: 3, mtime: '1000000001', link: '', ...entry };
    return [entry.path, { entry: whole, digest: `sha256:${entry.path}` }] as const;
  });
  return new ReceivedFiles('/store/tree', new Map(files));
}

describe('a received context', () => {
  test('has what was named, root’s, in its place', async () => {
    const files = context({ path: 'b', type: 'directory', mode: 0o2750 }, { path: 'b/\xff' }, { path: 'a' });
    expect(await files.names('/')).toEqual(['a', 'b']);
    expect(await files.names('/b')).toEqual(['\xff']);
    expect(await files.names('/a')).toEqual([]);
    expect(await files.entry('/b/\xff')).toEqual({
      ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, size: 3, mtime: 1_000_000_001n, link: '', device: 0 },
      identity: '',
    });
    expect(await files.entry('/b')).toMatchObject({ type: 'directory', mode: 0o2750, size: 0 });
    expect(await files.digest('/b/\xff')).toBe('sha256:b/\xff');
    expect((await files.place('/b/\xff')).toString('latin1')).toBe('/store/tree/b/\xff');
    expect((await files.place('/')).toString()).toBe('/store/tree/');
    expect(await files.entry('/c')).toBeNull();
    expect(files.place('/c')).rejects.toThrow('nothing at /c');
  });

  test('has the directories that nobody named', async () => {
    const files = context({ path: 'x/y/z' });
    expect(await files.names('/')).toEqual(['x']);
    expect(await files.names('/x/y')).toEqual(['z']);
    expect(await files.entry('/x')).toMatchObject({ type: 'directory', mode: 0o755 });
  });

  test('takes a directory’s own line though its files came before', async () => {
    const files = context({ path: 'x/y' }, { path: 'x', type: 'directory', mode: 0o700 });
    expect(await files.names('/x')).toEqual(['y']);
    expect(await files.names('/')).toEqual(['x']);
    expect(await files.entry('/x')).toMatchObject({ mode: 0o700 });
  });

  test('knows names of one file, and nothing below a link or a file', async () => {
    const files = context(
      { path: 'second', link: 'first', mode: 0, size: 0 },
      { path: 'first', mode: 0o600 },
      { path: 'third', link: 'first' },
      { path: 'alone' },
      { path: 'link', type: 'symlink', link: '/etc', mode: 0o755 },
      { path: 'link/passwd' },
      { path: 'alone/x/y' },
    );
    expect(await files.entry('/second')).toMatchObject({ mode: 0o600, size: 3, identity: 'first', link: '' });
    for (const path of ['/first', '/third']) expect(await files.entry(path)).toMatchObject({ identity: 'first' });
    expect(await files.entry('/alone')).toMatchObject({ identity: '' });
    expect(await files.entry('/link')).toMatchObject({ type: 'symlink', mode: 0o777, size: 0, link: '/etc' });
    for (const path of ['/link/passwd', '/alone/x', '/alone/x/y']) expect(await files.entry(path)).toBeNull();
    expect(await files.names('/')).toEqual(['alone', 'first', 'link', 'second', 'third']);
  });

  test('has a device’s number', async () => {
    const files = context({ path: 'null', type: 'character', size: 0x103 });
    expect(await files.entry('/null')).toMatchObject({ type: 'character', device: 0x103, size: 0 });
  });
});
