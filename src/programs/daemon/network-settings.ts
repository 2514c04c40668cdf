/** What the configuration says of networks, in the shapes that they take. */
import { BerthError } from '../../api/errors.ts';
import type { KernelNetworksOptions } from '../../engine/networks/kernel-networks.ts';
import { subnetPools } from '../../engine/networks/subnets.ts';
import { parseIp } from '../../host/netlink/ip-network.ts';
import type { DaemonConfig } from './config.ts';

/**
 * Error: `invalid` for what is no address or pool; what does not fit the bridge is found when that is made.
 * @param engineId makes addresses that no other engine has
 */
export function networkSettings(
  config: DaemonConfig,
  engineId: string,
): Pick<KernelNetworksOptions, 'bridge' | 'host' | 'hostGateways'> {
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
      pools: subnetPools(config['default-address-pools'], engineId),
      betweenContainers: config.icc,
      masquerade: config['ip-masq'],
      hostBinding: ip === '0.0.0.0' ? '' : ip,
      fixedCidr: config['fixed-cidr'],
      defaultGateway: config['default-gateway'],
      ipv6: config.ipv6,
      bip6: config.bip6,
      fixedCidr6: config['fixed-cidr-v6'],
      defaultGateway6: config['default-gateway-v6'],
      networkOptions: config['default-network-opts'],
    },
    host: {
      forwarding: config['ip-forward'],
      separateCards: !config['ip-forward-no-drop'],
      directRouting: config['allow-direct-routing'],
      filter: config.iptables,
      filter6: config.iptables && config.ip6tables,
      userlandProxy: config['userland-proxy'],
    },
    hostGateways: config['host-gateway-ips'],
  };
}

function isAddress(text: string): boolean {
  return parseIp(text) !== null;
}
