import { describe, expect, test } from 'bun:test';
import { parseArguments } from '../grammar/parse.ts';
import { buildContainer } from './build.ts';
import { parseMount, parseVolumes, resolvePath } from './mounts.ts';
import { parsePorts } from './ports.ts';
import { parseDevice, parseUlimit } from './resources.ts';
import { containerOptions } from './table.ts';

async function build(...argv: string[]) {
  const { options, given, words } = parseArguments(containerOptions, [...argv, 'image'], { interspersed: false });
  return buildContainer({ flags: options, given, words, detach: false, environment: { KNOWN: 'yes' } });
}

describe('ports', () => {
  test.each([
    ['80', { '80/tcp': [{ HostIp: '', HostPort: '' }] }],
    ['8080:80', { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }],
    ['8080:80/UDP', { '80/udp': [{ HostIp: '', HostPort: '8080' }] }],
    ['127.0.0.1:8080:80', { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] }],
    ['127.0.0.1::80', { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] }],
    ['[::1]:8080:80', { '80/tcp': [{ HostIp: '::1', HostPort: '8080' }] }],
    ['8000-8001:80-81', { '80/tcp': [{ HostIp: '', HostPort: '8000' }], '81/tcp': [{ HostIp: '', HostPort: '8001' }] }],
    ['8000-8010:80', { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] }],
    ['80-81', { '80/tcp': [{ HostIp: '', HostPort: '' }], '81/tcp': [{ HostIp: '', HostPort: '' }] }],
    ['published=8080,target=80,protocol=udp', { '80/udp': [{ HostIp: '', HostPort: '8080' }] }],
  ])('-p %p', (text, bindings) => {
    expect(parsePorts([text], []).bindings).toEqual(bindings);
  });

  test.each([
    ['foo', 'invalid containerPort: foo'],
    ['80:99999', 'invalid containerPort: 99999'],
    ['x:80', 'invalid hostPort: x'],
    ['80:', 'no port specified: 80:<empty>'],
    ['80-90:80-85', 'invalid ranges specified for container and host Ports: 80-85 and 80-90'],
    ['1.2.3.400:80:80', 'invalid IP address: 1.2.3.400'],
    ['80:80/foo', 'invalid proto: foo'],
    ['90-80', 'invalid containerPort: 90-80'],
    ['published=1', 'missing mandatory field "target"'],
    ['foo=1', 'invalid field key foo'],
  ])('-p %p is refused', (text, message) => {
    expect(() => parsePorts([text], [])).toThrow(message);
  });

  test('--expose', () => {
    expect(Object.keys(parsePorts([], ['80', '90-91/udp']).exposed)).toEqual(['80/tcp', '90/udp', '91/udp']);
    expect(() => parsePorts([], ['1:2'])).toThrow('invalid port format for --expose: 1:2');
  });
});

describe('mounts', () => {
  test('-v', () => {
    expect(parseVolumes(['/a:/b:ro', 'name:/c', '/anonymous'])).toEqual({
      binds: ['/a:/b:ro', 'name:/c'],
      volumes: { '/anonymous': {} },
    });
    expect(parseVolumes(['./x:/b']).binds).toEqual([`${process.cwd()}/x:/b`]);
    expect(() => parseVolumes([':/x'])).toThrow('invalid spec: :/x: empty section between colons');
  });

  test.each([
    ['./a', '/w/d/a'],
    ['../a/./b', '/w/a/b'],
    ['../../../..', '/'],
    ['.', '/w/d'],
  ])('%p below /w/d', (path, expected) => {
    expect(resolvePath(path, '/w/d')).toBe(expected);
  });

  test('--mount', () => {
    expect(parseMount('type=bind,src=/a,dst=/b,ro,bind-propagation=rslave')).toEqual({
      Type: 'bind',
      Source: '/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rslave' },
    });
    expect(
      parseMount('target=/x,volume-opt=type=tmpfs,"volume-opt=o=size=1,uid=2",volume-label=a=b,volume-nocopy'),
    ).toEqual({
      Type: 'volume',
      Target: '/x',
      VolumeOptions: {
        NoCopy: true,
        Labels: { a: 'b' },
        DriverConfig: { Options: { type: 'tmpfs', o: 'size=1,uid=2' } },
      },
    });
    expect(parseMount('type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700').TmpfsOptions).toEqual({
      SizeBytes: 1 << 20,
      Mode: 0o700,
    });
  });

  test.each([
    ['foo', "invalid field 'foo' must be a key=value pair"],
    ['source=/x', 'target is required'],
    ['type=bind,foo=bar', "unexpected key 'foo' in 'foo=bar'"],
    ['type=bind,dst=/x,ro=maybe', 'invalid value for ro: maybe'],
    ['type=tmpfs,dst=/x,volume-nocopy', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
    ['type=bind,dst=/x,bind-propagation=up', 'invalid bind propagation: up'],
    ['type=tmpfs,dst=/x,tmpfs-size=x', 'invalid value for tmpfs-size: x'],
  ])('--mount %p is refused', (text, message) => {
    expect(() => parseMount(text)).toThrow(message);
  });
});

