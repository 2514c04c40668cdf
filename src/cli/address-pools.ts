/** `--subnet`, `--ip-range`, `--gateway` and `--aux-address` of `network create`: what belongs to what. Errors in Docker's words. */
import { BlockList, isIP } from 'node:net';
import type { IPAMPool } from '../api/types/network.ts';
import { ExitStatus } from './command.ts';

export interface PoolFlags {
  subnets: readonly string[];
  gateways: readonly string[];
  ranges: readonly string[];
  /** Addresses by their names. */
  auxiliary: Readonly<Record<string, string>>;
}

/** Each range, gateway and auxiliary address goes to the first subnet that contains it. Error: exit status 1. */
export function addressPools(flags: PoolFlags): IPAMPool[] {
  const { subnets, ranges, gateways } = flags;
  if (subnets.length < Math.max(ranges.length, gateways.length))
    throw new ExitStatus(1, 'every ip-range or gateway must have a corresponding subnet');
  const pools: IPAMPool[] = [];
  for (const Subnet of subnets) {
    for (const { Subnet: other = '' } of pools)
      if (contains(Subnet, other) || contains(other, Subnet))
        throw new ExitStatus(1, 'multiple overlapping subnet configuration is not supported');
    pools.push({ Subnet });
  }
  const poolOf = (value: string, what: string): IPAMPool => {
    const found = pools.find(({ Subnet = '' }) => contains(Subnet, value));
    if (!found) throw new ExitStatus(1, `no matching subnet for ${what} ${value}`);
    return found;
  };
  for (const range of ranges) {
    const pool = poolOf(range, 'range');
    if (pool.IPRange)
      throw new ExitStatus(
        1,
        `cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`,
      );
    pool.IPRange = range;
  }
  for (const gateway of gateways) {
    const pool = poolOf(gateway, 'gateway');
    if (pool.Gateway)
      throw new ExitStatus(
        1,
        `cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`,
      );
    pool.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(flags.auxiliary)) {
    const pool = poolOf(address, 'aux-address');
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return pools;
}

/** Whether an address, or the first one of a subnet, lies in a subnet. Error: exit status 1 where one of them is no subnet. */
function contains(subnet: string, value: string): boolean {
  const { address, prefix, family } = parseSubnet(subnet, 'invalid subnet: ');
  const wanted = value.includes('/') ? parseSubnet(value, '').address : value;
  if (isIP(wanted) !== isIP(address)) return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return list.check(wanted, family);
}

function parseSubnet(text: string, problem: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', prefix = ''] = text.split('/', 2);
  const version = isIP(address);
  if (version === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (version === 4 ? 32 : 128))
    throw new ExitStatus(1, `${problem}invalid CIDR address: ${text}`);
  return { address, prefix: Number(prefix), family: version === 4 ? 'ipv4' : 'ipv6' };
}
