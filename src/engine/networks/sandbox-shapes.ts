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
import type { Network } from './network-table.ts';
import type { Publication } from './port-book.ts';
import { portsOf } from './port-requests.ts';

/** Docker's EndpointSettings. */
export function endpointSettings(endpoint: Endpoint, network: Network): EndpointSettings {
  const gateway = endpoint.address === null ? null : gatewayOf(network);
  const asked = {
    ...(endpoint.isStatic ? { IPv4Address: formatAddress(endpoint.address ?? 0) } : {}),
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
    Gateway: gateway === null ? '' : formatAddress(gateway),
    IPAddress: endpoint.address === null ? '' : formatAddress(endpoint.address),
    IPPrefixLen: endpoint.address === null ? 0 : (network.bridge?.gateway.prefix ?? 0),
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: isPredefined(network) ? null : namesOf(endpoint),
  };
}

/** Where the default route of a network's containers leads; null: it has none. */
export function gatewayOf({ bridge, internal }: Network): number | null {
  return !bridge || internal ? null : (bridge.router ?? bridge.gateway.address);
}

/** Names under which others on the network know the container, as Docker orders them. */
export function namesOf({ containerName, aliases, container, hostname }: Endpoint): string[] {
  return [...new Set([containerName, ...aliases, container.slice(0, 12), hostname])].filter((name) => name !== '');
}

/**
 * The interface that the shim makes.
 * @param leads the default route goes through it
 */
export function interfacePlan(
  endpoint: Endpoint,
  network: Network,
  { leads, hairpin }: { leads: boolean; hairpin: boolean },
): InterfacePlan {
  const { bridge } = network;
  if (!bridge) throw new BerthError('internal', `network ${network.name} has no bridge`);
  const gateway = gatewayOf(network);
  return {
    hostName: hostNameOf(endpoint),
    containerName: endpoint.interfaceName,
    bridge: bridge.name,
    macAddress: endpoint.macAddress,
    addresses: [
      `${formatAddress(endpoint.address ?? 0)}/${bridge.gateway.prefix}`,
      ...endpoint.linkLocal.map((address) => `${address}/16`),
    ],
    gateway: leads && gateway !== null ? formatAddress(gateway) : null,
    mtu: bridge.mtu,
    hairpin,
    sysctls: endpointSysctls(endpoint.driverOptions, endpoint.interfaceName),
  };
}

/** Name of the interface's end on the host. */
export function hostNameOf(endpoint: Endpoint): string {
  return `vb${endpoint.id.slice(0, 12)}`;
}

/** What the shim binds, and forwards where the firewall does not: at IPv6 addresses. */
export function portHolds(
  endpoint: Endpoint,
  { filter, userlandProxy }: Pick<HostSettings, 'filter' | 'userlandProxy'>,
): PortHold[] {
  const address = formatAddress(endpoint.address ?? 0);
  return endpoint.ports.filter(isHeld).map((port) => ({
    protocol: port.protocol,
    hostAddress: port.hostAddress,
    hostPort: port.hostPort,
    forwardTo: { address, port: port.containerPort },
    userspace: !filter || (userlandProxy && port.hostAddress.includes(':')),
  }));
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
