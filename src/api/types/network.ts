/** Networks: wire types of Docker's API 1.52, with Docker's own keys. */

/** Static addresses that a user asks for on one network. */
export interface EndpointIPAMConfig {
  IPv4Address?: string;
  IPv6Address?: string;
  LinkLocalIPs?: string[];
}

/** One container's connection to one network. In a request only the first group counts, what a client echoes of the second is ignored. */
export interface EndpointSettings {
  /** Null: addresses are picked from the pool. */
  IPAMConfig: EndpointIPAMConfig | null;
  Links: string[] | null;
  Aliases: string[] | null;
  /** Asked for in a request, in use in a reply; empty while not running. */
  MacAddress: string;
  DriverOpts: Record<string, string> | null;
  /** The network with the highest priority gives the default gateway. */
  GwPriority: number;

  NetworkID: string;
  /** Empty while not running. */
  EndpointID: string;
  Gateway: string;
  IPAddress: string;
  /** Length of the IPv4 prefix; 0 while not running. */
  IPPrefixLen: number;
  IPv6Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  /** Names under which the embedded DNS server knows the container; null on networks without one. */
  DNSNames: string[] | null;
}

export interface IPAMPool {
  /** CIDR. */
  Subnet?: string;
  /** CIDR inside the subnet from which addresses are given. */
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

export interface IPAM {
  Driver: string;
  Options: Record<string, string> | null;
  Config: IPAMPool[] | null;
}

/** Body of `POST /networks/create`. */
export interface NetworkCreateRequest {
  Name: string;
  /** Empty: `bridge`. */
  Driver: string;
  Scope: string;
  /** Null: true. */
  EnableIPv4: boolean | null;
  /** Null: the engine's default (false). */
  EnableIPv6: boolean | null;
  IPAM: IPAM | null;
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigOnly: boolean;
  ConfigFrom: { Network: string } | null;
  Options: Record<string, string> | null;
  Labels: Record<string, string> | null;
}

export interface NetworkCreateResponse {
  Id: string;
  Warning: string;
}

/** A container as `GET /networks/{id}` shows it. */
export interface NetworkEndpoint {
  Name: string;
  EndpointID: string;
  MacAddress: string;
  /** CIDR, or empty. */
  IPv4Address: string;
  IPv6Address: string;
}

/** An entry of `GET /networks` (where `Containers` is always `{}`) and the answer of `GET /networks/{id}`. */
export interface NetworkInspect {
  Name: string;
  Id: string;
  /** RFC 3339 with nanoseconds. */
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: IPAM;
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  /** By container id; running containers only. */
  Containers: Record<string, NetworkEndpoint>;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}

/** Body of `POST /networks/{id}/connect`. */
export interface NetworkConnectRequest {
  Container: string;
  EndpointConfig: EndpointSettings | null;
}

/** Body of `POST /networks/{id}/disconnect`. */
export interface NetworkDisconnectRequest {
  Container: string;
  Force: boolean;
}

export interface NetworksPruneReport {
  /** Names. Null: nothing was removed. */
  NetworksDeleted: string[] | null;
}
