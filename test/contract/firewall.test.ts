/** What every firewall does, and what the kernel's does besides; in a network namespace of the test's own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { KernelFirewall } from '../../src/host/firewall/kernel-firewall.ts';
import { RecordingFirewall } from '../../src/host/firewall/recording-firewall.ts';
import type {
  FilteredNetwork,
  FilteredSubnet,
  Firewall,
  PublishedPort,
  TableContent,
} from '../../src/host/firewall/types.ts';
import { parseAddress } from '../../src/host/netlink/cidr.ts';
import { type IpNetwork, parseIp, parseIpNetwork } from '../../src/host/netlink/ip-network.ts';
import { enterOwnNetwork } from '../support/own-network.ts';

const table = 'berth-contract';
let leave: () => void;
beforeAll(() => {
  leave = enterOwnNetwork();
});
afterAll(() => leave());

const subnet = (text: string): FilteredSubnet => ({
  ...(parseIpNetwork(text) as IpNetwork),
  masquerade: true,
  source: null,
  isOpen: false,
});
const network: FilteredNetwork = {
  bridge: 'br9',
  subnets: [subnet('10.9.0.0/24'), subnet('fd09::/64')],
  betweenContainers: true,
  internal: false,
};
const other: FilteredNetwork = { ...network, bridge: 'br8', subnets: [subnet('10.8.0.0/24')], internal: true };
const empty: TableContent = { versions: [4, 6], networks: [network], ports: [], separated: { 4: [], 6: [] } };

function port(hostPort: number, more: Partial<PublishedPort> = {}): PublishedPort {
  const address = parseAddress('10.9.0.2') as number;
  return { protocol: 'tcp', hostAddress: null, hostPort, isDirect: false, address, port: 80, ...more };
}

function nft(...args: string[]): string {
  const result = Bun.spawnSync(['nft', ...args]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString();
}

describe.each([
  ['kernel', () => new KernelFirewall(table)],
  ['recording', () => new RecordingFirewall(table)],
] as const)('a firewall (%s)', (_name, make) => {
  let firewall: Firewall;
  beforeEach(() => {
    firewall = make();
    firewall.remove();
  });

  test('is there from rebuild to remove, which may come twice', () => {
    expect(firewall.exists()).toBe(false);
    firewall.rebuild(empty);
    firewall.rebuild(empty);
    expect(firewall.exists()).toBe(true);
    firewall.remove();
    firewall.remove();
    expect(firewall.exists()).toBe(false);
  });

  test('publishes only where its table is', () => {
    expect(() => firewall.publish([port(80)])).toThrow();
    firewall.rebuild(empty);
    firewall.publish([]);
    firewall.publish([port(80), port(80, { protocol: 'udp' }), port(80, { hostAddress: 0x7f000001 })]);
  });

  test('withdraws what is there and passes over what is not', () => {
    firewall.rebuild({ ...empty, ports: [port(80), port(81)] });
    firewall.withdraw([port(80)]);
    firewall.withdraw([port(80), port(81), port(82)]);
    firewall.withdraw([port(81)]);
    firewall.publish([port(80), port(81)]);
  });

  test('takes networks in and out', () => {
    firewall.rebuild(empty);
    firewall.addNetwork(other);
    firewall.removeNetwork(network);
    firewall.addNetwork(network);
    firewall.removeNetwork(other);
  });

  test('has nothing to do where nobody drops', () => {
    firewall.rebuild(empty);
    expect(firewall.passForeignChains(['br9'])).toEqual([]);
  });
});

describe('the kernel', () => {
  const firewall = (): KernelFirewall => new KernelFirewall(table);

  test('has exactly what was published', () => {
    const one = firewall();
    one.rebuild({ ...empty, ports: [port(80)] });
    one.publish([port(81, { hostAddress: parseAddress('127.0.0.1') }), port(82, { protocol: 'udp', port: 53 })]);
    expect(nft('list', 'map', 'inet', table, 'everywhere')).toContain('udp . 82 : 10.9.0.2 . 53 }');
    expect(nft('list', 'map', 'inet', table, 'addressed')).toContain('{ 127.0.0.1 . tcp . 81 : 10.9.0.2 . 80 }');
    one.withdraw([port(80), port(82, { protocol: 'udp', port: 53 })]);
    expect(nft('list', 'map', 'inet', table, 'everywhere')).not.toContain('elements');
  });

  test('has ports of IPv6 beside those of IPv4', () => {
    const one = firewall();
    one.rebuild(empty);
    const address = parseIp('fd09::2')?.address as bigint;
    const hostAddress = parseIp('fd00::9')?.address as bigint;
    const ports = [
      ...[port(80), port(80, { address }), port(81, { address, hostAddress, protocol: 'udp', port: 53 })],
      ...[90, 91, 92].map((same) => port(same, { address, port: same })),
      port(99, { address, hostPort: null, isDirect: true, port: 443 }),
    ];
    one.publish(ports);
    const map = (name: string): string => nft('list', 'map', 'inet', table, name);
    expect(map('everywhere')).toContain('elements = { tcp . 80 : 10.9.0.2 . 80 }');
    expect(map('everywhere6')).toContain('elements = { tcp . 80 : fd09::2 . 80 }');
    expect(map('addressed6')).toContain('elements = { fd00::9 . udp . 81 : fd09::2 . 53 }');
    expect(map('everywhereRanges6')).toContain('elements = { tcp . 90-92 : fd09::2 }');
    expect(nft('list', 'set', 'inet', table, 'direct6')).toContain('elements = { fd09::2 . tcp . 443 }');
    expect(nft('list', 'set', 'inet', table, 'inside6')).toContain('fd09::/64 . "br9"');
    one.withdraw(ports);
    expect(map('everywhere6') + map('addressed6') + map('everywhereRanges6')).not.toContain('elements');
  });

  test('takes 5,000 ports in one step, and in one step gives them back', () => {
    const one = firewall();
    one.rebuild(empty);
    const many = Array.from({ length: 5000 }, (_, index) => port(10_000 + index));
    one.publish(many);
    expect(nft('list', 'map', 'inet', table, 'everywhere').match(/ : 10\.9\.0\.2 /g)).toHaveLength(5000);
    one.withdraw(many);
    expect(nft('list', 'map', 'inet', table, 'everywhere')).not.toContain('elements');
  });

  test('has many ports in a row that keep their numbers as one element', () => {
    const one = firewall();
    one.rebuild(empty);
    const row = (first: number, more: Partial<PublishedPort> = {}): PublishedPort[] =>
      Array.from({ length: 5000 }, (_, index) => port(first + index, { port: first + index, ...more }));
    const local = { hostAddress: parseAddress('127.0.0.1'), protocol: 'udp' } as const;
    one.publish([...row(10_000), ...row(10_000, local)]);
    expect(nft('list', 'map', 'inet', table, 'everywhereRanges')).toContain('tcp . 10000-14999 : 10.9.0.2 }');
    expect(nft('list', 'map', 'inet', table, 'addressedRanges')).toContain(
      '127.0.0.1 . udp . 10000-14999 : 10.9.0.2 }',
    );
    expect(nft('list', 'map', 'inet', table, 'everywhere')).not.toContain('elements');
    // One that is not there does not keep the others.
    one.withdraw([...row(10_000), port(9), ...row(10_000, local)]);
    for (const map of ['everywhereRanges', 'addressedRanges'])
      expect(nft('list', 'map', 'inet', table, map)).not.toContain('elements');
  });

  test('ends with the same table whether networks come one by one or all at once', () => {
    const one = firewall();
    one.rebuild({ ...empty, networks: [network, other] });
    const all = nft('-s', 'list', 'table', 'inet', table);
    one.rebuild(empty);
    one.addNetwork(other);
    expect(nft('-s', 'list', 'table', 'inet', table)).toBe(all);
    expect(all).toContain('10.8.0.0/24 . "br8"');
  });

  test.each([
    ['policy drop', '{ type filter hook forward priority 0; policy drop; jump user; }'],
    ['a closing drop', '{ type filter hook forward priority 0; jump user; counter drop; }'],
    ['a closing reject', '{ type filter hook forward priority 0; jump user; reject; }'],
  ])('gets through a foreign chain with %s, after the rules of its owner', (_name, chain) => {
    nft(`add table ip other; add chain ip other user; add chain ip other FORWARD ${chain}`);
    const one = firewall();
    one.rebuild(empty);
    expect(one.passForeignChains(['br9'])).toEqual(['ip other FORWARD']);
    expect(one.passForeignChains(['br9'])).toEqual([]);
    const rules = nft('-s', 'list', 'chain', 'ip', 'other', 'FORWARD')
      .split('\n')
      .map((line) => line.trim());
    const first = rules.indexOf(`iifname "br9" counter accept comment "${table} in br9"`);
    expect(rules[first - 1]).toBe('jump user');
    expect(rules[first + 1]).toBe(`oifname "br9" counter accept comment "${table} out br9"`);
    one.passForeignChains(['br8']);
    const next = nft('-s', 'list', 'chain', 'ip', 'other', 'FORWARD');
    expect(next).not.toContain('br9');
    expect(next).toContain('br8');
    one.passForeignChains([]);
    expect(nft('-s', 'list', 'chain', 'ip', 'other', 'FORWARD')).not.toContain(table);
    nft('delete table ip other');
  });

  test('gets through chains of IPv6 too', () => {
    nft('add table ip6 other; add chain ip6 other FORWARD { type filter hook forward priority 0; policy drop; }');
    const one = firewall();
    expect(one.passForeignChains(['br9'])).toEqual(['ip6 other FORWARD']);
    expect(nft('list', 'chain', 'ip6', 'other', 'FORWARD')).toContain('oifname "br9"');
    nft('delete table ip6 other');
  });

  test('moves its rules before an end that came later', () => {
    nft('add table ip other; add chain ip other FORWARD { type filter hook forward priority 0; policy drop; }');
    const one = firewall();
    one.passForeignChains(['br9']);
    nft('insert rule ip other FORWARD drop');
    expect(one.passForeignChains(['br9'])).toEqual(['ip other FORWARD']);
    const rules = nft('-s', 'list', 'chain', 'ip', 'other', 'FORWARD');
    expect(rules.indexOf('br9')).toBeLessThan(rules.indexOf('\t\tdrop'));
    expect(rules.match(/"br9" counter/g)).toHaveLength(2);
    nft('delete table ip other');
  });

  test('is left alone in chains that let pass, and in those of other hooks', () => {
    const text = `table ip other {
      chain FORWARD { type filter hook forward priority 0; policy accept; iifname "x" drop; }
      chain INPUT { type filter hook input priority 0; policy drop; }
    }`;
    nft(text);
    const before = nft('list', 'table', 'ip', 'other');
    expect(firewall().passForeignChains(['br9'])).toEqual([]);
    expect(nft('list', 'table', 'ip', 'other')).toBe(before);
    nft('delete table ip other');
  });
});
