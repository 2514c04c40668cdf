import { expect, test } from 'bun:test';
import { formatIpNetwork, type IpNetwork, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { freeSubnet, subnetPools } from './subnets.ts';

const network = (text: string): IpNetwork => parseIpNetwork(text) as IpNetwork;

function pick(...used: string[]): string {
  return formatIpNetwork(freeSubnet(subnetPools([], 'an engine'), 4, used.map(network)));
}

test('Docker’s first pool, where nobody uses it', () => {
  expect(pick()).toBe('172.17.0.0/16');
});

test('a pool that touches a route of the host is passed over, whichever of the two is larger', () => {
  expect(pick('172.17.9.0/24')).toBe('172.18.0.0/16');
  expect(pick('172.16.0.0/13')).toBe('172.24.0.0/16');
  expect(pick('172.16.0.0/12')).toBe('192.168.0.0/20');
  expect(pick('172.16.0.0/12', '192.168.1.0/24')).toBe('192.168.16.0/20');
});

test('dockerd’s words when nothing is left', () => {
  expect(() => pick('172.16.0.0/12', '192.168.0.0/16')).toThrow(
    'all predefined address pools have been fully subnetted',
  );
});

test('configured pools are cut into their size; nonsense is refused', () => {
  const pools = subnetPools([{ base: '10.9.0.0/23', size: 24 }], 'an engine');
  expect(formatIpNetwork(freeSubnet(pools, 4, [network('10.9.0.0/24')]))).toBe('10.9.1.0/24');
  for (const wrong of [
    { base: '10.9.0.0/23', size: 16 },
    { base: 'nowhere', size: 24 },
    { base: 'fd00::/64', size: 48 },
    { base: 'fd00::/64', size: 128 },
  ])
    expect(() => subnetPools([wrong], 'an engine')).toThrow('invalid default address pool');
});

test('IPv6 comes from the engine’s own unique local prefix, where no pool of IPv6 is configured', () => {
  const first = formatIpNetwork(freeSubnet(subnetPools([], 'an engine'), 6, []));
  expect(first).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/64$/);
  expect(formatIpNetwork(freeSubnet(subnetPools([], 'an engine'), 6, []))).toBe(first);
  expect(formatIpNetwork(freeSubnet(subnetPools([], 'another'), 6, []))).not.toBe(first);
  expect(formatIpNetwork(freeSubnet(subnetPools([], 'an engine'), 6, [network(first)]))).toBe(
    first.replace('::/64', ':1::/64'),
  );
  const own = subnetPools([{ base: 'fd11:1::/62', size: 64 }], 'an engine');
  const used = [network('fd11:1::/64'), network('fd11:1:0:1:8::/80'), network('10.0.0.0/8')];
  expect(formatIpNetwork(freeSubnet(own, 6, used))).toBe('fd11:1:0:2::/64');
  expect(() => freeSubnet(own, 4, [])).toThrow('fully subnetted');
});

test('a route over nearly everything is stepped over at once', () => {
  const pools = subnetPools([{ base: 'fc00::/7', size: 64 }], 'an engine');
  expect(formatIpNetwork(freeSubnet(pools, 6, [network('fc00::/8')]))).toBe('fd00::/64');
  expect(() => freeSubnet(pools, 6, [network('::/1'), network('8000::/1')])).toThrow('fully subnetted');
});
