import { expect, test } from 'bun:test';
import { leadsOf, publisherOf } from './default-gateway.ts';
import { emptyNetwork } from './default-networks.ts';
import type { Endpoint } from './endpoint-table.ts';
import { endpointSysctls } from './endpoint-wishes.ts';
import type { BridgeSettings, Network } from './network-table.ts';

interface Place {
  priority?: number;
  internal?: boolean;
  families?: readonly (4 | 6)[];
}

function place(
  name: string,
  { priority = 0, internal = false, families = [4] }: Place = {},
): {
  endpoint: Endpoint;
  network: Network;
} {
  const gateway = families.includes(4) ? { address: 1, prefix: 24 } : null;
  const v6 = families.includes(6) ? { gateway: 'fd00::1/64', router: null } : null;
  const bridge = { gateway, router: null, v6 } as unknown as BridgeSettings;
  return {
    endpoint: { gatewayPriority: priority } as Endpoint,
    network: { ...emptyNetwork(name, 'bridge'), bridge, internal },
  };
}

function leading(version: 4 | 6, ...places: ReturnType<typeof place>[]): string | undefined {
  return leadsOf(places)[version]?.network.name;
}

test('the highest priority leads, among equals the first name, never an internal network', () => {
  expect(leading(4, place('b'), place('a'))).toBe('a');
  expect(leading(4, place('a'), place('b', { priority: 1 }))).toBe('b');
  expect(leading(4, place('a', { priority: -1 }), place('b'))).toBe('b');
  expect(leading(4, place('a', { internal: true, priority: 9 }), place('b'))).toBe('b');
  expect(leading(4, place('a', { internal: true }))).toBeUndefined();
  expect(leading(4)).toBeUndefined();
});

test('one that leads out in both families does so before all others; else each family has its own', () => {
  const both = place('z', { families: [4, 6] });
  const [four, six] = [place('a', { priority: 9 }), place('b', { families: [6] })];
  expect([leading(4, four, six, both), leading(6, four, six, both)]).toEqual(['z', 'z']);
  expect([leading(4, four, six), leading(6, four, six)]).toEqual(['a', 'b']);
  expect([leading(4, six), leading(6, six)]).toEqual([undefined, 'b']);
});

test('ports at IPv6 addresses of the host lead to IPv4 where there is nothing else, never the other way', () => {
  const name = (version: 4 | 6, ...places: ReturnType<typeof place>[]): string | undefined =>
    publisherOf(leadsOf(places), version)?.network.name;
  const [four, six] = [place('a'), place('b', { families: [6] })];
  expect([name(4, four), name(6, four)]).toEqual(['a', 'a']);
  expect([name(4, six), name(6, six)]).toEqual([undefined, 'b']);
  expect([name(4, four, six), name(6, four, six)]).toEqual(['a', 'b']);
});

test('parameters of an interface are its own and nobody else’s', () => {
  const option = 'com.docker.network.endpoint.sysctls';
  const text = 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.mcast_solicit=2';
  expect(endpointSysctls({ [option]: text }, 'wan')).toEqual([
    'net/ipv4/conf/wan/log_martians=1',
    'net/ipv4/neigh/wan/mcast_solicit=2',
  ]);
  expect(endpointSysctls({}, 'wan')).toEqual([]);
  for (const evil of ['net.ipv4.conf.all.forwarding=1', 'kernel.hostname=x', 'net.ipv4.conf.IFNAME.../x=1', 'nonsense'])
    expect(() => endpointSysctls({ [option]: evil }, 'wan')).toThrow('not a sysctl of the interface');
});
