/** What containers ask of networks. Allocation is pure bookkeeping plus nftables elements; the shim makes the interfaces. */
import type { PortBinding, PortMap } from '../../api/types/host-config.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { SandboxPlan } from '../../supervisor/types.ts';

/** What a container asks of one network. */
export interface EndpointRequest {
  /** Name or id. */
  network: string;
  /** A static address; null: one is picked. */
  address: string | null;
  /** A static IPv6 address. */
  address6: string | null;
  macAddress: string | null;
  /** Further names of the container on this network. */
  aliases: string[];
  /** What the container calls others on the network: its word → their name. */
  links: Record<string, string>;
  driverOptions: Record<string, string>;
  /** Further addresses of the interface, `169.254.3.4`. */
  linkLocal: string[];
  /** The network with the highest gives the default gateway; among equals the first by name. */
  gatewayPriority: number;
}

/** What a container's resolv.conf is to say in place of the host's. */
export interface DnsWishes {
  dns: string[];
  dnsOptions: string[];
  dnsSearch: string[];
}

/** A line of /etc/hosts about another container on the default bridge. */
export interface LinkedHost {
  /** Separated by spaces. */
  names: string;
  address: string;
}

export interface SandboxRequest extends DnsWishes {
  containerId: string;
  /** Without the leading slash. */
  containerName: string;
  hostname: string;
  domainname: string;
  /** `bridge`, `none`, `host`, a network's name or id, or `container:<full id>`. */
  networkMode: string;
  /** Networks of the container: wishes for that of `networkMode`, and further ones. Empty: only that of `networkMode`. */
  endpoints: EndpointRequest[];
  /** Pid of the running container to join, for `container:`. */
  joinPid: number | null;
  macAddress: string | null;
  /** `80/tcp`, `53/udp`: from the image and `--expose`. */
  exposedPorts: string[];
  portBindings: Record<string, Partial<PortBinding>[] | null>;
  publishAllPorts: boolean;
  /** `name:address`; the address may be `host-gateway`. */
  extraHosts: string[];
  links: LinkedHost[];
}

/** What a started container has of the network; kept in its record and shown by inspect. */
export interface Sandbox {
  plan: SandboxPlan;
  /** Contents for the files that are mounted into the container; null: leave the host's (network mode `host`) or the joined container's. */
  hosts: string | null;
  resolvConf: string | null;
  /** By network name. */
  networks: Record<string, EndpointSettings>;
  ports: PortMap;
}

export interface SandboxProvider {
  /**
   * Allocates addresses and ports, adds the nftables elements. Undone by `release`.
   * Errors: `not-found` network, `internal` with Docker's words for a port in use or an exhausted pool.
   */
  allocate(request: SandboxRequest): Promise<Sandbox>;
  /** Gives everything of the container back, kernel objects included. Idempotent; also right after a crash. */
  release(containerId: string): Promise<void>;
  /** The container has another name from now on. */
  rename(containerId: string, name: string): Promise<void>;
  /** In the /etc/hosts of a running container, another one has this address from now on; null: none. */
  relink(containerId: string, host: LinkedHost, address: string | null): Promise<void>;
  /** After an engine restart: `running` are the ids that live; everything else that is ours is released. */
  reconcile(running: ReadonlySet<string>): Promise<void>;
}
