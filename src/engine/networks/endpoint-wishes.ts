import { BerthError, errorMessage } from '../../api/errors.ts';
import { contains, networkOf, parseAddress } from '../../host/netlink/cidr.ts';
import { isPredefined } from './network-filters.ts';
import type { Network } from './network-table.ts';
import type { EndpointRequest, EndpointSettings } from './types.ts';

/** What a container asks of a network must be possible there. Error: `invalid` in dockerd's words. */
export function checkWish(network: Network, { address, aliases }: EndpointRequest): void {
  const mistakes: string[] = [];
  if (address !== null) {
    const value = parseAddress(address);
    if (value === null) mistakes.push(`invalid IPv4 address: ${address}`);
    else if (isPredefined(network))
      mistakes.push('user specified IP address is supported on user defined networks only');
    else if (network.bridge && !contains(networkOf(network.bridge.gateway), value))
      mistakes.push(`no configured subnet or ip-range contain the IP address ${address}`);
  }
  if (isPredefined(network) && aliases.length > 0)
    mistakes.push('network-scoped aliases are only supported for user-defined networks');
  if (mistakes.length > 0) throw new BerthError('invalid', `invalid endpoint settings:\n${mistakes.join('\n')}`);
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
    macAddress: settings?.MacAddress || null,
    aliases: settings?.Aliases ?? [],
    links: Object.fromEntries((settings?.Links ?? []).map(linkOf)),
    driverOptions: settings?.DriverOpts ?? {},
    gatewayPriority: settings?.GwPriority ?? 0,
  };
}

/** `name:alias`, or a name alone: alias and name. */
function linkOf(text: string): [alias: string, name: string] {
  const [name = '', alias = name] = text.split(':');
  return [alias, name.replace(/^\//, '')];
}
