import { describe, expect, test } from 'bun:test';
import type { Finding } from '../../cli/host-program.ts';
import { examine } from './examine.ts';
import type { Probe } from './probe.ts';

/** A healthy Debian machine, but for what a test changes. */
interface Machine {
  files?: Record<string, string>;
  programs?: Record<string, string>;
  freeBytes?: number;
  freeInodes?: number;
  registry?: number | string;
  engine?: unknown;
  isRoot?: boolean;
}

const files: Record<string, string> = {
  '/proc/sys/kernel/osrelease': '6.1.0-1',
  '/proc/self/status': 'Seccomp:\t0',
  '/proc/filesystems': 'nodev\toverlay',
  '/sys/module/nf_tables/initstate': 'live',
  '/lib/modules/6.1.0-1/modules.dep': 'kernel/net/bridge/bridge.ko: \nkernel/drivers/net/veth.ko:',
  '/sys/module/apparmor/parameters/enabled': 'Y',
  '/proc/sys/net/ipv4/ip_forward': '1',
  '/proc/sys/fs/inotify/max_user_instances': '1024',
  '/proc/sys/fs/inotify/max_user_watches': '100000',
  '/proc/sys/kernel/keys/maxkeys': '2000',
};
const programs: Record<string, string> = { 'crun --version': 'crun version 1.8\nmore', modprobe: '', iptables: '' };

function probe(machine: Machine): Probe {
  const all = { ...files, ...machine.files };
  const known = { ...programs, ...machine.programs };
  return {
    isRoot: machine.isRoot ?? true,
    read: async (path) => all[path] ?? null,
    program: async (name) => (Object.keys(known).some((key) => key.split(' ')[0] === name) ? `/usr/bin/${name}` : null),
    output: async (argv) => known[argv.join(' ')] ?? null,
    space: async () => ({
      ...{ bytes: 100e9, freeBytes: machine.freeBytes ?? 50e9 },
      ...{ inodes: 1000, freeInodes: machine.freeInodes ?? 900 },
    }),
    ask: async () => machine.registry ?? 401,
    engine: async () => machine.engine ?? { Components: [{ Name: 'Berth', Version: '1.2.3' }] },
  };
}

async function findings(machine: Machine = {}): Promise<Record<string, Finding>> {
  return Object.fromEntries((await examine(probe(machine))).map((one) => [one.name, one]));
}

test('a healthy machine', async () => {
  const found = await findings();
  for (const name of ['kernel', 'overlay', 'nf_tables', 'bridge', 'veth', 'seccomp', 'apparmor', 'disk', 'inotify'])
    expect([name, found[name]?.state]).toEqual([name, 'ok']);
  expect(found['runtime']).toMatchObject({ state: 'ok', detail: 'crun version 1.8' });
  expect(found['engine']).toMatchObject({ state: 'ok', detail: 'Berth 1.2.3' });
  expect(found['registry registry-1.docker.io']?.state).toBe('ok');
  expect(found['git']).toMatchObject({ state: 'missing', remedy: 'apt install git' });
});

describe('what is wrong is named', () => {
  test.each([
    [{ files: { '/proc/sys/kernel/osrelease': '4.19.0' } }, 'kernel', 'broken'],
    [{ files: { '/proc/filesystems': '', '/lib/modules/6.1.0-1/modules.dep': '' } }, 'overlay', 'broken'],
    [{ files: { '/sys/module/apparmor/parameters/enabled': 'N' } }, 'apparmor', 'missing'],
    [{ files: { '/proc/sys/net/ipv4/ip_forward': '0' } }, 'ip_forward', 'missing'],
    [{ files: { '/proc/sys/fs/inotify/max_user_instances': '128' } }, 'inotify', 'missing'],
    [{ files: { '/proc/self/mountinfo': '' } }, 'cgroups', 'broken'],
    [{ freeBytes: 1e8 }, 'disk', 'broken'],
    [{ freeInodes: 1 }, 'disk', 'broken'],
    [{ registry: 'no such host' }, 'registry registry-1.docker.io', 'missing'],
    [{ registry: 503 }, 'registry registry-1.docker.io', 'missing'],
    [{ isRoot: false }, 'privileges', 'missing'],
  ] as [Machine, string, Finding['state']][])('%j: %s', async (machine, name, state) => {
    const found = (await findings(machine))[name];
    expect(found?.state).toBe(state);
    expect(found?.remedy).not.toBe('');
  });

  test('no runtime', async () => {
    const without = { ...probe({}), output: async () => null };
    const found = (await examine(without)).find(({ name }) => name === 'runtime');
    expect(found).toMatchObject({ state: 'broken', remedy: 'apt install crun' });
  });

  test('a forward policy that drops is no harm: the engine passes it', async () => {
    const found = await findings({ programs: { 'iptables -S FORWARD': '-P FORWARD DROP' } });
    expect(found['FORWARD policy']).toMatchObject({ state: 'ok' });
    expect(found['FORWARD policy']?.detail).toStartWith('DROP');
  });
});
