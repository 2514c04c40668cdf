/** Mounts that are asked for in every way the API knows; `mounts.test.ts` compares what becomes of them. */

export interface MountCase {
  /** Part of a host configuration. */
  host?: Record<string, unknown>;
  /** `Volumes` of the configuration. */
  volumes?: Record<string, unknown>;
}

/** In every text, HOST is a directory of the host with a file `f`, a directory `d` and a link `out` to /etc; VOL a volume that has a directory `d`. */
export const host = '/var/tmp/berth-mount-cases';
export const volume = 'mount-cases-vol';

const bind = (text: string): MountCase => ({ host: { Binds: [text] } });
const mount = (options: Record<string, unknown>): MountCase => ({ host: { Mounts: [options] } });
export const bound = (BindOptions: Record<string, unknown>, more: Record<string, unknown> = {}): MountCase =>
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', BindOptions, ...more });
const held = (VolumeOptions: Record<string, unknown>, more: Record<string, unknown> = {}): MountCase =>
  mount({ Type: 'volume', Source: 'VOL', Target: '/m', VolumeOptions, ...more });
export const memory = (TmpfsOptions: Record<string, unknown>, more: Record<string, unknown> = {}): MountCase =>
  mount({ Type: 'tmpfs', Target: '/m', TmpfsOptions, ...more });

/** A new volume with options of its driver. */
export const made = (Options: Record<string, string>): MountCase =>
  held({ DriverConfig: { Name: 'local', Options } }, { Source: 'mount-cases-made' });

const modes = ['', 'ro', 'rw', 'z', 'Z', 'ro,z', 'nocopy', 'rslave', 'rshared', 'private', 'ro,rprivate', 'consistent'];
const wrongModes = ['foo', 'ro,rw', 'z,Z', 'ro,ro', 'rshared,rslave', 'ro,', 'RO', 'nocopy,nocopy', 'cached,delegated'];

