import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { unlimited } from '../../../host/facts.ts';
import type { RuntimeSeccomp } from '../../../oci/runtime-spec.ts';
import { capabilitiesOfMask, containerCapabilities, defaultCapabilities, kernelCapabilities } from './capabilities.ts';
import { deviceNumber } from './devices.ts';
import { containerEnvironment } from './environment.ts';
import { oomScore, resourceLimits } from './limits.ts';
import { mountOf, parseMountTable } from './mount-table.ts';
import { parseKernel, SeccompFilters } from './seccomp.ts';
import { parseSecurityOptions } from './security-options.ts';
import { tmpfsOptions } from './tmpfs-options.ts';
import { resolveUser } from './users.ts';

describe('users', () => {
  const files = {
    passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:www:/var/www:/bin/sh\nbroken line\n12:x:99:98::/:/bin/sh\n',
    group: 'root:x:0:\nweb:x:34:\nextra:x:50:web,root\nmore:x:51:web\n',
  };
  const cases: [string, string[], { uid: number; gid: number; additionalGids: number[] }][] = [
    ['', [], { uid: 0, gid: 0, additionalGids: [0, 50] }],
    ['web', [], { uid: 33, gid: 34, additionalGids: [34, 50, 51] }],
    ['33', [], { uid: 33, gid: 34, additionalGids: [34, 50, 51] }],
    ['web:extra', [], { uid: 33, gid: 50, additionalGids: [50] }],
    ['web:7', [], { uid: 33, gid: 7, additionalGids: [7] }],
    ['1000', [], { uid: 1000, gid: 0, additionalGids: [0] }],
    ['1000:1001', ['more', '77'], { uid: 1000, gid: 1001, additionalGids: [1001, 51, 77] }],
    ['12', [], { uid: 99, gid: 98, additionalGids: [98] }],
  ];
  for (const [user, groups, expected] of cases)
    test(`'${user}' with ${groups.length} groups`, () => expect(resolveUser(user, groups, files)).toEqual(expected));

  const failures: [string, string[], string][] = [
    ['ghost', [], 'unable to find user ghost: no matching entries in passwd file'],
    ['0:ghost', [], 'unable to find group ghost: no matching entries in group file'],
    ['', ['ghost'], 'unable to find group ghost: no matching entries in group file'],
    ['5:99999999999', [], 'uids and gids must be in range 0-2147483647'],
    ['-1', [], 'uids and gids must be in range 0-2147483647'],
  ];
  for (const [user, groups, message] of failures)
    test(`'${user}' fails`, () => expect(() => resolveUser(user, groups, files)).toThrow(message));
});

describe('capabilities', () => {
  const available = kernelCapabilities.filter((name) => name !== 'CAP_SYS_RESOURCE');
  const none = { add: [], drop: [], privileged: false };

  test('the default list is Docker’s, in its order', () => {
    expect(containerCapabilities(none, available)).toEqual([...defaultCapabilities]);
    expect(defaultCapabilities.length).toBe(14);
  });
  test('privileged is all the engine has', () =>
    expect(containerCapabilities({ ...none, privileged: true }, available)).toEqual(available));
  test('add and drop, in any spelling', () => {
    const given = containerCapabilities({ ...none, add: ['net_admin'], drop: ['CAP_CHOWN', 'Mknod'] }, available);
    expect(given).toContain('CAP_NET_ADMIN');
    expect(given).not.toContain('CAP_CHOWN');
    expect(given).not.toContain('CAP_MKNOD');
  });
  test('ALL', () => {
    expect(containerCapabilities({ ...none, drop: ['ALL'] }, available)).toEqual([]);
    expect(containerCapabilities({ ...none, drop: ['ALL'], add: ['KILL'] }, available)).toEqual(['CAP_KILL']);
    expect(containerCapabilities({ ...none, add: ['ALL'], drop: ['KILL'] }, available)).toEqual(
      available.filter((name) => name !== 'CAP_KILL'),
    );
  });
  test('what is unknown or not to be had is refused', () => {
    expect(() => containerCapabilities({ ...none, add: ['FOO'] }, available)).toThrow(
      'invalid CapAdd: unknown capability: "CAP_FOO"',
    );
    expect(() => containerCapabilities({ ...none, drop: ['FOO'] }, available)).toThrow(
      'invalid CapDrop: unknown capability: "CAP_FOO"',
    );
    expect(() => containerCapabilities({ ...none, add: ['SYS_RESOURCE'] }, available)).toThrow('not available');
  });
  test('a mask names its bits', () =>
    expect(capabilitiesOfMask('0000000000000021')).toEqual(['CAP_CHOWN', 'CAP_KILL']));
});

