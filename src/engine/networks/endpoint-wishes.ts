import { BerthError, errorMessage } from '../../api/errors.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import { contains, networkOf, parseAddress } from '../../host/netlink/cidr.ts';
import { type IpNetwork, ipContains, parseIp, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { isPredefined } from './network-filters.ts';
import type { Network } from './network-table.ts';
import type { EndpointRequest } from './types.ts';

/** Options of one container's place on a network; others are kept, and mean nothing. */
export const endpointOption = {
  interfaceName: 'com.docker.network.endpoint.ifname',
  sysctls: 'com.docker.network.endpoint.sysctls',
} as const;

const longestInterfaceName = 15;

/**
 * The kernel parameters of an interface that `net.ipv4.conf.IFNAME.log_martians=1,…` asks for, as `net/ipv4/conf/eth0/log_martians=1`.
 * Error: `invalid` for what is no parameter of the interface.
 */
export function endpointSysctls(options: Readonly<Record<string, string>>, interfaceName: string): string[] {
  const text = options[endpointOption.sysctls] ?? '';
  return text
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const match = /^net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.IFNAME\.(\w+)=(.*)$/.exec(one.trim());
      if (!match)
        throw new BerthError('invalid', `invalid config for interface: ${one}: not a sysctl of the interface (IFNAME)`);
      const [, family, group, name, value] = match;
      return `net/${family}/${group}/${interfaceName}/${name}=${value}`;
    });
}

/** RFC 3927 */
const linkLocalNetwork = { address: 0xa9fe_0000, prefix: 16 };

/** What a container asks of a network must be possible there. Error: `invalid` in dockerd's words. */
export function checkWish(network: Network, request: EndpointRequest): void {
  if (network.configuration) throw new BerthError('forbidden', 'cannot create endpoint on configuration-only network');
  const { address, address6, aliases, macAddress, linkLocal, driverOptions } = request;
  const mistakes: string[] = [];
  for (const one of linkLocal) {
    const value = parseAddress(one);
    if (value === null) mistakes.push(`invalid link-local IP address: ${one}`);
    else if (!contains(linkLocalNetwork, value)) mistakes.push(`invalid link local IP address: ${one}`);
  }
  if (macAddress !== null && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(macAddress))
    mistakes.push(`invalid MAC address: ${macAddress}`);
  const name = driverOptions[endpointOption.interfaceName];
  if (name !== undefined && (name === '' || name.length > longestInterfaceName || /[\s/:%]/.test(name)))
    mistakes.push(`invalid interface name: ${name}`);
  endpointSysctls(driverOptions, 'eth0');
  if (address !== null) {
    const value = parseAddress(address);
    if (value === null) mistakes.push(`invalid IPv4 address: ${address}`);
    else if (isPredefined(network))
      mistakes.push('user specified IP address is supported on user defined networks only');
    const gateway = network.bridge?.gateway;
    if (value !== null && gateway && !contains(networkOf(gateway), value))
      mistakes.push(`no configured subnet or ip-range contain the IP address ${address}`);
  }
  if (address6 !== null) mistakes.push(...v6Mistakes(network, address6));
  if (isPredefined(network) && aliases.length > 0)
    mistakes.push('network-scoped aliases are only supported for user-defined networks');
  if (mistakes.length === 0) return;
  const list = mistakes.length === 1 ? mistakes : mistakes.map((mistake) => `* ${mistake}`);
  throw new BerthError('invalid', `invalid endpoint settings:\n${list.join('\n')}`);
}

/** A subnet of a family that the network does not have counts as well: the address is kept, and not given. */
function v6Mistakes(network: Network, text: string): string[] {
  const ip = parseIp(text);
  const mistakes = ip?.version === 6 ? [] : [`invalid IPv6 address: ${text}`];
  if (isPredefined(network)) mistakes.push('user specified IP address is supported on user defined networks only');
  const asked = (network.pools ?? []).flatMap(({ Subnet }) => parseIpNetwork(Subnet ?? '') ?? []);
  const subnets = asked.filter(({ version }) => version === 6);
  const holds = (subnet: IpNetwork): boolean => ip !== null && ipContains(subnet, ip);
  if (subnets.length === 0)
    mistakes.push(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  else if (!subnets.some(holds)) mistakes.push(`no configured subnet or ip-range contain the IP address ${text}`);
  return mistakes;
}

/** As `checkWish`, for a container that starts. */
export function checkWishAtStart(network: Network, wish: EndpointRequest): void {
  try {
    checkWish(network, wish);
  } catch (cause) {
    throw new BerthError('invalid', `invalid config for network ${network.name}: ${errorMessage(cause)}`, { cause });
  }
}

/** @param network name or id */
export function endpointRequest(network: string, settings: EndpointSettings | null): EndpointRequest {
  return {
    network,
    address: settings?.IPAMConfig?.IPv4Address || null,
    address6: settings?.IPAMConfig?.IPv6Address || null,
    macAddress: settings?.MacAddress || null,
    aliases: settings?.Aliases ?? [],
    links: Object.fromEntries((settings?.Links ?? []).map(linkOf)),
    driverOptions: settings?.DriverOpts ?? {},
    linkLocal: settings?.IPAMConfig?.LinkLocalIPs ?? [],
    gatewayPriority: settings?.GwPriority ?? 0,
  };
}

/** `name:alias`, or a name alone: alias and name. */
function linkOf(text: string): [alias: string, name: string] {
  const [name = '', alias = name] = text.split(':');
  return [alias, name.replace(/^\//, '')];
}