export const mountCases: readonly MountCase[] = [
  ...[...modes, ...wrongModes].map((mode) => bind(`HOST:/m:${mode}`)),
  ...[...modes, ...wrongModes].map((mode) => bind(`VOL:/m:${mode}`)),
  ...[
    'HOST:/m',
    'HOST/f:/m',
    'HOST/d/:/m/',
    'HOST/../berth-mount-cases/d:/m/../m2',
    'HOST/new-made:/m',
    'VOL:/m',
    '/m',
  ].map(bind),
  ...[
    'HOST:m',
    'VOL:m',
    'a/b:/m',
    './x:/m',
    '../x:/m',
    'v:/m',
    ':/m',
    'HOST:',
    'HOST:/',
    'a:b:c:d',
    '',
    'HOST:/m:ro:x',
    '/',
    '.:/m',
    '~/x:/m',
  ].map(bind),
  ...['HOST/f/below:/m', 'HOST/out:/m'].map(bind),
  { host: { Binds: ['HOST:/m', 'HOST:/m'] } },
  { host: { Binds: ['HOST:/m'], Mounts: [{ Type: 'bind', Source: 'HOST', Target: '/m/' }] } },
  { host: { Binds: ['HOST:/m'], Tmpfs: { '/m': '' } } },
  { host: { Binds: ['HOST:/m'] }, volumes: { '/m': {}, '/m/n/': {} } },
  { volumes: { m: {} } },
  { volumes: { '/': {} } },
  { volumes: { '/m:ro': {} } },
  { volumes: { 'HOST:/m': {} } },
  mount({ Type: 'bind', Source: 'HOST', Target: '/m' }),
  mount({ Type: 'bind', Source: 'HOST/', Target: '/m/' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', ReadOnly: true }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', Consistency: 'cached' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', Consistency: 'foo' }),
  mount({ Type: 'bind', Source: 'HOST/missing', Target: '/m' }),
  mount({ Type: 'bind', Source: 'HOST/f/missing', Target: '/m' }),
  mount({ Type: 'bind', Source: 'relative', Target: '/m' }),
  mount({ Type: 'bind', Source: '../relative', Target: '/m' }),
  mount({ Type: 'bind', Source: 'HOST', Target: 'm' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/..' }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', VolumeOptions: {} }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', TmpfsOptions: {} }),
  mount({ Type: 'bind', Source: 'HOST', Target: '/m', ImageOptions: {} }),
  ...['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'foo'].map((Propagation) =>
    bound({ Propagation }),
  ),
  bound({ NonRecursive: true }),
  bound({ NonRecursive: true }, { ReadOnly: true }),
  bound({ CreateMountpoint: true }, { Source: 'HOST/made' }),
  bound({ ReadOnlyNonRecursive: true }),
  bound({ ReadOnlyNonRecursive: true }, { ReadOnly: true }),
  bound({ ReadOnlyForceRecursive: true }),
  bound({ ReadOnlyForceRecursive: true }, { ReadOnly: true }),
  bound({ ReadOnlyForceRecursive: true, Propagation: 'rprivate' }, { ReadOnly: true }),
  bound({ ReadOnlyForceRecursive: true, Propagation: 'rshared' }, { ReadOnly: true }),
  bound({ ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true }, { ReadOnly: true }),
  mount({ Type: 'volume', Source: 'VOL', Target: '/m' }),
  mount({ Type: 'volume', Target: '/m' }),
  mount({ Type: 'volume', Target: '/m', ReadOnly: true }),
  mount({ Type: 'volume', Source: 'VOL', Target: '/m', ReadOnly: true }),
  mount({ Type: 'volume', Source: 'VOL', Target: 'm' }),
  mount({ Type: 'volume', Source: 'a/b', Target: '/m' }),
  mount({ Type: 'volume', Source: 'HOST', Target: '/m' }),
  mount({ Type: 'volume', Source: 'VOL', Target: '/m', BindOptions: {} }),
  held({ NoCopy: true }),
  held({ Labels: { a: 'b' } }),
  held({ Labels: { a: 'b' } }, { Source: 'mount-cases-made' }),
  held({ DriverConfig: { Name: 'local' } }),
  held({ DriverConfig: { Name: 'foo' } }),
  held({ DriverConfig: { Name: 'foo' } }, { Source: 'mount-cases-made' }),
  made({ foo: 'x' }),
  made({ type: 'tmpfs' }),
  made({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=700' }),
  made({ type: 'none', device: 'HOST', o: 'bind' }),
  made({ type: 'none', device: 'HOST', o: 'bind,ro' }),
  made({ type: 'none', device: 'HOST/nope', o: 'bind' }),
  made({ type: 'none', o: 'bind' }),
  made({ o: 'bind' }),
  made({ device: 'HOST' }),
  made({ type: 'nosuchfs', device: 'none' }),
  made({ type: 'nfs', device: ':/x', o: 'addr=127.0.0.1,port=9' }),
  made({ type: 'nfs', device: ':/x', o: 'addr=no.such.host.invalid' }),
  made({ type: 'tmpfs', device: 'tmpfs', o: 'nonsense=1' }),
  made({ size: '1m' }),
  ...['d', './d', 'd/', 'd/../d', 'd/f', 'missing', 'out', '/d', '..', '../x', 'd/../../x', '.', ''].map((Subpath) =>
    held({ Subpath }),
  ),
  held({ Subpath: 'd' }, { Source: '' }),
  held({ Subpath: 'd' }, { ReadOnly: true }),
  held({ Subpath: 'd' }, { Source: 'mount-cases-made' }),
  mount({ Type: 'tmpfs', Target: '/m' }),
  mount({ Type: 'tmpfs', Target: '/m', ReadOnly: true }),
  mount({ Type: 'tmpfs', Target: 'm' }),
  mount({ Type: 'tmpfs', Source: 'x', Target: '/m' }),
  memory({ SizeBytes: 1_048_576 }),
  memory({ SizeBytes: 1_048_577, Mode: 0o700 }),
  memory({ SizeBytes: -1 }),
  memory({ Mode: 0o1777 }),
  ...[[['exec']], [['noexec']], [['exec', 'x']], [['size', '1m']], [['foo']], [[]], [['a', 'b', 'c']]].map((Options) =>
    memory({ Options }),
  ),
  ...[
    '',
    'ro',
    'size=1m',
    'size=1m,mode=0700,uid=5,gid=6',
    'noexec',
    'exec',
    'suid',
    'dev',
    'nr_inodes=10',
    'rw,noatime',
    'foo',
    'size=x',
    'mode=9',
    'rprivate',
    'shared',
    'nosuid,nodev',
    'size=10%',
    'bind',
  ].map((options) => ({ host: { Tmpfs: { '/m': options } } })),
  { host: { Tmpfs: { m: '' } } },
  { host: { Tmpfs: { '/': '' } } },
  mount({ Type: 'image', Source: 'IMAGE', Target: '/m' }),
  mount({ Type: 'image', Source: 'IMAGE', Target: '/m', ImageOptions: { Subpath: 'bin' } }),
  mount({ Type: 'image', Source: 'nope', Target: '/m' }),
  mount({ Type: 'npipe', Source: 'HOST', Target: '/m' }),
  mount({ Type: 'cluster', Source: 'x', Target: '/m' }),
  mount({ Type: '', Source: 'x', Target: '/m' }),
  mount({ Type: 'foo', Target: '/m' }),
  ...['LENDER', 'LENDER:ro', 'LENDER:rw', 'LENDER:foo', 'LENDER:nocopy', 'LENDER:z', 'LENDER:ro,z', 'nope', ''].map(
    (from) => ({ host: { VolumesFrom: [from] } }),
  ),
  { host: { VolumesFrom: ['LENDER'], Binds: ['HOST/d:/lent'] } },
  { host: { Binds: ['HOST:/m'], VolumeDriver: 'foo' } },
  { host: { Binds: ['mount-cases-made:/m'], VolumeDriver: 'foo' } },
  { host: { Binds: ['mount-cases-made:/m'], VolumeDriver: 'local' } },
  { host: { Binds: ['HOST:/m'], ReadonlyRootfs: true } },
  { host: { Tmpfs: { '/m': '' }, ReadonlyRootfs: true } },
];
