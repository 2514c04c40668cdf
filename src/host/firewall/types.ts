/** What the engine asks of the host's packet filter: one table of its own per engine, and a way through other people's forward chains. */
import type { Cidr } from '../netlink/cidr.ts';

/** A published IPv4 port. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp';
  /** Address of the host; null: every one. */
  hostAddress: number | null;
  /** Null: none, the container's own address is what leads to it. */
  hostPort: number | null;
  /** Whoever has a route may reach it at the container's own address too. */
  isDirect: boolean;
  /** Of the container. */
  address: number;
  port: number;
}

/** A bridge network as the filter sees it. */
export interface FilteredNetwork {
  bridge: string;
  subnet: Cidr;
  /** Connections that leave the host get the host's address. */
  masquerade: boolean;
  /** Connections that leave the host get this address; null: what `masquerade` says. */
  source: number | null;
  /** Containers of this network may talk to each other. */
  betweenContainers: boolean;
  /** Every port of its containers may be reached at their own addresses. */
  isOpen: boolean;
  /** No way in or out. */
  internal: boolean;
}

/** The whole of an engine's table. */
export interface TableContent {
  networks: readonly FilteredNetwork[];
  ports: readonly PublishedPort[];
  /**
   * Network cards between which nothing may be forwarded: those of a host that was no router before the engine turned
   * forwarding on.
   */
  separated: readonly string[];
}

export interface Firewall {
  /** Name of the table (family inet). */
  readonly table: string;
  /** Replaces the table in one step: packets see the old or the new one. */
  rebuild(content: TableContent): void;
  addNetwork(network: FilteredNetwork): void;
  /** @param network as it was added */
  removeNetwork(network: FilteredNetwork): void;
  /** Whether the table is there; other programs may have flushed it. */
  exists(): boolean;
  /** Adds published ports in one step. */
  publish(ports: readonly PublishedPort[]): void;
  /** Takes published ports away; ones that are not there are passed over. */
  withdraw(ports: readonly PublishedPort[]): void;
  /**
   * A packet passes only when every forward chain of the host lets it, so a drop in someone else's chain is final. Adds rules
   * that accept what enters or leaves through `bridges` at the end of such chains (after the rules of their owner, before a
   * closing drop), and takes away those of bridges that are not named. Gives the chains where rules were
   * missing, `ip filter FORWARD`.
   */
  passForeignChains(bridges: readonly string[]): string[];
  /** Removes the table. */
  remove(): void;
}
