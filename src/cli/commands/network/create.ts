import type { IPAMPool } from '../../../api/types/network.ts';
import { createNetwork } from '../../../client/networks/create.ts';
import { defineCommand } from '../../command.ts';
import { pairs } from '../../pairs.ts';

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK',
  options: {
    attachable: { kind: 'bool', help: 'Containers may join it by hand' },
    'aux-address': { kind: 'list', value: 'map', help: 'Address that the driver uses itself (name=address)' },
    'config-from': { kind: 'string', help: 'Network whose configuration to take', complete: 'networks' },
    'config-only': { kind: 'bool', help: 'Only a configuration for other networks' },
    driver: { kind: 'string', short: 'd', default: 'bridge', help: 'Driver of the network' },
    gateway: { kind: 'csv', help: 'Address of the gateway' },
    ingress: { kind: 'bool', hidden: true, help: 'Network of a swarm' },
    internal: { kind: 'bool', help: 'No way to the outside' },
    'ip-range': { kind: 'csv', help: 'Part of the subnet that addresses come from' },
    'ipam-driver': { kind: 'string', default: 'default', help: 'Driver that gives addresses' },
    'ipam-opt': { kind: 'list', value: 'map', help: 'Option of that driver (key=value)' },
    ipv4: { kind: 'bool', default: 'true', shownDefault: 'true', help: 'Give IPv4 addresses' },
    ipv6: { kind: 'bool', help: 'Give IPv6 addresses' },
    label: { kind: 'list', help: 'Label (key=value)' },
    opt: { kind: 'list', short: 'o', value: 'map', help: 'Option of the driver (key=value)' },
    scope: { kind: 'string', hidden: true, help: 'Scope of the network' },
    subnet: { kind: 'csv', help: 'Subnet (172.28.0.0/16)' },
  },
  words: { least: 1, most: 1 },
  async run({ cli, options, given, words }) {
    const { Id, Warning } = await createNetwork(cli.client, {
      Name: words[0] as string,
      Driver: options.driver,
      Scope: options.scope,
      ...(given.has('ipv4') && { EnableIPv4: options.ipv4 }),
      ...(given.has('ipv6') && { EnableIPv6: options.ipv6 }),
      IPAM: { Driver: options['ipam-driver'], Options: pairs(options['ipam-opt']), Config: await pools(options) },
      Internal: options.internal,
      Attachable: options.attachable,
      Ingress: options.ingress,
      ConfigOnly: options['config-only'],
      ConfigFrom: options['config-from'] ? { Network: options['config-from'] } : null,
      Options: pairs(options.opt),
      Labels: pairs(options.label),
    });
    if (Warning) await cli.err.write(`WARNING: ${Warning}\n`);
    await cli.out.write(`${Id}\n`);
    return 0;
  },
});

interface PoolOptions {
  subnet: string[];
  gateway: string[];
  'ip-range': string[];
  'aux-address': string[];
}

/** A subnet alone is for the engine to judge. */
async function pools(options: PoolOptions): Promise<IPAMPool[]> {
  const { subnet, gateway, 'ip-range': ranges, 'aux-address': auxiliary } = options;
  if (subnet.length + gateway.length + ranges.length + auxiliary.length === 0) return [];
  const { addressPools } = await import('../../address-pools.ts');
  return addressPools({ subnets: subnet, gateways: gateway, ranges, auxiliary: pairs(auxiliary) });
}