describe('limits', () => {
  test('ulimits', () => {
    expect(parseUlimit('nofile=1024:2048')).toEqual({ Name: 'nofile', Soft: 1024, Hard: 2048 });
    expect(parseUlimit('core=-1')).toEqual({ Name: 'core', Soft: -1, Hard: -1 });
    expect(parseUlimit('fsize=9223372036854775807').Hard).toBe(9223372036854775807n);
    expect(() => parseUlimit('x')).toThrow('invalid ulimit argument: x');
    expect(() => parseUlimit('foo=1')).toThrow('invalid ulimit type: foo');
    expect(() => parseUlimit('nofile=10:5')).toThrow(
      'ulimit soft limit must be less than or equal to hard limit: 10 > 5',
    );
    expect(() => parseUlimit('nofile=1:2:3')).toThrow('too many limit value arguments');
  });

  test('devices', () => {
    const device = (PathOnHost: string, PathInContainer: string, CgroupPermissions: string) => ({
      PathOnHost,
      PathInContainer,
      CgroupPermissions,
    });
    expect(parseDevice('/dev/a')).toEqual(device('/dev/a', '/dev/a', 'rwm'));
    expect(parseDevice('/dev/a:/dev/b')).toEqual(device('/dev/a', '/dev/b', 'rwm'));
    expect(parseDevice('/dev/a:r')).toEqual(device('/dev/a', '/dev/a', 'r'));
    expect(parseDevice('/dev/a:/dev/b:rw')).toEqual(device('/dev/a', '/dev/b', 'rw'));
    expect(() => parseDevice('/dev/a:/dev/b:x')).toThrow('bad mode specified: x');
    expect(() => parseDevice('a')).toThrow('a is not an absolute path');
  });
});

describe('the request', () => {
  test('entry point and command', async () => {
    expect(await build()).toMatchObject({ Image: 'image', Cmd: null, Entrypoint: null });
    expect(await build('--entrypoint', 'sh')).toMatchObject({ Entrypoint: ['sh'] });
    expect(await build('--entrypoint', '')).toMatchObject({ Entrypoint: [''] });
  });

  test('streams', async () => {
    expect(await build('-it')).toMatchObject({
      AttachStdin: true,
      AttachStdout: true,
      OpenStdin: true,
      StdinOnce: true,
      Tty: true,
    });
    expect(await build('-a', 'STDERR')).toMatchObject({ AttachStdin: false, AttachStdout: false, AttachStderr: true });
  });

  test('environment and labels', async () => {
    expect((await build('-e', 'A=1', '-e', 'KNOWN', '-e', 'UNKNOWN')).Env).toEqual(['A=1', 'KNOWN=yes', 'UNKNOWN']);
    expect((await build('-l', 'a=b=c', '-l', 'd')).Labels).toEqual({ a: 'b=c', d: '' });
  });

  test('what was not given is left to the engine', async () => {
    const { HostConfig, ...config } = await build();
    expect(config).not.toHaveProperty('StopTimeout');
    expect(config).not.toHaveProperty('Healthcheck');
    expect(HostConfig).not.toHaveProperty('Init');
    expect(HostConfig).toMatchObject({ PidsLimit: null, MemorySwappiness: null, NetworkMode: 'default' });
    expect((await build('--init=false', '--pids-limit', '-1')).HostConfig).toMatchObject({
      Init: false,
      PidsLimit: -1,
    });
  });

  test('networks', async () => {
    expect((await build('--network', 'net', '--ip', '1.2.3.4', '--network-alias', 'a')).NetworkingConfig).toEqual({
      EndpointsConfig: { net: { Aliases: ['a'], IPAMConfig: { IPv4Address: '1.2.3.4' } } },
    });
    expect((await build('--network', 'name=n,alias=x,ip=1.2.3.4', '--network', 'm')).NetworkingConfig).toEqual({
      EndpointsConfig: { n: { Aliases: ['x'], IPAMConfig: { IPv4Address: '1.2.3.4' } }, m: {} },
    });
    expect((await build('--network', 'container:x')).HostConfig?.NetworkMode).toBe('container:x');
  });

  test('paths that are hidden otherwise', async () => {
    expect((await build('--security-opt', 'systempaths=unconfined')).HostConfig).toMatchObject({
      MaskedPaths: [],
      ReadonlyPaths: [],
    });
  });

  test('gpus', async () => {
    expect((await build('--gpus', 'all')).HostConfig?.DeviceRequests).toEqual([
      { Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} },
    ]);
    expect((await build('--device', 'vendor.com/class=gpu0')).HostConfig?.DeviceRequests).toEqual([
      { Driver: 'cdi', Count: 0, DeviceIDs: ['vendor.com/class=gpu0'], Capabilities: null, Options: null },
    ]);
  });

  test.each([
    [['--rm', '--restart', 'always'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--restart', 'on-failure:x'], 'invalid restart policy format: maximum retry count must be an integer'],
    [['--health-cmd', 'x', '--no-healthcheck'], '--no-healthcheck conflicts with --health-* options'],
    [['--health-interval', '-1s'], '--health-interval cannot be negative'],
    [['--memory-swappiness', '101'], 'invalid value: 101. Valid memory swappiness range is 0-100'],
    [['--log-driver', 'none', '--log-opt', 'a=b'], 'invalid logging opts for driver none'],
    [['--env-file', '/does/not/exist'], 'open /does/not/exist: no such file or directory'],
    [['--security-opt', 'foo'], 'Invalid --security-opt: "foo"'],
    [['--network', 'a', '--network', 'a'], 'network "a" is specified multiple times'],
    [['--uts', 'foo'], '--uts: invalid UTS mode'],
    [['--mac-address', 'foo'], 'foo is not a valid mac address'],
  ])('%p is refused', async (argv, message) => {
    await expect(build(...argv)).rejects.toThrow(message);
  });
});
