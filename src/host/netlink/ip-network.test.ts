import { expect, test } from 'bun:test';
import { isIPv6 } from 'node:net';
import {
  addressBytes,
  formatIp,
  formatIpNetwork,
  type IpNetwork,
  ipContains,
  ipNetworkOf,
  ipOverlaps,
  lastIp,
  parseIp,
  parseIpNetwork,
} from './ip-network.ts';

const network = (text: string): IpNetwork => parseIpNetwork(text) as IpNetwork;

test('the canonical form of IPv6 (RFC 5952)', () => {
  for (const [text, canonical] of [
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['fd00:0:0:0:0:0:0:0', 'fd00::'],
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
    ['10.1.2.3', '10.1.2.3'],
  ] as const)
    expect(formatIp(parseIp(text) as IpNetwork)).toBe(canonical);
  for (const text of ['', ':', '1::2::3', 'fe80::1%eth0', '1:2:3:4:5:6:7', '12345::', '::1/64', '010.1.1.1'])
    expect(parseIp(text)).toBeNull();
});

test('every address survives being written and read', () => {
  for (let pattern = 0; pattern < 256; pattern++) {
    const groups = Array.from({ length: 8 }, (_, index) => ((pattern >> index) & 1 ? 0x10000 - 257 * index - 1 : 0));
    const address = groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
    const text = formatIp({ version: 6, address });
    expect(isIPv6(text)).toBe(true);
    expect(parseIp(text)?.address).toBe(address);
    expect(addressBytes(address).toString('hex')).toBe(address.toString(16).padStart(32, '0'));
  }
});

test('networks of both families contain their own, and no address of the other', () => {
  expect(formatIpNetwork(ipNetworkOf(network('fd00:1::7/64')))).toBe('fd00:1::/64');
  expect(formatIp({ version: 6, address: lastIp(network('fd00:1::/120')) })).toBe('fd00:1::ff');
  expect(ipContains(network('fd00:1::/64'), network('fd00:1:0:0:9::/80'))).toBe(true);
  expect(ipContains(network('fd00:1::/64'), network('fd00:1:0:1::/80'))).toBe(false);
  expect(ipContains(network('::/0'), network('10.0.0.0/8'))).toBe(false);
  expect(ipOverlaps(network('10.0.0.0/8'), network('10.1.2.0/24'))).toBe(true);
  expect(ipOverlaps(network('10.1.2.0/24'), network('10.0.0.0/8'))).toBe(true);
  for (const text of ['fd00::/129', '10.0.0.0/33', 'fd00::', 'fd00::/', '/64', 'fd00::/6/4'])
    expect(parseIpNetwork(text)).toBeNull();
});
