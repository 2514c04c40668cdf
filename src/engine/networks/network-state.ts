import { randomBytes } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import type { Firewall } from '../../host/firewall/types.ts';
import { formatAddress, parseAddress } from '../../host/netlink/cidr.ts';
import { formatIp, type IpNetwork, ipNetworkOfCidr, parseIp, parseIpNetwork } from '../../host/netlink/ip-network.ts';
import { type Links, macOfAddress } from '../../host/netlink/links.ts';
import type { PortProbe } from '../../host/netlink/port-probe.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import { AddressPool } from './address-pool.ts';
import { type DefaultBridgeSettings, prepareDefaultNetworks } from './default-networks.ts';
import { type Endpoint, EndpointTable } from './endpoint-table.ts';
import { endpointOption } from './endpoint-wishes.ts';
import type { HostSettings } from './host-settings.ts';
import { HostSide } from './host-side.ts';
import { type BridgeSettings, type Network, NetworkTable, reservedAddresses } from './network-table.ts';
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
  /** By network: its pool of each family that it has. */
  readonly #pools = new Map<string, Pools>();

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
      if (network.bridge) this.#pools.set(network.id, poolsOf(network, network.bridge));
    }
    for (const endpoint of this.endpoints.all()) {
      this.#eachAddress(endpoint, (pool, address) => pool.restore(address));
      this.ports.restore(endpoint.ports);
    }
    this.host.rebuild();
  }

  /** Enters a new network, whose bridge is there. On failure nothing of it stays but the bridge. */
  addNetwork(network: Network): void {
    try {
      this.networks.save(network);
      if (network.bridge) this.#pools.set(network.id, poolsOf(network, network.bridge));
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
    const { address, address6 } = this.#takeAddresses(network, wish);
    const has = address !== null || address6 !== null;
    return {
      container: owner.containerId,
      network: network.id,
      id: randomBytes(32).toString('hex'),
      address,
      address6,
      containerName: owner.containerName,
      macAddress: has ? wish?.macAddress?.toLowerCase() || macOfAddress(address ?? randomBytes(4).readUInt32BE()) : '',
      interfaceName: has ? this.#interfaceName(owner.containerId, network, wish) : '',
      isStatic: wish !== null && wish.address !== null,
      static6: wish?.address6 ?? null,
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
    this.#eachAddress(endpoint, (pool, address) => pool.free(address));
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

  /** An address of each family that the network has: the wanted ones, or any. */
  #takeAddresses(network: Network, wish: EndpointRequest | null): Pick<Endpoint, 'address' | 'address6'> {
    const { v4, v6 } = this.#pools.get(network.id) ?? { v4: null, v6: null };
    const wanted = wish?.address ? parseAddress(wish.address) : null;
    const first = v4 && take(v4, wanted === null ? null : BigInt(wanted));
    try {
      const second = v6 && take(v6, wish?.address6 ? (parseIp(wish.address6)?.address ?? null) : null);
      return {
        address: first === null ? null : Number(first),
        address6: second === null ? null : formatIp({ version: 6, address: second }),
      };
    } catch (error) {
      if (first !== null) v4?.free(first);
      throw error;
    }
  }

  #eachAddress({ network, address, address6 }: Endpoint, work: (pool: AddressPool, address: bigint) => void): void {
    const { v4, v6 } = this.#pools.get(network) ?? { v4: null, v6: null };
    if (v4 && address !== null) work(v4, BigInt(address));
    if (v6 && address6 !== null) work(v6, parseIp(address6)?.address as bigint);
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

interface Pools {
  v4: AddressPool | null;
  v6: AddressPool | null;
}

function poolsOf(network: Network, { gateway, range, router, reserved, v6 }: BridgeSettings): Pools {
  const pool = (bridge: IpNetwork, from: IpNetwork | null, taken: bigint[]): AddressPool =>
    new AddressPool(`${network.name} (${network.id})`, bridge, { ...(from ? { range: from } : {}), reserved: taken });
  const v4Gateway = gateway && ipNetworkOfCidr(gateway);
  const v6Gateway = v6 && parseIpNetwork(v6.gateway);
  const v4Router = router === null ? null : formatAddress(router);
  return {
    v4: v4Gateway && pool(v4Gateway, range && ipNetworkOfCidr(range), reservedAddresses(v4Gateway, v4Router, reserved)),
    v6:
      v6 && v6Gateway
        ? pool(
            v6Gateway,
            v6.range ? parseIpNetwork(v6.range) : null,
            reservedAddresses(v6Gateway, v6.router, v6.reserved),
          )
        : null,
  };
}

function take(pool: AddressPool, wanted: bigint | null): bigint {
  if (wanted === null) return pool.allocate();
  pool.reserve(wanted);
  return wanted;
}

/** The range that the kernel takes its own ports from, which Docker uses for random ports. */
function ephemeralPorts(links: Links): [number, number] {
  const [first, last] = (links.readSysctl('net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first && last && first <= last ? [first, last] : [32_768, 60_999];
}
