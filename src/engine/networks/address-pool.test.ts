import { expect, test } from 'bun:test';
import { type Cidr, formatAddress, parseAddress, parseCidr } from '../../host/netlink/cidr.ts';
import { AddressPool } from './address-pool.ts';

const subnet = parseCidr('10.1.2.1/29') as Cidr;
const gateway = parseAddress('10.1.2.1') as number;

function pool(): AddressPool {
  return new AddressPool('bridge (abc)', subnet, { reserved: [gateway] });
}

test('gives every address but network, gateway and broadcast, then says in dockerd’s words that none is left', () => {
  const addresses = pool();
  expect(Array.from({ length: 5 }, () => formatAddress(addresses.allocate()))).toEqual([
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
  expect(formatAddress(addresses.allocate())).toBe('10.1.2.3');
  for (let count = 0; count < 3; count++) addresses.allocate();
  expect(addresses.allocate()).toBe(first);
});

test('restored addresses are not given again, and the next one comes after them', () => {
  const addresses = pool();
  addresses.restore(parseAddress('10.1.2.4') as number);
  expect(formatAddress(addresses.allocate())).toBe('10.1.2.5');
});

test('a wanted address must be free and inside of the subnet', () => {
  const addresses = pool();
  const wanted = parseAddress('10.1.2.5') as number;
  addresses.reserve(wanted);
  expect(() => addresses.reserve(wanted)).toThrow('Address already in use');
  expect(() => addresses.reserve(parseAddress('10.1.3.5') as number)).toThrow('no configured subnet');
});

test('a range inside of the subnet bounds what is picked', () => {
  const addresses = new AddressPool('n', parseCidr('10.1.0.1/16') as Cidr, {
    range: parseCidr('10.1.9.0/30') as Cidr,
    reserved: [gateway],
  });
  expect(Array.from({ length: 4 }, () => formatAddress(addresses.allocate()))).toEqual([
    '10.1.9.0',
    '10.1.9.1',
    '10.1.9.2',
    '10.1.9.3',
  ]);
  expect(() => addresses.allocate()).toThrow('no available IPv4 addresses');
});
