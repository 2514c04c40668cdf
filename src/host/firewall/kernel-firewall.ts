import { errnoCode, SystemError } from '../netlink/libc.ts';
import { KernelLinks } from '../netlink/links.ts';
import { MessageWriter, netlinkFlag } from '../netlink/message.ts';
import { NetlinkSocket, netlinkFamily } from '../netlink/netlink-socket.ts';
import { networkElements, portElements, writeTable } from './engine-table.ts';
import { ForeignChains } from './foreign-chains.ts';
import { Batch, type Element, family, familyHeader, messageTypeOf, nftMessage } from './nf-tables.ts';
import type { FilteredNetwork, Firewall, PublishedPort, TableContent } from './types.ts';
import { forgetFlowsToContainers, forgetFlowsToHost } from './udp-flows.ts';

/** The host's nf_tables, in the network namespace of this process. */
export class KernelFirewall implements Firewall {
  readonly table: string;
  readonly #socket = new NetlinkSocket(netlinkFamily.netfilter);
  readonly #foreign: ForeignChains;
  #links: KernelLinks | null = null;

  /** @param table `berth`, or `berth-<bridge>`; never a table of someone else's */
  constructor(table: string) {
    this.table = table;
    this.#foreign = new ForeignChains(this.#socket, table);
  }

  rebuild(content: TableContent): void {
    const batch = new Batch();
    // Adding before deleting: deleting what is not there would fail.
    batch.addTable(this.table);
    batch.deleteTable(this.table);
    writeTable(batch, this.table, content);
    this.#socket.run(batch.end(), `build firewall table ${this.table}`);
  }

  addNetwork(network: FilteredNetwork): void {
    const batch = new Batch();
    for (const [set, elements] of networkElements([network])) batch.addElements(this.table, set, elements);
    this.#socket.run(batch.end(), `add ${network.bridge} to firewall table ${this.table}`);
  }

  removeNetwork(network: FilteredNetwork): void {
    const batch = new Batch();
    for (const [set, elements] of networkElements([network])) batch.deleteElements(this.table, set, keysOf(elements));
    this.#socket.run(batch.end(), `remove ${network.bridge} from firewall table ${this.table}`);
  }

  exists(): boolean {
    const writer = new MessageWriter();
    writer.begin(messageTypeOf(nftMessage.getTable), netlinkFlag.acknowledge, familyHeader(family.inet));
    writer.text(1, this.table);
    try {
      this.#socket.run(writer, `look for firewall table ${this.table}`);
      return true;
    } catch (error) {
      if (isErrno(error, errnoCode.ENOENT)) return false;
      throw error;
    }
  }

  publish(ports: readonly PublishedPort[]): void {
    if (ports.length === 0) return;
    const batch = new Batch();
    for (const [map, elements] of portElements(ports)) batch.addElements(this.table, map, elements);
    this.#socket.run(batch.end(), 'publish ports');
    const [v4, v6] = udpOf(ports);
    const local = v4.length > 0 ? this.#localAddresses() : new Set<number>();
    if (v4.length > 0) forgetFlowsToHost(this.#socket, v4, (address) => local.has(address.readUInt32BE(0)));
    // A flow that only passes through the host is made anew by its next packet.
    if (v6.length > 0) forgetFlowsToHost(this.#socket, v6, () => true);
  }

  withdraw(ports: readonly PublishedPort[]): void {
    if (ports.length === 0) return;
    const placed = portElements(ports).flatMap(([map, elements]) => elements.map((element) => [map, element] as const));
    this.#withdrawThose(placed);
    for (const those of udpOf(ports)) if (those.length > 0) forgetFlowsToContainers(this.#socket, those);
  }

  passForeignChains(bridges: readonly string[]): string[] {
    return this.#foreign.pass(bridges);
  }

  remove(): void {
    const batch = new Batch();
    batch.addTable(this.table);
    batch.deleteTable(this.table);
    this.#socket.run(batch.end(), `remove firewall table ${this.table}`);
  }

  close(): void {
    this.#links?.close();
    this.#socket.close();
  }

  #localAddresses(): Set<number> {
    this.#links ??= new KernelLinks();
    return new Set(this.#links.addresses(null).map(({ address }) => address));
  }

  /** @param placed elements with the maps that they are in */
  #withdrawThose(placed: readonly PlacedElement[]): void {
    try {
      this.#withdrawAll(placed);
    } catch (error) {
      if (!isErrno(error, errnoCode.ENOENT)) throw error;
      // One that is missing keeps the whole transaction from happening.
      if (placed.length === 1) return;
      const half = placed.length >> 1;
      this.#withdrawThose(placed.slice(0, half));
      this.#withdrawThose(placed.slice(half));
    }
  }

  #withdrawAll(placed: readonly PlacedElement[]): void {
    const batch = new Batch();
    for (const [map, elements] of Map.groupBy(placed, ([name]) => name)) {
      const keys = keysOf(elements.map(([, element]) => element));
      batch.deleteElements(this.table, map, keys);
    }
    this.#socket.run(batch.end(), 'withdraw published ports');
  }
}

type PlacedElement = readonly [map: string, element: Element];

function keysOf(elements: readonly Element[]): Element[] {
  return elements.map(({ key, keyEnd }) => ({ key, ...(keyEnd ? { keyEnd } : {}) }));
}

/** Those of UDP, IPv4 and IPv6 apart. */
function udpOf(ports: readonly PublishedPort[]): [v4: PublishedPort[], v6: PublishedPort[]] {
  const those = ports.filter(({ protocol, hostPort }) => protocol === 'udp' && hostPort !== null);
  const isV6 = ({ address }: PublishedPort): boolean => typeof address === 'bigint';
  return [those.filter((port) => !isV6(port)), those.filter(isV6)];
}

function isErrno(error: unknown, errno: number): boolean {
  return error instanceof SystemError && error.errno === errno;
}
