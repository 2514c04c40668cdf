/** What the engine's networks are on the host: bridges, kernel switches, the firewall table. */
import { readFileSync } from 'node:fs';
import type { FilteredNetwork, FilteredSubnet, Firewall, PublishedPort } from '../../host/firewall/types.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import { ipNetworkOfCidr, parseIp, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { type BridgePlan, type Links, macOfAddress } from '../../host/netlink/links.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { PortHold } from '../../supervisor/types.ts';
import type { Endpoint, EndpointTable } from './endpoint-table.ts';
import type { HostSettings } from './host-settings.ts';
import type { BridgeSettings, Network, NetworkTable } from './network-table.ts';
import { portHolds } from './sandbox-shapes.ts';

/** Where is written down, and switched, what makes a host a router in each family. */
const forwardingOf = {
  4: { key: 'separated-network-cards', switches: ['net/ipv4/ip_forward'] },
  6: {
    key: 'separated-network-cards-6',
    switches: ['net/ipv6/conf/default/forwarding', 'net/ipv6/conf/all/forwarding'],
  },
} as const;
/** A router of IPv6 takes no routes from others unless a card is told to by this value of `accept_ra`. */
const acceptAsRouter = '2';

export interface HostSideParts {
  database: BerthDatabase;
  links: Links;
  firewall: Firewall;
  networks: NetworkTable;
  endpoints: EndpointTable;
  settings: HostSettings;
}

/** Keeps the kernel in step with the books. */
export class HostSide {
  readonly #parts: HostSideParts;
  readonly #separated: Record<4 | 6, string[]> = { 4: [], 6: [] };

  constructor(parts: HostSideParts) {
    this.#parts = parts;
    this.#separated[4] = enableForwarding(parts, 4);
    if (parts.networks.all().some(({ bridge }) => bridge?.v6)) this.#separated[6] = enableForwarding(parts, 6);
  }

