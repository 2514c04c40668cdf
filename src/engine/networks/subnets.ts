import { createHash } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import {
  type IpNetwork,
  ipNetworkOf,
  ipOverlaps,
  lastIp,
  parseIpNetwork,
  sizeOf,
} from '../../host/netlink/ip-network.ts';

/** A block of addresses that is cut into subnets of one size: the form of `default-address-pools`. */
export interface SubnetPool {
  base: IpNetwork;
  /** Prefix length of each subnet. */
  size: number;
}

function pool(base: string, size: number): SubnetPool {
  return { base: parseIpNetwork(base) as IpNetwork, size };
}

/** Docker's own of IPv4, in its order. */
const dockerPools: readonly SubnetPool[] = [
  ...Array.from({ length: 15 }, (_, index) => pool(`172.${17 + index}.0.0/16`, 16)),
  pool('192.168.0.0/16', 20),
];

/**
 * The pools of an engine: those of `default-address-pools`, else Docker's own, and where none is of IPv6, the engine's own unique local
 * prefix (RFC 4193): no two engines have the same.
 * Error: `invalid` for a pool that is none.
 */
export function subnetPools(given: readonly { base: string; size: number }[], engineId: string): SubnetPool[] {
  const pools = given.length > 0 ? parseSubnetPools(given) : [...dockerPools];
  if (pools.some(({ base }) => base.version === 6)) return pools;
  const random = createHash('sha256').update(engineId).digest().subarray(0, 5);
  const prefix = BigInt(`0xfd${random.toString('hex')}`);
  return [...pools, { base: { version: 6, address: prefix << 80n, prefix: 48 }, size: 64 }];
}

/** Error: `invalid`. */
function parseSubnetPools(pools: readonly { base: string; size: number }[]): SubnetPool[] {
  return pools.map(({ base, size }) => {
    const parsed = parseIpNetwork(base);
    const longest = parsed?.version === 6 ? 126 : 30;
    if (!parsed || !Number.isInteger(size) || size < parsed.prefix || size > longest)
      throw new BerthError('invalid', `invalid default address pool: base ${base}, size ${size}`);
    return { base: ipNetworkOf(parsed), size };
  });
}

/**
 * The first subnet of the pools of one family that touches none of `used` (routes of the host, other networks).
 * Error: `internal` in dockerd's words when there is none.
 */
export function freeSubnet(pools: readonly SubnetPool[], version: 4 | 6, used: readonly IpNetwork[]): IpNetwork {
  for (const { base, size } of pools) {
    if (base.version !== version) continue;
    const step = sizeOf({ version, prefix: size });
    let address = base.address;
    while (address <= lastIp(base)) {
      const candidate = { version, address, prefix: size };
      const taken = used.find((one) => ipOverlaps(one, candidate));
      if (!taken) return candidate;
      // Behind all of it, however large it is, at the start of a subnet.
      const end = lastIp(ipNetworkOf(taken)) + 1n;
      address = end > address + step ? ((end + step - 1n) / step) * step : address + step;
    }
  }
  throw new BerthError('internal', 'all predefined address pools have been fully subnetted');
}
