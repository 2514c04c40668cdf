/** What the configuration says of networks, in the shapes that they take. */
import { BerthError } from '../../api/errors.ts';
import type { KernelNetworksOptions } from '../../engine/networks/kernel-networks.ts';
import { ipv6Bytes } from '../../engine/networks/port-requests.ts';
import { defaultSubnetPools, parseSubnetPools } from '../../engine/networks/subnets.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import type { DaemonConfig } from './config.ts';

/** Error: `invalid` for what is no address or pool; what does not fit the bridge is found when that is made. */
export function networkSettings(config: DaemonConfig): Pick<KernelNetworksOptions, 'bridge' | 'host' | 'hostGateways'> {
  const pools = config['default-address-pools'];
  const { ip } = config;
  if (ip !== '' && !isAddress(ip))
    throw new BerthError('invalid', `invalid argument "${ip}" for "--ip" flag: ${ip} is not an ip address`);
  for (const one of config['host-gateway-ips'])
    if (!isAddress(one))
      throw new BerthError(
        'invalid',
        `invalid argument "${one}" for "--host-gateway-ip" flag: ${one} is not an ip address`,
      );
  return {
    bridge: {
      bridge: config.bridge,
      bip: config.bip,
      mtu: config.mtu,
      pools: pools.length > 0 ? parseSubnetPools(pools) : defaultSubnetPools,
      betweenContainers: config.icc,
      masquerade: config['ip-masq'],
      hostBinding: ip === '0.0.0.0' ? '' : ip,
      fixedCidr: config['fixed-cidr'],
      defaultGateway: config['default-gateway'],
      networkOptions: config['default-network-opts'],
    },
    host: {
      forwarding: config['ip-forward'],
      separateCards: !config['ip-forward-no-drop'],
      directRouting: config['allow-direct-routing'],
      filter: config.iptables,
      userlandProxy: config['userland-proxy'],
    },
    hostGateways: config['host-gateway-ips'],
  };
}

function isAddress(text: string): boolean {
  return parseAddress(text) !== null || ipv6Bytes(text) !== null;
}