  /** Before the bridge of a network is made: the host has to forward what its containers send. */
  prepare({ bridge }: Network): void {
    if (!bridge?.v6) return;
    const before = this.#separated[6].length;
    this.#separated[6] = enableForwarding(this.#parts, 6);
    if (this.#separated[6].length !== before) this.rebuild();
  }

  /**
   * Makes the network's bridge, or sets an existing one right.
   * @param owner name of the engine's default bridge, which the others carry as their alias
   */
  bringUp(network: Network, owner: string): void {
    const { links } = this.#parts;
    const { bridge } = network;
    if (!bridge) return;
    links.ensureBridge(bridgePlan(bridge, owner));
    // 127.0.0.1:port of the host leads through the bridge; the table's `guard` keeps containers from the way back.
    links.writeSysctl(`net/ipv4/conf/${bridge.name}/route_localnet`, '1');
  }

  takeDown(network: Network): void {
    if (network.bridge?.owned) this.#parts.links.deleteLink(network.bridge.name);
  }

  /** Writes the whole table from the books. */
  rebuild(): void {
    const { firewall, networks, endpoints } = this.#parts;
    firewall.rebuild({
      versions: this.#parts.settings.filter6 ? [4, 6] : [4],
      networks: networks.all().flatMap((network) => filteredNetwork(network, this.#parts.settings)),
      ports: endpoints.all().flatMap((endpoint) => publishedPorts(endpoint, this.#parts)),
      separated: this.#separated,
    });
    this.pass();
  }

  /** Lets a network that is in the books already through the firewall. */
  admit(network: Network): void {
    const { firewall } = this.#parts;
    if (firewall.exists())
      for (const filtered of filteredNetwork(network, this.#parts.settings)) firewall.addNetwork(filtered);
    else this.rebuild();
    this.pass();
  }

  /** Closes the firewall to a network. Rules in other programs' chains go with the next `pass`. */
  expel(network: Network): void {
    const { firewall } = this.#parts;
    if (firewall.exists())
      for (const filtered of filteredNetwork(network, this.#parts.settings)) firewall.removeNetwork(filtered);
    else this.rebuild();
  }

  /** Lets containers through forward chains of other programs. Gives the chains that had to change. */
  pass(): string[] {
    const bridges = this.#parts.networks.all().flatMap(({ bridge }) => (bridge ? [bridge.name] : []));
    return this.#parts.firewall.passForeignChains(bridges);
  }

  /** After somebody changed the packet filter. Says what had to be mended. */
  mend(): string[] {
    if (!this.#parts.firewall.exists()) {
      this.rebuild();
      return [`inet ${this.#parts.firewall.table}`];
    }
    return this.pass();
  }

  publish(endpoint: Endpoint): void {
    const ports = publishedPorts(endpoint, this.#parts);
    if (ports.length === 0) return;
    const { firewall } = this.#parts;
    try {
      firewall.publish(ports);
    } catch (error) {
      // Somebody flushed the whole filter a moment ago: the watch has not told yet.
      if (firewall.exists()) throw error;
      this.rebuild();
    }
  }

  withdraw(endpoint: Endpoint): void {
    this.#parts.firewall.withdraw(publishedPorts(endpoint, this.#parts));
  }

  /** The ports of a container at the host's addresses of one family go on at another of its networks. */
  movePorts(from: Endpoint, to: Endpoint, version: 4 | 6): void {
    const moving = from.ports.filter(({ hostAddress }) => hostAddress.includes(':') === (version === 6));
    if (moving.length === 0 || from === to) return;
    this.#parts.firewall.withdraw(publishedPorts({ ...from, ports: moving }, this.#parts));
    this.#parts.endpoints.movePorts(from, to, moving);
    this.publish({ ...to, ports: moving });
  }

  /** What the shim binds, and forwards where the firewall does not. */
  portHolds(endpoint: Endpoint): PortHold[] {
    return portHolds(endpoint, this.#parts.settings);
  }

  /** Where bridged packets pass iptables, a container reaches its own published port only through a port with hairpin. */
  get needsHairpin(): boolean {
    return this.#parts.links.readSysctl('net/bridge/bridge-nf-call-iptables') === '1';
  }

  /** Takes everything away from the kernel; the books stay. */
  dismantle(): void {
    const { firewall, networks } = this.#parts;
    firewall.passForeignChains([]);
    firewall.remove();
    for (const network of networks.all()) this.takeDown(network);
  }
}

/** @param owner as for `bringUp` */
export function bridgePlan(bridge: BridgeSettings, owner: string): BridgePlan {
  return {
    name: bridge.name,
    address: bridge.hasAddress ? bridge.gateway : null,
    address6: bridge.v6 && bridge.gatewayMode6 !== 'isolated' ? parseIpNetwork(bridge.v6.gateway) : null,
    macAddress: macOfAddress(bridge.gateway?.address ?? foldedAddress(bridge.v6?.gateway ?? '')),
    mtu: bridge.mtu,
    alias: bridge.name === owner ? '' : owner,
  };
}

/** Four bytes of an IPv6 address that tell subnets and hosts apart. */
function foldedAddress(gateway: string): number {
  const address = parseIpNetwork(gateway)?.address ?? 0n;
  return Number(((address >> 64n) ^ address) & 0xffff_ffffn);
}

/**
 * Containers need the host to forward packets. On a host that did not, the network cards that it has then stay separated, so
 * that it does not become a router between them. True until the next boot, whoever starts the engine again.
 */
function enableForwarding({ database, links, settings }: HostSideParts, version: 4 | 6): string[] {
  if (!settings.forwarding) return [];
  const { key, switches } = forwardingOf[version];
  const boot = links.readSysctl('kernel/random/boot_id');
  const known = JSON.parse(database.meta(key) ?? 'null') as { boot: string | null; cards: string[] } | null;
  if (switches.every((one) => links.readSysctl(one) !== '0')) return known && known.boot === boot ? known.cards : [];
  const cards = links
    .list()
    .filter(({ kind, name }) => kind === '' && name !== 'lo')
    .map(({ name }) => name);
  if (settings.separateCards) database.setMeta(key, JSON.stringify({ boot, cards }));
  // The host keeps the way out that a router has told it.
  const asking = cards.map((card) => `net/ipv6/conf/${card}/accept_ra`);
  if (version === 6)
    for (const one of asking) if (links.readSysctl(one) === '1') links.writeSysctl(one, acceptAsRouter);
  for (const one of switches) links.writeSysctl(one, '1');
  return settings.separateCards ? cards : [];
}

function filteredNetwork({ bridge, internal }: Network, { filter6 }: HostSettings): FilteredNetwork[] {
  if (!bridge) return [];
  const { gateway, v6, source, source6 } = bridge;
  const subnets: FilteredSubnet[] = [];
  if (gateway)
    subnets.push({
      ...ipNetworkOfCidr(gateway),
      masquerade: bridge.masquerade && !internal,
      source,
      isOpen: bridge.gatewayMode === 'nat-unprotected',
    });
  const v6Gateway = v6 && filter6 ? parseIpNetwork(v6.gateway) : null;
  if (v6Gateway)
    subnets.push({
      ...v6Gateway,
      masquerade: bridge.masquerade6 && !internal,
      source: source6 === null ? null : (parseIp(source6)?.address ?? null),
      isOpen: bridge.gatewayMode6 === 'nat-unprotected',
    });
  return [{ bridge: bridge.name, subnets, betweenContainers: bridge.betweenContainers, internal }];
}

/** What the packet filter leads to the container: each port in the family of its address of the host. */
function publishedPorts({ address, address6, ports }: Endpoint, { settings }: HostSideParts): PublishedPort[] {
  const v6 = address6 === null || !settings.filter6 ? null : (parseIp(address6)?.address ?? null);
  return ports.flatMap(({ protocol, hostAddress, hostPort, containerPort }) => {
    const isV6 = hostAddress.includes(':');
    const target = isV6 ? v6 : address;
    // Its clients have no way to the container's address: the shim serves them.
    if (target === null || hostAddress === '::1') return [];
    const isAny = hostAddress === '' || hostAddress === '0.0.0.0' || hostAddress === '::';
    const parsed = (): number | bigint | null =>
      isV6 ? (parseIp(hostAddress)?.address ?? null) : parseAddress(hostAddress);
    return [
      {
        protocol,
        hostAddress: isAny ? null : parsed(),
        hostPort: hostPort === 0 ? null : hostPort,
        isDirect: settings.directRouting || hostPort === 0,
        address: target,
        port: containerPort,
      },
    ];
  });
}

/** Whether the host has IPv6 at all. Read once at start. */
export function hostHasIpv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8') !== '';
  } catch {
    // The kernel has no IPv6, or it is switched off at boot: then there is no such file.
    return false;
  }
}
