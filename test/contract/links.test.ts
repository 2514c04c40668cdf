/** What links do, the kernel's and the recorded ones; in a network namespace of the test's own. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Cidr, formatCidr, parseCidr } from '../../src/host/netlink/cidr.ts';
import { formatIpNetwork, type IpNetwork, parseIpNetwork } from '../../src/host/netlink/ip-network.ts';
import { KernelLinks, type Link, type Links } from '../../src/host/netlink/links.ts';
import { probePort } from '../../src/host/netlink/port-probe.ts';
import { RecordingLinks } from '../../src/host/netlink/recording-links.ts';
import { enterOwnNetwork } from '../support/own-network.ts';

let leave: () => void;
beforeAll(() => {
  leave = enterOwnNetwork();
  Bun.spawnSync(['ip', 'link', 'set', 'lo', 'up']);
});
afterAll(() => leave());

describe.each([
  ['kernel', () => new KernelLinks()],
  ['recording', () => new RecordingLinks()],
] as const)('links (%s)', (_name, make) => {
  test('make a bridge, find it again, and take it away as often as they are asked to', () => {
    const links: Links = make();
    const address = parseCidr('10.9.0.1/24') as Cidr;
    const address6 = parseIpNetwork('fd09::1/64') as IpNetwork;
    const plan = { name: 'br9', address, address6, macAddress: '02:42:0a:09:00:01', mtu: 1400, alias: 'owner' };
    links.ensureBridge(plan);
    links.ensureBridge(plan);
    const link = links.find('br9');
    expect(links.list().find(({ name }) => name === 'br9')).toEqual(link as Link);
    for (const nobody of ['nosuch', 'a-name-that-no-interface-can-have']) expect(links.find(nobody)).toBeNull();
    expect(link).toMatchObject({ kind: 'bridge', up: true, mtu: 1400, master: 0 });
    expect(links.addresses(link?.index as number).map(formatCidr)).toEqual(['10.9.0.1/24']);
    expect(links.addresses(null).map(formatCidr)).toContain('10.9.0.1/24');
    expect(links.list().some(({ name }) => name === 'lo')).toBe(true);
    expect(
      links
        .routes()
        .map(({ version }) => version)
        .sort(),
    ).toEqual([4, 6]);
    links.deleteLink('br9');
    links.deleteLink('br9');
    expect(links.list().some(({ name }) => name === 'br9')).toBe(false);
  });

  test('read and write switches of the kernel', () => {
    const links: Links = make();
    links.writeSysctl('net/ipv4/ip_forward', '0');
    expect(links.readSysctl('net/ipv4/ip_forward')).toBe('0');
    links.writeSysctl('net/ipv4/ip_forward', '1');
    expect(links.readSysctl('net/ipv4/no_such_switch')).toBeNull();
  });
});

describe('the kernel', () => {
  test('tells the routes of every table, without those to everywhere and to itself', () => {
    const script = `ip link add d9 type veth peer name p9; ip address add 10.7.0.1/24 dev d9; ip link set d9 up
      ip route add 10.6.0.0/16 dev d9; ip route add default via 10.7.0.9; ip route add 10.5.0.0/16 dev d9 table 77
      ip address add fd07::1/64 dev d9 nodad; ip route add default via fd07::9; ip route add fd06::/48 dev d9 table 77`;
    expect(Bun.spawnSync(['sh', '-ec', script]).exitCode).toBe(0);
    expect(new KernelLinks().routes().map(formatIpNetwork).sort()).toEqual([
      ...['10.5.0.0/16', '10.6.0.0/16', '10.7.0.0/24'],
      ...['fd06::/48', 'fd07::/64'],
    ]);
    Bun.spawnSync(['ip', 'link', 'delete', 'd9']);
  });

  test('gives a bridge IPv6 that counts at once, and takes it away where the plan has none', () => {
    const links = new KernelLinks();
    const plan = { name: 'br9', address: null, macAddress: '02:42:0a:09:00:01', mtu: 1500, alias: '' };
    links.ensureBridge({ ...plan, address6: parseIpNetwork('fd09::1/64') as IpNetwork });
    const shown = (): string =>
      Bun.spawnSync(['ip', '-6', 'address', 'show', 'br9', 'to', 'fd00::/8']).stdout.toString();
    expect(shown()).toContain('inet6 fd09::1/64 scope global nodad');
    expect(links.readSysctl('net/ipv6/conf/br9/accept_ra')).toBe('0');
    links.ensureBridge({ ...plan, address6: null });
    expect(shown()).toBe('');
    expect(links.readSysctl('net/ipv6/conf/br9/disable_ipv6')).toBe('1');
    links.deleteLink('br9');
  });

  test('refuses what is no bridge, and names the reason', () => {
    const links = new KernelLinks();
    const address = parseCidr('10.9.0.1/24') as Cidr;
    const plan = { address, address6: null, macAddress: '02:42:0a:09:00:01', mtu: 1500, alias: '' };
    expect(() => links.ensureBridge({ ...plan, name: 'lo' })).toThrow('existing interface lo is not a bridge');
    expect(() => links.ensureBridge({ ...plan, name: 'a name that is too long' })).toThrow('create bridge');
  });
});

describe('the look at a port', () => {
  const any = new Uint8Array(4);
  const loopback = Uint8Array.of(127, 0, 0, 1);

  test('tells free from taken, by protocol, family and address', () => {
    const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
    const { port } = server;
    expect(probePort('tcp', any, port)).toBe(98);
    expect(probePort('tcp', loopback, port)).toBe(98);
    expect(probePort('tcp', Uint8Array.of(127, 0, 0, 2), port)).toBe(0);
    expect(probePort('udp', any, port)).toBe(0);
    expect(probePort('tcp', new Uint8Array(16), port)).toBe(0);
    server.stop(true);
    expect(probePort('tcp', Uint8Array.of(192, 0, 2, 7), 1)).toBe(99);
  });
});
