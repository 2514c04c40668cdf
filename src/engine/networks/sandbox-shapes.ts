/** An endpoint in the shapes that others want of it. */
import { BerthError } from '../../api/errors.ts';
import type { PortMap } from '../../api/types/host-config.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { InterfacePlan } from '../../host/netlink/attacher.ts';
import { formatAddress } from '../../host/netlink/cidr.ts';
import type { PortHold } from '../../supervisor/types.ts';
import type { Endpoint } from './endpoint-table.ts';
import { endpointSysctls } from './endpoint-wishes.ts';
import type { HostSettings } from './host-settings.ts';
import { isPredefined } from './network-filters.ts';
import { gatewayOfV6, type Network, subnetOfV6 } from './network-table.ts';
import type { Publication } from './port-book.ts';
import { portsOf } from './port-requests.ts';

/** Docker's EndpointSettings. */
export function endpointSettings(endpoint: Endpoint, network: Network): EndpointSettings {
  const { address, address6 } = endpoint;
  const v6 = network.bridge?.v6;
  const asked = {
    ...(endpoint.isStatic ? { IPv4Address: formatAddress(address ?? 0) } : {}),
    ...(endpoint.static6 === null ? {} : { IPv6Address: endpoint.static6 }),
    ...(endpoint.linkLocal.length > 0 ? { LinkLocalIPs: endpoint.linkLocal } : {}),
  };
  return {
    IPAMConfig: Object.keys(asked).length > 0 ? asked : null,
    Links: null,
    Aliases: endpoint.aliases.length > 0 ? endpoint.aliases : null,
    MacAddress: endpoint.macAddress,
    DriverOpts: Object.keys(endpoint.driverOptions).length > 0 ? endpoint.driverOptions : null,
    GwPriority: endpoint.gatewayPriority,
    NetworkID: network.id,
    EndpointID: endpoint.id,
    Gateway: (address !== null && gatewayOf(network, 4)) || '',
    IPAddress: address === null ? '' : formatAddress(address),
    IPPrefixLen: address === null ? 0 : (network.bridge?.gateway?.prefix ?? 0),
    IPv6Gateway: (address6 !== null && gatewayOf(network, 6)) || '',
    GlobalIPv6Address: address6 ?? '',
    GlobalIPv6PrefixLen: address6 !== null && v6 ? subnetOfV6(v6).prefix : 0,
    DNSNames: isPredefined(network) ? null : namesOf(endpoint),
  };
}

/** Where the default route of a network's containers leads in one family; null: they have none. */
export function gatewayOf({ bridge, internal }: Network, version: 4 | 6): string | null {
  if (!bridge || internal) return null;
  const { router, gateway, v6 } = bridge;
  if (version === 6) return v6 && (v6.router ?? gatewayOfV6(v6));
  return gateway && formatAddress(router ?? gateway.address);
}

/** Its addresses as text, IPv4 first. */
export function addressesOf({ address, address6 }: Endpoint): string[] {
  return [...(address === null ? [] : [formatAddress(address)]), ...(address6 === null ? [] : [address6])];
}

/** Names under which others on the network know the container, as Docker orders them. */
export function namesOf({ containerName, aliases, container, hostname }: Endpoint): string[] {
  return [...new Set([containerName, ...aliases, container.slice(0, 12), hostname])].filter((name) => name !== '');
}

/**
 * The interface that the shim makes.
 * @param gateways of the default routes that go through it
 */
export function interfacePlan(
  endpoint: Endpoint,
  network: Network,
  { gateways, hairpin }: { gateways: string[]; hairpin: boolean },
): InterfacePlan {
  const { bridge } = network;
  if (!bridge) throw new BerthError('internal', `network ${network.name} has no bridge`);
  const { address, address6 } = endpoint;
  const { gateway, v6 } = bridge;
  return {
    hostName: hostNameOf(endpoint),
    containerName: endpoint.interfaceName,
    bridge: bridge.name,
    macAddress: endpoint.macAddress,
    addresses: [
      ...(address !== null && gateway ? [`${formatAddress(address)}/${gateway.prefix}`] : []),
      ...(address6 !== null && v6 ? [`${address6}/${subnetOfV6(v6).prefix}`] : []),
      ...endpoint.linkLocal.map((address) => `${address}/16`),
    ],
    gateways,
    mtu: bridge.mtu,
    hairpin,
    sysctls: endpointSysctls(endpoint.driverOptions, endpoint.interfaceName),
  };
}

/** Name of the interface's end on the host. */
export function hostNameOf(endpoint: Endpoint): string {
  return `vb${endpoint.id.slice(0, 12)}`;
}

/**
 * What the shim binds, and forwards where the firewall does not: to another family, and what of IPv6 comes from the host's loopback, which
 * has no way to other addresses.
 */
export function portHolds(
  endpoint: Endpoint,
  { filter, filter6, userlandProxy }: Pick<HostSettings, 'filter' | 'filter6' | 'userlandProxy'>,
): PortHold[] {
  const v4 = endpoint.address === null ? null : formatAddress(endpoint.address);
  return endpoint.ports.filter(isHeld).map((port) => {
    const isV6 = port.hostAddress.includes(':');
    const address = (isV6 ? endpoint.address6 : null) ?? v4 ?? '';
    return {
      protocol: port.protocol,
      hostAddress: port.hostAddress,
      hostPort: port.hostPort,
      forwardTo: { address, port: port.containerPort },
      userspace: !filter || (isV6 && (userlandProxy || !filter6)),
    };
  });
}

/** It has a port of the host; on a routed network there is none. */
function isHeld({ hostPort }: Publication): boolean {
  return hostPort > 0;
}

/** Docker's `NetworkSettings.Ports`: published and merely exposed ports, keys in order. */
export function portMap(ports: readonly Publication[], exposed: readonly string[]): PortMap {
  const map: PortMap = {};
  for (const port of exposed) {
    for (const { containerPort, protocol } of exposedPorts(port)) map[`${containerPort}/${protocol}`] = null;
  }
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    const bindings = map[key] ?? [];
    bindings.push({ HostIp: port.hostAddress, HostPort: isHeld(port) ? String(port.hostPort) : '' });
    map[key] = bindings;
  }
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An image may expose what cannot be published (sctp, nonsense): that is shown to nobody. */
function exposedPorts(text: string): ReturnType<typeof portsOf> {
  try {
    return portsOf(text);
  } catch {
    // Exposing alone asks for nothing, so it is no reason to fail.
    return [];
  }
}
