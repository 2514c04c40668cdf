import { BerthError } from '../../api/errors.ts';
import type { IPAMPool, NetworkInspect } from '../../api/types/network.ts';
import { type Cidr, formatAddress, formatCidr, networkOf, parseCidr } from '../../host/netlink/cidr.ts';
import {
  formatIpNetwork,
  type IpNetwork,
  ipNetworkOf,
  ipNetworkOfCidr,
  parseIp,
  parseIpNetwork,
} from '../../host/netlink/ip-network.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import { type BridgeOptions, readBridgeOptions } from './bridge-options.ts';
import type { Endpoint } from './endpoint-table.ts';

/** A network as the database keeps it. */
export interface Network {
  id: string;
  name: string;
  created: Date;
  driver: 'bridge' | 'host' | 'null';
  /** Of driver bridge. */
  bridge: BridgeSettings | null;
  internal: boolean;
  attachable: boolean;
  labels: Record<string, string>;
  options: Record<string, string>;
  /** Of the address driver, as they were given: it has none that mean anything. */
  ipamOptions: Record<string, string> | null;
  /** Of a network that only holds what others are made with (`--config-only`); null: it is a real one. */
  configuration: { pools: IPAMPool[]; ipv4: boolean; ipv6: boolean } | null;
  /** What was asked for, in its order; null where an earlier engine did not keep it. */
  pools: IPAMPool[] | null;
  /** Name of the network that this one's configuration came from; empty: its own. */
  configFrom: string;
}

export interface BridgeSettings extends BridgeOptions {
  /** The interface. */
  name: string;
  /** The bridge's own address, with the prefix of the subnet; null: the network has no IPv4. */
  gateway: Cidr | null;
  /** Address of another router of the subnet where containers' default route leads; null: the bridge. */
  router: number | null;
  /** Where addresses are picked from; null: the whole subnet. */
  range: Cidr | null;
  /** Addresses that nobody gets, by name. */
  reserved: Record<string, string>;
  /** The same of IPv6, as text; null: the network has none. */
  v6: BridgeV6 | null;
  /** The engine made the interface and takes it away again. */
  owned: boolean;
}

export interface BridgeV6 {
  /** `fd00::1/64` */
  gateway: string;
  router: string | null;
  range: string | null;
  reserved: Record<string, string>;
}

type Row = { id: string; name: string; created: number; record: string };
type StoredBridge = Omit<BridgeSettings, 'gateway' | 'range'> & { gateway: string | null; range: string | null };
type StoredRecord = Omit<Network, 'id' | 'name' | 'created' | 'bridge'> & { bridge: StoredBridge | null };

/** The networks in the database, with a copy in memory. */
export class NetworkTable {
  readonly #database: BerthDatabase;
  readonly #byId = new Map<string, Network>();

  constructor(database: BerthDatabase) {
    this.#database = database;
    for (const row of database.sql.query<Row, []>('SELECT * FROM networks').all()) {
      this.#byId.set(row.id, fromRow(row));
    }
  }