describe('seccomp', () => {
  const filters = new SeccompFilters({ architecture: 'amd64', kernel: [6, 18] });
  const rules = (capabilities: readonly string[]): RuntimeSeccomp =>
    JSON.parse(filters.default(capabilities)) as RuntimeSeccomp;
  const allowed = (filter: RuntimeSeccomp, call: string): boolean =>
    filter.syscalls.some((rule) => rule.names.includes(call) && rule.action === 'SCMP_ACT_ALLOW');

  test('the default profile has as many rules as dockerd’s, and its verdicts', () => {
    const filter = rules(defaultCapabilities);
    expect(filter.defaultErrnoRet).toBe(1);
    expect(filter.syscalls.map((rule) => rule.names.length)).toEqual([361, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    for (const call of ['mount', 'unshare', 'bpf', 'reboot', 'init_module', 'kcmp', 'io_uring_setup', 'keyctl'])
      expect([call, allowed(filter, call)]).toEqual([call, false]);
    for (const call of ['chroot', 'openat2', 'clone', 'ptrace', 'mknod'])
      expect([call, allowed(filter, call)]).toEqual([call, true]);
    expect(filter.syscalls.at(-2)).toEqual({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
  });
  test('the filters are dockerd 28.5’s byte for byte, for a plain container and for one with all capabilities', () => {
    // Digests of `linux.seccomp` in the bundles that dockerd 28.5.2 wrote on an amd64 machine, without white space.
    const digest = (capabilities: readonly string[]): string =>
      createHash('sha256').update(filters.default(capabilities)).digest('hex');
    expect(digest(defaultCapabilities)).toBe('34a6f0eb3244a70ef7041c1b7ae13506ec84e33c1e521f2a25b4b16a076c69b9');
    expect(digest(kernelCapabilities)).toBe('017b66e76b65434e92a107b93b390e9d9c4cf2294f10a4cd222a62cb108dd44c');
  });
  test('capabilities open more', () => {
    const filter = rules(kernelCapabilities);
    for (const call of ['mount', 'clone3', 'reboot', 'bpf', 'kcmp', 'iopl', 'stime', 'vhangup', 'mbind', 'acct'])
      expect([call, allowed(filter, call)]).toEqual([call, true]);
  });
  test('an old kernel has no ptrace, another machine no arch_prctl', () => {
    const old = new SeccompFilters({ architecture: 'arm64', kernel: [4, 7] });
    const filter = JSON.parse(old.default(defaultCapabilities)) as RuntimeSeccomp;
    expect(allowed(filter, 'ptrace')).toBe(false);
    expect(allowed(filter, 'arch_prctl')).toBe(false);
    expect(allowed(filter, 'cacheflush')).toBe(true);
    expect(filter.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  });
  test('a profile of the user’s own keeps its conditions', () => {
    const text = JSON.stringify({
      defaultAction: 'SCMP_ACT_KILL',
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_ALLOW' },
        { name: 'mount', action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
        { names: ['kexec_load'], action: 'SCMP_ACT_ALLOW', excludes: { arches: ['amd64'] } },
        { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '7.0' } },
      ],
    });
    const filter = JSON.parse(filters.custom(text, []) ?? '') as RuntimeSeccomp;
    expect(filter.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
    expect(filter.syscalls).toEqual([{ names: ['read'], action: 'SCMP_ACT_ALLOW' }]);
    expect(() => filters.custom('{bad', [])).toThrow('Decoding seccomp profile failed');
  });
  test('kernel releases', () => expect(parseKernel('6.18.44-fc-v595')).toEqual([6, 18]));
});

describe('security options', () => {
  test('are read in both spellings', () =>
    expect(
      parseSecurityOptions(['no-new-privileges', 'seccomp:unconfined', 'apparmor=x', 'label=type:t'], false),
    ).toEqual({
      noNewPrivileges: true,
      seccomp: 'unconfined',
      appArmor: 'x',
      labels: ['type:t'],
      writableCgroups: null,
    }));
  test('others are refused', () => {
    expect(() => parseSecurityOptions(['foo'], false)).toThrow('invalid --security-opt 1: "foo"');
    expect(() => parseSecurityOptions(['foo=bar'], false)).toThrow('invalid --security-opt 2: "foo=bar"');
    expect(() => parseSecurityOptions(['no-new-privileges=maybe'], false)).toThrow('invalid --security-opt 2');
  });
});

describe('limits', () => {
  const weak = { maySetResources: false, hardLimits: new Map([['RLIMIT_NOFILE', 20_000n]]), oomScoreAdj: -100 };
  const strong = { ...weak, maySetResources: true };

  test('are cut to what a weak engine has', () => {
    const own = [{ Name: 'nofile', Soft: 100_000, Hard: -1 }];
    expect(resourceLimits([], own, weak)).toEqual([{ type: 'RLIMIT_NOFILE', soft: 20_000n, hard: 20_000n }]);
    expect(resourceLimits([], own, strong)).toEqual([{ type: 'RLIMIT_NOFILE', soft: 100_000n, hard: unlimited }]);
  });
  test('the container’s own win over the engine’s', () =>
    expect(resourceLimits([{ Name: 'core', Soft: 1, Hard: 2 }], [{ Name: 'core', Soft: 0, Hard: 0 }], strong)).toEqual([
      { type: 'RLIMIT_CORE', soft: 0n, hard: 0n },
    ]));
  test('the OOM score', () => {
    expect(oomScore(-500, weak)).toBe(-100);
    expect(oomScore(-500, strong)).toBe(-500);
    expect(oomScore(300, weak)).toBe(300);
  });
});

describe('environment', () => {
  test('the container’s own replace in place, and may take away', () => {
    expect(containerEnvironment({ hostname: 'h', terminal: true, links: [] }, ['A=1', 'PATH=/x', 'TERM'])).toEqual([
      'PATH=/x',
      'HOSTNAME=h',
      'A=1',
    ]);
  });
});

describe('tmpfs options', () => {
  test('the last of a pair counts', () => {
    expect(tmpfsOptions('')).toEqual(['noexec', 'nosuid', 'nodev', 'rprivate']);
    expect(tmpfsOptions('exec,size=1m')).toEqual(['nosuid', 'nodev', 'rprivate', 'exec', 'size=1m']);
  });
  test('unknown ones are refused', () => expect(() => tmpfsOptions('foo=1')).toThrow('invalid tmpfs option "foo"'));
});

describe('devices and mounts of the host', () => {
  test('device numbers', () => {
    expect(deviceNumber(0x103)).toEqual({ major: 1, minor: 3 });
    expect(deviceNumber(0x80100aff)).toEqual({ major: 10, minor: 0x801ff });
  });
  test('the deepest mount decides over propagation', () => {
    const table = parseMountTable(
      '1 0 8:1 / / rw shared:1 - ext4 /dev/sda rw\n2 1 0:2 / /mnt\\040a rw master:3 - tmpfs t rw\n3 2 0:3 / /mnt\\040a/b rw - tmpfs t rw\n',
    );
    expect(mountOf(table, '/etc')).toMatchObject({ mountPoint: '/', shared: true, slave: false });
    expect(mountOf(table, '/mnt a/x')).toMatchObject({ mountPoint: '/mnt a', shared: false, slave: true });
    expect(mountOf(table, '/mnt a/b/c')).toMatchObject({ mountPoint: '/mnt a/b', shared: false, slave: false });
    expect(mountOf(table, '/mnt abc').mountPoint).toBe('/');
  });
});
