/** What the engine asks of the host's packet filter: one table of its own per engine, and a way through other people's forward chains. */
import type { IpNetwork } from '../netlink/ip-network.ts';

/** A number is an address of IPv4, a bigint one of IPv6. */
export type FilteredAddress = number | bigint;

/** A published port, from the host to the container in the same family. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp';
  /** Address of the host; null: every one. */
  hostAddress: FilteredAddress | null;
  /** Null: none, the container's own address is what leads to it. */
  hostPort: number | null;
  /** Whoever has a route may reach it at the container's own address too. */
  isDirect: boolean;
  /** Of the container. */
  address: FilteredAddress;
  port: number;
}

/** A bridge network as the filter sees it. */
export interface FilteredNetwork {
  bridge: string;
  /** One a family at most. */
  subnets: readonly FilteredSubnet[];
  /** Containers of this network may talk to each other. */
  betweenContainers: boolean;
  /** No way in or out. */
  internal: boolean;
}

export interface FilteredSubnet extends IpNetwork {
  /** Connections that leave the host get the host's address. */
  masquerade: boolean;
  /** Connections that leave the host get this address; null: what `masquerade` says. */
  source: FilteredAddress | null;
  /** Every port of its containers may be reached at their own addresses. */
  isOpen: boolean;
}

/** A family that containers have, and packets are judged by. */
export type FilteredVersion = IpNetwork['version'];

/** The whole of an engine's table. */
export interface TableContent {
  /** Packets of other families pass as they come. */
  versions: readonly FilteredVersion[];
  networks: readonly FilteredNetwork[];
  ports: readonly PublishedPort[];
  /**
   * Network cards between which nothing may be forwarded: those of a host that was no router before the engine turned
   * forwarding on.
   */
  separated: Readonly<Record<FilteredVersion, readonly string[]>>;
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
