import { expect, test } from 'bun:test';
import { formatIp, type IpNetwork, parseIp, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { AddressPool } from './address-pool.ts';

const network = (text: string): IpNetwork => parseIpNetwork(text) as IpNetwork;
const ip = (text: string): bigint => parseIp(text)?.address as bigint;
const v4 = (address: bigint): string => formatIp({ version: 4, address });
const v6 = (address: bigint): string => formatIp({ version: 6, address });

const subnet = network('10.1.2.1/29');
const gateway = ip('10.1.2.1');

function pool(): AddressPool {
  return new AddressPool('bridge (abc)', subnet, { reserved: [gateway] });
}

test('gives every address but network, gateway and broadcast, then says in dockerd’s words that none is left', () => {
  const addresses = pool();
  expect(Array.from({ length: 5 }, () => v4(addresses.allocate()))).toEqual([
    '10.1.2.2',
    '10.1.2.3',
    '10.1.2.4',
    '10.1.2.5',
    '10.1.2.6',
  ]);
  expect(() => addresses.allocate()).toThrow(
    "no available IPv4 addresses on this network's address pools: bridge (abc)",
  );
});

test('a freed address rests until the others had their turn', () => {
  const addresses = pool();
  const first = addresses.allocate();
  addresses.free(first);
  expect(v4(addresses.allocate())).toBe('10.1.2.3');
  for (let count = 0; count < 3; count++) addresses.allocate();
  expect(addresses.allocate()).toBe(first);
});

test('restored addresses are not given again, and the next one comes after them', () => {
  const addresses = pool();
  addresses.restore(ip('10.1.2.4'));
  expect(v4(addresses.allocate())).toBe('10.1.2.5');
});

test('a wanted address must be free and inside of the subnet', () => {
  const addresses = pool();
  const wanted = ip('10.1.2.5');
  addresses.reserve(wanted);
  expect(() => addresses.reserve(wanted)).toThrow('Address already in use');
  expect(() => addresses.reserve(ip('10.1.3.5'))).toThrow('no configured subnet');
});

test('a range inside of the subnet bounds what is picked', () => {
  const addresses = new AddressPool('n', network('10.1.0.1/16'), {
    range: network('10.1.9.0/30'),
    reserved: [gateway],
  });
  expect(Array.from({ length: 4 }, () => v4(addresses.allocate()))).toEqual([
    '10.1.9.0',
    '10.1.9.1',
    '10.1.9.2',
    '10.1.9.3',
  ]);
  expect(() => addresses.allocate()).toThrow('no available IPv4 addresses');
});

test('IPv6: all but the routers’ own address, the last one too', () => {
  const addresses = new AddressPool('n', network('fd00::/126'), { reserved: [ip('fd00::1')] });
  expect([v6(addresses.allocate()), v6(addresses.allocate())]).toEqual(['fd00::2', 'fd00::3']);
  expect(() => addresses.allocate()).toThrow("no available IPv6 addresses on this network's address pools: n");
  expect(() => addresses.reserve(ip('fd00::1'))).toThrow('Address already in use');
  expect(() => addresses.reserve(ip('fd00::4'))).toThrow('no configured subnet');
});

test('IPv6: a subnet that nobody could count, and a range of it', () => {
  const addresses = new AddressPool('n', network('fd00::/8'), { range: network('fd11::/64'), reserved: [] });
  addresses.reserve(ip('fdff:ffff::1'));
  expect(v6(addresses.allocate())).toBe('fd11::');
  addresses.restore(ip('fd11::ff'));
  expect(v6(addresses.allocate())).toBe('fd11::100');
});
