import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import type { MountRequest } from '../../../api/types/host-config.ts';
import { newTestRecord, testConfig, testHostConfig } from '../fake-engine.ts';
import type { MountRecord } from '../record.ts';
import { collectMounts } from './collect.ts';
import { emptyMount, parseBind, parseMount, parseTmpfs } from './parse.ts';

const exists = (path: string): Promise<boolean> => Promise.resolve(existsSync(path));

describe('Binds', () => {
  const cases: [string, Partial<MountRecord>][] = [
    ['/a:/b', { type: 'bind', source: '/a', destination: '/b', writable: true, propagation: 'rprivate' }],
    ['/a/../c/:/b/', { source: '/c', destination: '/b' }],
    ['/a:/b:ro', { writable: false, mode: 'ro' }],
    ['/a:/b:rshared,Z,ro', { propagation: 'rshared', writable: false, mode: 'rshared,Z,ro' }],
    ['data:/b', { type: 'volume', name: 'data', copyUp: true, propagation: '' }],
    ['data:/b:nocopy', { type: 'volume', name: 'data', copyUp: false }],
    ['/b', { type: 'volume', name: '', destination: '/b' }],
  ];
  for (const [text, expected] of cases) test(text, () => expect(parseBind(text, '').record).toMatchObject(expected));

  const failures: [string, string][] = [
    [
      'x',
      `invalid volume specification: 'x': invalid mount config for type "volume": invalid mount path: 'x' mount path must be absolute`,
    ],
    [
      '/a:b',
      `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
    ],
    ['/a:/b:xx', 'invalid mode: xx'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    [
      '/a:/',
      `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    ],
    ['a:/b:c:d', "invalid volume specification: 'a:/b:c:d'"],
    [':/b', "invalid volume specification: ':/b'"],
    ['/a:ro', "invalid volume specification: '/a:ro'"],
    [
      'a:/b:rshared',
      `invalid volume specification: 'a:/b:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
    ],
  ];
  for (const [text, message] of failures)
    test(`${text} fails`, () => expect(() => parseBind(text, '')).toThrow(message));
});

describe('Mounts', () => {
  const failures: [MountRequest, string][] = [
    [
      { Type: 'bind', Source: '/nonexistent', Target: '/b' },
      'invalid mount config for type "bind": bind source path does not exist: /nonexistent',
    ],
    [{ Type: 'foo', Source: '/x', Target: '/b' }, 'invalid mount config for type "foo": mount type unknown'],
    [
      { Type: 'bind', Source: '', Target: '/b' },
      'invalid mount config for type "bind": field Source must not be empty',
    ],
    [
      { Type: 'bind', Source: 'rel', Target: '/b' },
      `invalid mount config for type "bind": invalid mount path: 'rel' mount path must be absolute`,
    ],
    [
      { Type: 'tmpfs', Source: 'x', Target: '/b' },
      'invalid mount config for type "tmpfs": field Source must not be specified',
    ],
    [{ Type: 'volume', Target: '' }, 'invalid mount config for type "volume": field Target must not be empty'],
    [{ Type: 'bind', Source: '/', Target: '/b', VolumeOptions: {} }, 'field VolumeOptions must not be specified'],
    [{ Type: 'bind', Source: '/', Target: '/b', BindOptions: { Propagation: 'x' } }, 'invalid propagation mode: x'],
    [
      { Type: 'volume', Source: 'v', Target: '/b', VolumeOptions: { Subpath: '../x' } },
      'subpath must be a relative path',
    ],
  ];
  for (const [mount, message] of failures)
    test(message, () => expect(parseMount(mount, exists)).rejects.toThrow(message));

  test('a tmpfs has its size and mode as options', async () => {
    const { record } = await parseMount(
      {
        Type: 'tmpfs',
        Target: '/t',
        ReadOnly: true,
        TmpfsOptions: { SizeBytes: 1024, Mode: 0o700, Options: [['exec']] },
      },
      exists,
    );
    expect(record.data).toBe('ro,mode=700,size=1024,exec');
  });
  test('how far read-only reaches', async () => {
    const bind = (BindOptions: MountRequest['BindOptions']) =>
      parseMount({ Type: 'bind', Source: '/', Target: '/b', ReadOnly: true, BindOptions }, exists);
    expect((await bind({ ReadOnlyNonRecursive: true })).record.readOnly).toBe('flat');
    expect((await bind({ ReadOnlyForceRecursive: true })).record.readOnly).toBe('recursive');
    expect((await bind({})).record.readOnly).toBe('recursive-if-possible');
  });
});

test('a tmpfs target is absolute', () =>
  expect(() => parseTmpfs('x', '')).toThrow("invalid mount path: 'x' mount path must be absolute"));

describe('all together', () => {
  const made: string[] = [];
  const context = (lent: MountRecord[] = []) => ({
    volumes: {
      borrow: (wish: { name: string }) => {
        made.push(wish.name);
        const name = wish.name || 'anonymous';
        const volume = { name, driver: 'local', mountpoint: `/v/${name}`, created: '', labels: null, options: null };
        return Promise.resolve(volume);
      },
      hold: () => Promise.resolve(null),
      letGo: () => Promise.resolve(),
      resume: () => undefined,
      release: () => Promise.resolve(),
      claim: () => undefined,
      condemn: () => undefined,
      bury: () => Promise.resolve(),
    },
    mountsOf: () => newTestRecord({ mounts: lent }).mounts,
    sourceExists: exists,
    borrowed: [],
    imageOf: () => 'sha256:i',
  });

  test('the same target twice is an error', () => {
    const host = testHostConfig({ Binds: ['/a:/b', '/c:/b'] });
    return expect(collectMounts(testConfig(), host, context())).rejects.toThrow('Duplicate mount point: /b');
  });
  test('a volume of the image gives way to a mount of the user', async () => {
    const config = testConfig({ Volumes: { '/b/': {}, '/other': {} } });
    const mounts = await collectMounts(config, testHostConfig({ Binds: ['/a:/b'] }), context());
    expect(mounts.map((mount) => [mount.type, mount.destination, mount.anonymous])).toEqual([
      ['bind', '/b', false],
      ['volume', '/other', true],
    ]);
  });
  test('--volumes-from lends all but tmpfs, and may make it read-only', async () => {
    const lent = [{ ...emptyMount('bind', '/x'), source: '/h' }, emptyMount('tmpfs', '/t')];
    const host = testHostConfig({ VolumesFrom: ['other:ro'] });
    const mounts = await collectMounts(testConfig(), host, context(lent));
    expect(mounts.map((mount) => [mount.destination, mount.writable])).toEqual([['/x', false]]);
  });
});
