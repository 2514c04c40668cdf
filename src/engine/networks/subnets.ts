import { BerthError } from '../../api/errors.ts';
import { type Cidr, lastAddress, networkOf, overlaps, parseCidr } from '../../host/netlink/cidr.ts';

/** A block of addresses that is cut into subnets of one size: the form of `default-address-pools`. */
export interface SubnetPool {
  base: Cidr;
  /** Prefix length of each subnet. */
  size: number;
}

function pool(base: string, size: number): SubnetPool {
  return { base: parseCidr(base) as Cidr, size };
}

/** Docker's own, in its order. */
export const defaultSubnetPools: readonly SubnetPool[] = [
  ...Array.from({ length: 15 }, (_, index) => pool(`172.${17 + index}.0.0/16`, 16)),
  pool('192.168.0.0/16', 20),
];

/** Reads `default-address-pools`. Error: `invalid`. IPv6 pools are passed over. */
export function parseSubnetPools(pools: readonly { base: string; size: number }[]): SubnetPool[] {
  return pools.flatMap(({ base, size }) => {
    if (base.includes(':')) return [];
    const parsed = parseCidr(base);
    if (!parsed || !Number.isInteger(size) || size < parsed.prefix || size > 30)
      throw new BerthError('invalid', `invalid default address pool: base ${base}, size ${size}`);
    return [{ base: networkOf(parsed), size }];
  });
}

/**
 * The first subnet of the pools that touches none of `used` (routes of the host, other networks).
 * Error: `internal` in dockerd's words when there is none.
 */
export function freeSubnet(pools: readonly SubnetPool[], used: readonly Cidr[]): Cidr {
  for (const { base, size } of pools) {
    const step = 2 ** (32 - size);
    for (let address = base.address; address <= lastAddress(base); address += step) {
      const candidate = { address, prefix: size };
      if (!used.some((one) => overlaps(one, candidate))) return candidate;
    }
  }
  throw new BerthError('internal', 'all predefined address pools have been fully subnetted');
}