  /** In the order in which they were made known. */
  all(): Network[] {
    return [...this.#byId.values()];
  }

  byName(name: string): Network | null {
    return this.all().find((network) => network.name === name) ?? null;
  }

  /** By full id, name or unique prefix of the id. Error: `not-found`, or `invalid` for a prefix of several. */
  find(wanted: string): Network {
    const exact = this.#byId.get(wanted) ?? this.byName(wanted);
    if (exact) return exact;
    const matches = wanted === '' ? [] : this.all().filter((network) => network.id.startsWith(wanted));
    if (matches.length > 1)
      throw new BerthError('invalid', `network ${wanted} is ambiguous (${matches.length} matches found on ID prefix)`);
    const [found] = matches;
    if (!found) throw new BerthError('not-found', `network ${wanted} not found`);
    return found;
  }

  /** Enters a new one. Error: `internal` on a full disk. */
  add(network: Network): void {
    this.#database.requireRoom();
    this.save(network);
  }

  /** Adds a network or replaces the one of the same id. */
  save(network: Network): void {
    const { id, name, created, bridge, ...rest } = network;
    const stored: StoredRecord = {
      ...rest,
      bridge: bridge && {
        ...bridge,
        gateway: bridge.gateway && formatCidr(bridge.gateway),
        range: bridge.range && formatCidr(bridge.range),
      },
    };
    this.#database.sql
      .query(
        'INSERT INTO networks VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
      )
      .run(id, name, created.getTime(), JSON.stringify(stored));
    this.#byId.set(id, network);
  }

  remove(id: string): void {
    this.#database.sql.query('DELETE FROM networks WHERE id = ?').run(id);
    this.#byId.delete(id);
  }
}

/** What rows of earlier engines do not have. */
const earlierNetwork = { ipamOptions: null, configuration: null, configFrom: '', pools: null };
const earlierBridge = { ...readBridgeOptions({}, { mtu: 1500, internal: false }), router: null, v6: null };

function fromRow(row: Row): Network {
  const { bridge, ...rest } = JSON.parse(row.record) as StoredRecord;
  return {
    ...earlierNetwork,
    ...rest,
    id: row.id,
    name: row.name,
    created: new Date(row.created),
    bridge: bridge && {
      ...earlierBridge,
      ...bridge,
      gateway: bridge.gateway === null ? null : parseCidr(bridge.gateway),
      range: bridge.range === null ? null : parseCidr(bridge.range),
    },
  };
}

/** The subnets of a bridge network. */
export function subnetsOf({ gateway, v6 }: BridgeSettings): IpNetwork[] {
  return [...(gateway ? [ipNetworkOf(ipNetworkOfCidr(gateway))] : []), ...(v6 ? [subnetOfV6(v6)] : [])];
}

export function subnetOfV6({ gateway }: BridgeV6): IpNetwork {
  return ipNetworkOf(parseIpNetwork(gateway) as IpNetwork);
}

/** The bridge's own address of IPv6, without the prefix. */
export function gatewayOfV6({ gateway }: BridgeV6): string {
  return gateway.slice(0, gateway.indexOf('/'));
}

/** Reserved addresses of one family of a bridge network, its gateway among them. */
export function reservedAddresses(
  gateway: IpNetwork,
  router: string | null,
  reserved: Record<string, string>,
): bigint[] {
  const named = [...Object.values(reserved), ...(router === null ? [] : [router])];
  return [gateway.address, ...named.flatMap((text) => parseIp(text)?.address ?? [])];
}

function auxiliaryAddresses(
  reserved: Record<string, string>,
  router: Record<string, string>,
): Pick<IPAMPool, 'AuxiliaryAddresses'> {
  const all = { ...reserved, ...router };
  return Object.keys(all).length > 0 ? { AuxiliaryAddresses: all } : {};
}

/** The subnets in use and those that were asked for, which come first. */
function shownPools({ bridge, pools, internal }: Network): IPAMPool[] | null {
  if (!bridge) return null;
  const { gateway, range, router, reserved, v6 } = bridge;
  const v4Pool: IPAMPool | null = gateway && {
    Subnet: formatCidr(networkOf(gateway)),
    ...(range ? { IPRange: formatCidr(range) } : {}),
    ...(internal ? {} : { Gateway: formatAddress(gateway.address) }),
    ...auxiliaryAddresses(reserved, router === null ? {} : { DefaultGatewayIPv4: formatAddress(router) }),
  };
  const v6Pool: IPAMPool | null = v6 && {
    Subnet: formatIpNetwork(subnetOfV6(v6)),
    ...(v6.range ? { IPRange: v6.range } : {}),
    ...(internal ? {} : { Gateway: gatewayOfV6(v6) }),
    ...auxiliaryAddresses(v6.reserved, v6.router === null ? {} : { DefaultGatewayIPv6: v6.router }),
  };
  const own = (pool: IPAMPool): IPAMPool => (pool.Subnet?.includes(':') ? v6Pool : v4Pool) ?? pool;
  const asked = (pools ?? []).map(own);
  return [...asked, ...[v4Pool, v6Pool].filter((pool) => pool !== null && !asked.includes(pool))] as IPAMPool[];
}

/** Docker's JSON of a network. */
export function describeNetwork(network: Network, endpoints: readonly Endpoint[]): NetworkInspect {
  const { bridge, configuration } = network;
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created.toISOString().replace(/(\.\d{3})Z$/, '$1000000Z'),
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: configuration?.ipv4 ?? bridge?.gateway !== null,
    EnableIPv6: configuration?.ipv6 ?? Boolean(bridge?.v6),
    IPAM: {
      Driver: 'default',
      Options: network.ipamOptions,
      Config: configuration?.pools ?? shownPools(network),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom },
    ConfigOnly: network.configuration !== null,
    Containers: Object.fromEntries(
      endpoints.map((endpoint) => [
        endpoint.container,
        {
          Name: endpoint.containerName,
          EndpointID: endpoint.id,
          MacAddress: endpoint.macAddress,
          IPv4Address: endpoint.address === null ? '' : `${formatAddress(endpoint.address)}/${bridge?.gateway?.prefix}`,
          IPv6Address:
            bridge?.v6 && endpoint.address6 !== null ? `${endpoint.address6}/${subnetOfV6(bridge.v6).prefix}` : '',
        },
      ]),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}
