import { BerthError } from '../../api/errors.ts';
import { type Cidr, contains, lastAddress, networkOf } from '../../host/netlink/cidr.ts';

/**
 * The addresses of one subnet. The next free one after the one given out last is taken, so that an address rests before it is
 * used again: the kernel takes a dead container's interface away a little later, and connections to it are remembered.
 */
export class AddressPool {
  readonly #network: string;
  readonly #first: number;
  readonly #last: number;
  readonly #taken = new Set<number>();
  readonly #subnet: Cidr;
  #next: number;

  /**
   * @param network name for messages
   * @param range where addresses are picked from, inside the subnet
   * @param reserved never picked: the gateway, auxiliary addresses
   */
  constructor(network: string, subnet: Cidr, { range, reserved }: { range?: Cidr; reserved: readonly number[] }) {
    this.#network = network;
    this.#subnet = networkOf(subnet);
    const from = networkOf(range ?? subnet);
    // Network and broadcast address of the subnet are no host's; one of two addresses or one has none.
    const edge = this.#subnet.prefix > 30 ? 0 : 1;
    this.#first = Math.max(from.address, this.#subnet.address + edge);
    this.#last = Math.min(lastAddress(from), lastAddress(this.#subnet) - edge);
    if (edge > 0) for (const address of [this.#subnet.address, lastAddress(this.#subnet)]) this.#taken.add(address);
    this.#next = this.#first;
    for (const address of reserved) this.#taken.add(address);
  }

  /** Error: `internal` in dockerd's words when none is left. */
  allocate(): number {
    const size = this.#last - this.#first + 1;
    for (let tried = 0; tried < size; tried++) {
      const candidate = this.#next;
      this.#next = candidate >= this.#last ? this.#first : candidate + 1;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return candidate;
    }
    throw new BerthError('internal', `no available IPv4 addresses on this network's address pools: ${this.#network}`);
  }

  /** Takes this very address. Error: `forbidden`, as Docker answers for an address in use or outside of the subnet. */
  reserve(address: number): void {
    if (!contains(this.#subnet, address))
      throw new BerthError('invalid', 'invalid address: no configured subnet contains the address');
    if (this.#taken.has(address)) throw new BerthError('forbidden', 'Address already in use');
    this.#taken.add(address);
  }

  /** Takes an address that a row of the database names, whatever else holds it; later ones are picked behind it. */
  restore(address: number): void {
    this.#taken.add(address);
    if (address >= this.#next && address < this.#last) this.#next = address + 1;
  }

  free(address: number): void {
    this.#taken.delete(address);
  }
}
