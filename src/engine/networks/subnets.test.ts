import { expect, test } from 'bun:test';
import { type Cidr, formatCidr, parseCidr } from '../../host/netlink/cidr.ts';
import { defaultSubnetPools, freeSubnet, parseSubnetPools } from './subnets.ts';

function pick(...used: string[]): string {
  return formatCidr(
    freeSubnet(
      defaultSubnetPools,
      used.map((text) => parseCidr(text) as Cidr),
    ),
  );
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
  const pools = parseSubnetPools([{ base: '10.9.0.0/23', size: 24 }]);
  expect(formatCidr(freeSubnet(pools, [parseCidr('10.9.0.0/24') as Cidr]))).toBe('10.9.1.0/24');
  expect(() => parseSubnetPools([{ base: '10.9.0.0/23', size: 16 }])).toThrow('invalid default address pool');
  expect(() => parseSubnetPools([{ base: 'nowhere', size: 24 }])).toThrow('invalid default address pool');
});
