import { randomBytes } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import type { Firewall } from '../../host/firewall/types.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import { type Links, macOfAddress } from '../../host/netlink/links.ts';
import type { PortProbe } from '../../host/netlink/port-probe.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import { AddressPool } from './address-pool.ts';
import { type DefaultBridgeSettings, prepareDefaultNetworks } from './default-networks.ts';
import { type Endpoint, EndpointTable } from './endpoint-table.ts';
import { endpointOption } from './endpoint-wishes.ts';
import type { HostSettings } from './host-settings.ts';
import { HostSide } from './host-side.ts';
import { type Network, NetworkTable, reservedAddresses } from './network-table.ts';
import { PortBook } from './port-book.ts';
import type { EndpointRequest } from './types.ts';

export interface NetworkStateOptions {
  database: BerthDatabase;
  links: Links;
  firewall: Firewall;
  probe: PortProbe;
  settings: DefaultBridgeSettings;
  host: HostSettings;
  hostHasIpv6: boolean;
}

/** Who an endpoint is for. */
export interface EndpointOwner {
  containerId: string;
  containerName: string;
  hostname: string;
}

/** The books of networks, endpoints, addresses and ports, and the host's side kept in step with them. */
export class NetworkState {
  readonly networks: NetworkTable;
  readonly endpoints: EndpointTable;
  readonly host: HostSide;
  readonly ports: PortBook;
  readonly links: Links;
  readonly settings: DefaultBridgeSettings;
  readonly #pools = new Map<string, AddressPool>();

  /** Makes what is missing on the host. Errors: `invalid` settings, no free subnet, and what the kernel refuses. */
  constructor(options: NetworkStateOptions) {
    const { database, links, firewall, probe, settings } = options;
    this.links = links;
    this.settings = settings;
    this.networks = new NetworkTable(database);
    this.endpoints = new EndpointTable(database);
    prepareDefaultNetworks(this.networks, links, settings);
    this.host = new HostSide({
      database,
      links,
      firewall,
      networks: this.networks,
      endpoints: this.endpoints,
      settings: options.host,
    });
    this.ports = new PortBook({ probe, ipv6: options.hostHasIpv6, range: ephemeralPorts(links) });
    this.#removeStrays();
    for (const network of this.networks.all()) {
      this.host.bringUp(network, settings.bridge);
      if (network.bridge) this.#pools.set(network.id, poolOf(network));
    }
    for (const endpoint of this.endpoints.all()) {
      if (endpoint.address !== null) this.#pools.get(endpoint.network)?.restore(endpoint.address);
      this.ports.restore(endpoint.ports);
    }
    this.host.rebuild();
  }

  /** Enters a new network, whose bridge is there. On failure nothing of it stays but the bridge. */
  addNetwork(network: Network): void {
    try {
      this.networks.save(network);
      this.#pools.set(network.id, poolOf(network));
      this.host.admit(network);
    } catch (error) {
      this.#pools.delete(network.id);
      this.networks.remove(network.id);
      this.host.rebuild();
      throw error;
    }
  }

  /** Takes a network out of the books and the firewall. Its bridge stays: removing one takes the kernel long. */
  removeNetwork(network: Network): void {
    this.#pools.delete(network.id);
    this.networks.remove(network.id);
    this.host.expel(network);
  }

  /**
   * An endpoint that holds its address already, but is not in the books yet: `free` gives the address back.
   * Errors: an exhausted pool, an address in use, in dockerd's words.
   */
  newEndpoint(owner: EndpointOwner, network: Network, wish: EndpointRequest | null): Endpoint {
    const isStatic = wish !== null && wish.address !== null;
    const address = network.driver === 'bridge' ? this.#takeAddress(network, wish?.address ?? null) : null;
    return {
      container: owner.containerId,
      network: network.id,
      id: randomBytes(32).toString('hex'),
      address,
      containerName: owner.containerName,
      macAddress: address === null ? '' : wish?.macAddress?.toLowerCase() || macOfAddress(address),
      interfaceName: address === null ? '' : this.#interfaceName(owner.containerId, network, wish),
      isStatic,
      aliases: wish?.aliases ?? [],
      links: wish?.links ?? {},
      driverOptions: wish?.driverOptions ?? {},
      linkLocal: wish?.linkLocal ?? [],
      gatewayPriority: wish?.gatewayPriority ?? 0,
      hostname: owner.hostname,
      ports: [],
      dns: null,
    };
  }

  /** Gives back what an endpoint holds in the books of addresses and ports. */
  free(endpoint: Endpoint): void {
    if (endpoint.address !== null) this.#pools.get(endpoint.network)?.free(endpoint.address);
    this.ports.free(endpoint.ports);
  }

  /** Takes an endpoint out of everything. */
  release(endpoint: Endpoint): void {
    this.host.withdraw(endpoint);
    this.endpoints.remove(endpoint.container, endpoint.network);
    this.free(endpoint);
  }

  /** Bridges of networks that were removed right before the engine's death. */
  #removeStrays(): void {
    const known = new Set(this.networks.all().map(({ bridge }) => bridge?.name));
    for (const { kind, alias, name } of this.links.list()) {
      if (kind === 'bridge' && alias === this.settings.bridge && !known.has(name)) this.links.deleteLink(name);
    }
  }

  #takeAddress(network: Network, wanted: string | null): number {
    const pool = this.#pools.get(network.id);
    if (!pool) throw new BerthError('internal', `network ${network.name} has no subnet`);
    const address = wanted === null ? null : parseAddress(wanted);
    if (address === null) return pool.allocate();
    pool.reserve(address);
    return address;
  }

  #interfaceName(containerId: string, network: Network, wish: EndpointRequest | null): string {
    const taken = new Set(this.endpoints.of(containerId).map((endpoint) => endpoint.interfaceName));
    const wanted = wish?.driverOptions[endpointOption.interfaceName];
    if (wanted && taken.has(wanted))
      throw new BerthError('conflict', `error renaming interface to ${wanted}: file exists`);
    if (wanted) return wanted;
    const prefix = network.bridge?.interfacePrefix ?? 'eth';
    for (let number = 0; ; number++) if (!taken.has(`${prefix}${number}`)) return `${prefix}${number}`;
  }
}

function poolOf(network: Network): AddressPool {
  const { bridge } = network;
  if (!bridge) throw new BerthError('internal', `network ${network.name} has no subnet`);
  return new AddressPool(`${network.name} (${network.id})`, bridge.gateway, {
    ...(bridge.range ? { range: bridge.range } : {}),
    reserved: reservedAddresses(bridge),
  });
}

/** The range that the kernel takes its own ports from, which Docker uses for random ports. */
function ephemeralPorts(links: Links): [number, number] {
  const [first, last] = (links.readSysctl('net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first && last && first <= last ? [first, last] : [32_768, 60_999];
}
