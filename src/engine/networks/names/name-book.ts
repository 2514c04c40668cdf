/** Who is called what on which network, and what a container learns when it asks. Docker's rules. */

/** A server that is asked for what is no container's name. */
export interface Upstream {
  address: string;
  /** Asked from inside of the container's network; otherwise from the host's, whose own loopback servers can be reached too. */
  fromContainer: boolean;
}

/** A container's place on a network of a user. */
export interface EndpointNames {
  /** Id of the network. */
  network: string;
  networkName: string;
  /** IPv4 and IPv6, these in their canonical form. */
  addresses: string[];
  /** Names that others on the network find it under; the first is what a reverse look-up gives. */
  names: string[];
  /** What only this container calls others on the network: its word → their name. */
  links: Record<string, string>;
}

/** What a container can ask and is asked for. */
export interface SandboxNames {
  /** Container id. */
  id: string;
  endpoints: EndpointNames[];
  upstreams: Upstream[];
  /** It has a way out, so unknown names are asked of `upstreams`. */
  forwards: boolean;
  /** Names without a dot are not asked of `upstreams`: its resolv.conf says to try search domains first. */
  keepsShortNames: boolean;
}

interface NetworkBook {
  name: string;
  /** Name in lower case → container → addresses. */
  addresses: Map<string, Map<string, readonly string[]>>;
  /** Address → container's first name. */
  names: Map<string, string>;
}

export class NameBook {
  readonly #sandboxes = new Map<string, SandboxNames>();
  readonly #networks = new Map<string, NetworkBook>();

  get ids(): string[] {
    return [...this.#sandboxes.keys()];
  }

  sandbox(id: string): SandboxNames | undefined {
    return this.#sandboxes.get(id);
  }

  /** Enters a container, in place of what was known of it. */
  put(sandbox: SandboxNames): void {
    this.drop(sandbox.id);
    this.#sandboxes.set(sandbox.id, sandbox);
    for (const endpoint of sandbox.endpoints) {
      const network = this.#network(endpoint);
      for (const name of endpoint.names) {
        const key = name.toLowerCase();
        const holders = network.addresses.get(key) ?? new Map<string, readonly string[]>();
        holders.set(sandbox.id, endpoint.addresses);
        network.addresses.set(key, holders);
      }
      const [first] = endpoint.names;
      if (first !== undefined) for (const address of endpoint.addresses) network.names.set(address, first);
    }
  }

  drop(id: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return;
    this.#sandboxes.delete(id);
    for (const { network: networkId, names, addresses } of sandbox.endpoints) {
      const network = this.#networks.get(networkId);
      if (!network) continue;
      for (const name of names) {
        const key = name.toLowerCase();
        const holders = network.addresses.get(key);
        holders?.delete(id);
        if (holders?.size === 0) network.addresses.delete(key);
      }
      for (const address of addresses) if (network.names.get(address) === names[0]) network.names.delete(address);
      if (network.addresses.size === 0) this.#networks.delete(networkId);
    }
  }

  /**
   * Addresses, of both families, of a name as the container sees it; null: it is no container's.
   * Networks and containers may have dots in their names, so `a.b.c` is `a.b.c` on any of the container's networks, `a.b` on
   * network `c`, or `a` on network `b.c`, in this order.
   */
  addresses(id: string, name: string): string[] | null {
    const endpoints = this.#sandboxes.get(id)?.endpoints ?? [];
    for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
      const wanted = name.slice(0, end);
      const networkName = name.slice(end + 1);
      const those = endpoints.filter((endpoint) => networkName === '' || endpoint.networkName === networkName);
      const found = this.#find(those, wanted, 'links') ?? this.#find(those, wanted, 'names');
      if (found) return found;
    }
    return null;
  }

  /** `name.network` of the container that has the address on one of the networks of the one that asks. */
  nameOf(id: string, address: string): string | null {
    for (const { network } of this.#sandboxes.get(id)?.endpoints ?? []) {
      const book = this.#networks.get(network);
      const name = book?.names.get(address);
      if (book && name !== undefined) return `${name}.${book.name}`;
    }
    return null;
  }

  /** A link hides a container of that name. */
  #find(endpoints: readonly EndpointNames[], wanted: string, by: 'links' | 'names'): string[] | null {
    for (const { network, links } of endpoints) {
      const linked = Object.hasOwn(links, wanted) ? links[wanted] : undefined;
      const name = by === 'links' ? linked : linked === undefined ? wanted : undefined;
      const holders = name === undefined ? undefined : this.#networks.get(network)?.addresses.get(name.toLowerCase());
      if (holders) return [...new Set([...holders.values()].flat())];
    }
    return null;
  }

  #network({ network, networkName }: EndpointNames): NetworkBook {
    const known = this.#networks.get(network);
    if (known) return known;
    const made: NetworkBook = { name: networkName, addresses: new Map(), names: new Map() };
    this.#networks.set(network, made);
    return made;
  }
}
