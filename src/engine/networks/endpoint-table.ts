import { formatAddress, parseAddress } from '../../host/netlink/cidr.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { SandboxNames } from './names/name-book.ts';
import type { Publication } from './port-book.ts';

/** A container's place on a network, from its start until after its end. */
export interface Endpoint {
  container: string;
  /** Network id. */
  network: string;
  /** 64 hex digits. */
  id: string;
  /** Null on networks without addresses (host, none). */
  address: number | null;
  /** In its canonical form; null: it has no IPv6. */
  address6: string | null;
  containerName: string;
  macAddress: string;
  /** Name inside the container, `eth0`; empty on networks without interfaces. */
  interfaceName: string;
  /** The address was asked for. */
  isStatic: boolean;
  /** So was that of IPv6: as it was written. */
  static6: string | null;
  aliases: string[];
  /** What the container calls others on the network: its word → their name. */
  links: Record<string, string>;
  driverOptions: Record<string, string>;
  linkLocal: string[];
  gatewayPriority: number;
  hostname: string;
  ports: Publication[];
  /** How the resolver serves the container; null: its resolv.conf does not name the resolver. The same at all its endpoints. */
  dns: Pick<SandboxNames, 'upstreams' | 'keepsShortNames'> | null;
}

type Row = { container: string; network: string; endpoint: string; address: string | null; record: string };

/** The endpoints in the database, with a copy in memory for questions. */
export class EndpointTable {
  readonly #database: BerthDatabase;
  readonly #byContainer = new Map<string, Endpoint[]>();

  constructor(database: BerthDatabase) {
    this.#database = database;
    for (const row of database.sql.query<Row, []>('SELECT * FROM endpoints').all()) this.#remember(fromRow(row));
  }

  all(): Endpoint[] {
    return [...this.#byContainer.values()].flat();
  }

  of(container: string): Endpoint[] {
    return this.#byContainer.get(container) ?? [];
  }

  onNetwork(network: string): Endpoint[] {
    return this.all().filter((endpoint) => endpoint.network === network);
  }

  add(endpoint: Endpoint): void {
    const { container, network, id, address, ...record } = endpoint;
    this.#database.sql
      .query('INSERT INTO endpoints (container, network, endpoint, address, record) VALUES (?, ?, ?, ?, ?)')
      .run(container, network, id, address === null ? null : formatAddress(address), JSON.stringify(record));
    this.#remember(endpoint);
  }

  /** Changes what is not the endpoint's place: names, ports, how names are served. */
  update(endpoint: Endpoint, change: Partial<Pick<Endpoint, 'containerName' | 'ports' | 'dns'>>): void {
    Object.assign(endpoint, change);
    const { container, network, id: _id, address: _address, ...record } = endpoint;
    this.#database.sql
      .query('UPDATE endpoints SET record = ? WHERE container = ? AND network = ?')
      .run(JSON.stringify(record), container, network);
  }

  /** In one step: after a crash they are at one of the two. @param ports some of those of `from` */
  movePorts(from: Endpoint, to: Endpoint, ports: readonly Publication[]): void {
    this.#database.transaction(() => {
      this.update(to, { ports: [...to.ports, ...ports] });
      this.update(from, { ports: from.ports.filter((port) => !ports.includes(port)) });
    });
  }

  remove(container: string, network: string): void {
    this.#database.sql.query('DELETE FROM endpoints WHERE container = ? AND network = ?').run(container, network);
    const rest = this.of(container).filter((endpoint) => endpoint.network !== network);
    if (rest.length > 0) this.#byContainer.set(container, rest);
    else this.#byContainer.delete(container);
  }

  #remember(endpoint: Endpoint): void {
    this.#byContainer.set(endpoint.container, [...this.of(endpoint.container), endpoint]);
  }
}

function fromRow(row: Row): Endpoint {
  const record = JSON.parse(row.record) as Omit<Endpoint, 'container' | 'network' | 'id' | 'address'>;
  return {
    ...{ links: {}, driverOptions: {}, linkLocal: [], gatewayPriority: 0, dns: null, address6: null, static6: null },
    ...record,
    container: row.container,
    network: row.network,
    id: row.endpoint,
    address: row.address === null ? null : parseAddress(row.address),
  };
}
