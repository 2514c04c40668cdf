import { expect, test } from 'bun:test';
import { leadingOf } from './default-gateway.ts';
import { emptyNetwork } from './default-networks.ts';
import type { Endpoint } from './endpoint-table.ts';
import { endpointSysctls } from './endpoint-wishes.ts';
import type { BridgeSettings, Network } from './network-table.ts';

function place(name: string, { priority = 0, internal = false } = {}): { endpoint: Endpoint; network: Network } {
  const bridge = { gateway: { address: 1, prefix: 24 }, router: null } as unknown as BridgeSettings;
  return {
    endpoint: { gatewayPriority: priority } as Endpoint,
    network: { ...emptyNetwork(name, 'bridge'), bridge, internal },
  };
}

test('the highest priority leads, among equals the first name, never an internal network', () => {
  const name = (...places: ReturnType<typeof place>[]): string | undefined => leadingOf(places)?.network.name;
  expect(name(place('b'), place('a'))).toBe('a');
  expect(name(place('a'), place('b', { priority: 1 }))).toBe('b');
  expect(name(place('a', { priority: -1 }), place('b'))).toBe('b');
  expect(name(place('a', { internal: true, priority: 9 }), place('b'))).toBe('b');
  expect(name(place('a', { internal: true }))).toBeUndefined();
  expect(name()).toBeUndefined();
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
