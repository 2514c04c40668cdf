import { BerthError } from '../../api/errors.ts';
import { type IpNetwork, ipContains, ipNetworkOf, lastIp } from '../../host/netlink/ip-network.ts';

/**
 * The addresses of one subnet, of IPv4 or IPv6. The next free one after the one given out last is taken, so that an address rests
 * before it is used again: the kernel takes a dead container's interface away a little later, and connections to it are remembered.
 */
export class AddressPool {
  readonly #network: string;
  readonly #first: bigint;
  readonly #last: bigint;
  readonly #taken = new Set<bigint>();
  readonly #subnet: IpNetwork;
  #next: bigint;

  /**
   * @param network name for messages
   * @param range where addresses are picked from, inside the subnet
   * @param reserved never picked: the gateway, auxiliary addresses
   */
  constructor(
    network: string,
    subnet: IpNetwork,
    { range, reserved }: { range?: IpNetwork; reserved: readonly bigint[] },
  ) {
    this.#network = network;
    this.#subnet = ipNetworkOf(subnet);
    for (const address of [...edgesOf(this.#subnet), ...reserved]) this.#taken.add(address);
    const from = ipNetworkOf(range ?? subnet);
    this.#first = from.address;
    this.#last = lastIp(from);
    this.#next = this.#first;
  }

  /** Error: `internal` in dockerd's words when none is left. */
  allocate(): bigint {
    for (let left = this.#last - this.#first + 1n; left > 0n; left--) {
      const candidate = this.#next;
      this.#next = candidate >= this.#last ? this.#first : candidate + 1n;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return candidate;
    }
    throw new BerthError(
      'internal',
      `no available IPv${this.#subnet.version} addresses on this network's address pools: ${this.#network}`,
    );
  }

  /** Takes this very address. Error: `forbidden`, as Docker answers for an address in use or outside of the subnet. */
  reserve(address: bigint): void {
    if (!ipContains(this.#subnet, { version: this.#subnet.version, address }))
      throw new BerthError('invalid', 'invalid address: no configured subnet contains the address');
    if (this.#taken.has(address)) throw new BerthError('forbidden', 'Address already in use');
    this.#taken.add(address);
  }

  /** Takes an address that a row of the database names, whatever else holds it; later ones are picked behind it. */
  restore(address: bigint): void {
    this.#taken.add(address);
    if (address >= this.#next && address < this.#last) this.#next = address + 1n;
  }

  free(address: bigint): void {
    this.#taken.delete(address);
  }
}

/**
 * Addresses of a subnet that are no host's: network and broadcast of IPv4, where it has more than two addresses; of IPv6 the first,
 * which every router there answers to (RFC 4291, 2.6.1).
 */
export function edgesOf(subnet: IpNetwork): bigint[] {
  if (subnet.version === 6) return subnet.prefix === 128 ? [] : [subnet.address];
  return subnet.prefix > 30 ? [] : [subnet.address, lastIp(subnet)];
}
