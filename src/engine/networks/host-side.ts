/** What the engine's networks are on the host: bridges, kernel switches, the firewall table. */
import { readFileSync } from 'node:fs';
import type { FilteredNetwork, Firewall, PublishedPort } from '../../host/firewall/types.ts';
import { networkOf, parseAddress } from '../../host/netlink/cidr.ts';
import { type BridgePlan, type Links, macOfAddress } from '../../host/netlink/links.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { PortHold } from '../../supervisor/types.ts';
import type { Endpoint, EndpointTable } from './endpoint-table.ts';
import type { HostSettings } from './host-settings.ts';
import type { BridgeSettings, Network, NetworkTable } from './network-table.ts';
import { portHolds } from './sandbox-shapes.ts';

const separatedKey = 'separated-network-cards';

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
  readonly #separated: string[];

  constructor(parts: HostSideParts) {
    this.#parts = parts;
    this.#separated = enableForwarding(parts);
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
    // Without it containers would reach the host's IPv6 services by the bridge's link-local address.
    const ipv6 = `net/ipv6/conf/${bridge.name}/disable_ipv6`;
    if (links.readSysctl(ipv6) === '0') links.writeSysctl(ipv6, '1');
  }

  takeDown(network: Network): void {
    if (network.bridge?.owned) this.#parts.links.deleteLink(network.bridge.name);
  }

  /** Writes the whole table from the books. */
  rebuild(): void {
    const { firewall, networks, endpoints } = this.#parts;
    firewall.rebuild({
      networks: networks.all().flatMap(filteredNetwork),
      ports: endpoints.all().flatMap((endpoint) => publishedPorts(endpoint, this.#parts)),
      separated: this.#separated,
    });
    this.pass();
  }

  /** Lets a network that is in the books already through the firewall. */
  admit(network: Network): void {
    const { firewall } = this.#parts;
    if (firewall.exists()) for (const filtered of filteredNetwork(network)) firewall.addNetwork(filtered);
    else this.rebuild();
    this.pass();
  }

  /** Closes the firewall to a network. Rules in other programs' chains go with the next `pass`. */
  expel(network: Network): void {
    const { firewall } = this.#parts;
    if (firewall.exists()) for (const filtered of filteredNetwork(network)) firewall.removeNetwork(filtered);
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

  /** The ports of a container go on at another of its networks. */
  movePorts(from: Endpoint, to: Endpoint): void {
    if (from.ports.length === 0) return;
    this.withdraw(from);
    this.#parts.endpoints.movePorts(from, to);
    this.publish(to);
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
    macAddress: macOfAddress(bridge.gateway.address),
    mtu: bridge.mtu,
    alias: bridge.name === owner ? '' : owner,
  };
}

/**
 * Containers need the host to forward packets. On a host that did not, the network cards that it has then stay separated, so
 * that it does not become a router between them. True until the next boot, whoever starts the engine again.
 */
function enableForwarding({ database, links, settings }: HostSideParts): string[] {
  if (!settings.forwarding) return [];
  const boot = links.readSysctl('kernel/random/boot_id');
  const known = JSON.parse(database.meta(separatedKey) ?? 'null') as { boot: string | null; cards: string[] } | null;
  if (links.readSysctl('net/ipv4/ip_forward') === '0') {
    if (!settings.separateCards) {
      links.writeSysctl('net/ipv4/ip_forward', '1');
      return [];
    }
    const cards = links
      .list()
      .filter(({ kind, name }) => kind === '' && name !== 'lo')
      .map(({ name }) => name);
    database.setMeta(separatedKey, JSON.stringify({ boot, cards }));
    links.writeSysctl('net/ipv4/ip_forward', '1');
    return cards;
  }
  return known && known.boot === boot ? known.cards : [];
}

function filteredNetwork({ bridge, internal }: Network): FilteredNetwork[] {
  if (!bridge) return [];
  return [
    {
      bridge: bridge.name,
      subnet: networkOf(bridge.gateway),
      masquerade: bridge.masquerade && !internal,
      source: bridge.source,
      betweenContainers: bridge.betweenContainers,
      isOpen: bridge.gatewayMode === 'nat-unprotected',
      internal,
    },
  ];
}

/** The IPv4 ports: IPv6 ones are forwarded by the shim. */
function publishedPorts(endpoint: Endpoint, { settings }: HostSideParts): PublishedPort[] {
  const { address } = endpoint;
  if (address === null) return [];
  return endpoint.ports
    .filter((port) => !port.hostAddress.includes(':'))
    .map((port) => ({
      protocol: port.protocol,
      hostAddress: port.hostAddress === '0.0.0.0' ? null : parseAddress(port.hostAddress),
      hostPort: port.hostPort === 0 ? null : port.hostPort,
      isDirect: settings.directRouting || port.hostPort === 0,
      address,
      port: port.containerPort,
    }));
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
