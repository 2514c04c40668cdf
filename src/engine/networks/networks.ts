import { randomBytes } from 'node:crypto';
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { NetworkInspect } from '../../api/types/network.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { Firewall } from '../../host/firewall/types.ts';
import { formatAddress } from '../../host/netlink/cidr.ts';
import { type Links, macOfAddress } from '../../host/netlink/links.ts';
import type { PortProbe } from '../../host/netlink/port-probe.ts';
import type { BerthDatabase } from '../../store/db/database.ts';
import type { SandboxPlan } from '../../supervisor/types.ts';
import type { Filters } from '../../wire/filters.ts';
import { AddressPool } from './address-pool.ts';
import { type DefaultBridgeSettings, prepareDefaultNetworks } from './default-networks.ts';
import { type Endpoint, EndpointTable } from './endpoint-table.ts';
import { hostsFile, ownNames, resolvConf, stubTarget } from './etc-files.ts';
import { HostSide } from './host-side.ts';
import { matchesFilters } from './network-filters.ts';
import { describeNetwork, type Network, NetworkTable, reservedAddresses } from './network-table.ts';
import { PortBook } from './port-book.ts';
import { portRequests } from './port-requests.ts';
import { endpointSettings, portHolds, portMap } from './sandbox-shapes.ts';
import type { Sandbox, SandboxProvider, SandboxRequest } from './types.ts';

export interface NetworksOptions {
  database: BerthDatabase;
  links: Links;
  firewall: Firewall;
  probe: PortProbe;
  settings: DefaultBridgeSettings;
  hostHasIpv6: boolean;
  /** A small file of the host; empty where there is none. */
  readHostFile(path: string): Promise<string>;
}

/** The engine's networks: books in the database, bridges and firewall on the host. */
export class Networks implements SandboxProvider {
  readonly #options: NetworksOptions;
  readonly #networks: NetworkTable;
  readonly #endpoints: EndpointTable;
  readonly #host: HostSide;
  readonly #ports: PortBook;
  readonly #pools = new Map<string, AddressPool>();

  /** Makes what is missing on the host. Errors: `invalid` settings, no free subnet, and what the kernel refuses. */
  constructor(options: NetworksOptions) {
    const { database, links, firewall, probe } = options;
    this.#options = options;
    this.#networks = new NetworkTable(database);
    this.#endpoints = new EndpointTable(database);
    prepareDefaultNetworks(this.#networks, links, options.settings);
    this.#host = new HostSide({ database, links, firewall, networks: this.#networks, endpoints: this.#endpoints });
    this.#ports = new PortBook({ probe, ipv6: options.hostHasIpv6, range: ephemeralPorts(links) });
    for (const network of this.#networks.all()) {
      this.#host.bringUp(network);
      if (network.bridge) this.#pools.set(network.id, poolOf(network));
    }
    for (const endpoint of this.#endpoints.all()) {
      if (endpoint.address !== null) this.#pools.get(endpoint.network)?.restore(endpoint.address);
      this.#ports.restore(endpoint.ports);
    }
    this.#host.rebuild();
  }

  async allocate(request: SandboxRequest): Promise<Sandbox> {
    const { networkMode } = request;
    if (networkMode.startsWith('container:')) return this.#join(request);
    const network = this.#networkOfMode(networkMode);
    await this.release(request.containerId);
    if (network.driver !== 'bridge') return this.#allocatePlain(request, network);
    return this.#allocateOnBridge(request, network);
  }

  async release(containerId: string): Promise<void> {
    for (const endpoint of this.#endpoints.of(containerId)) {
      this.#host.withdraw(endpoint);
      this.#endpoints.remove(containerId, endpoint.network);
      this.#free(endpoint);
    }
  }

  async reconcile(running: ReadonlySet<string>): Promise<void> {
    for (const { container } of this.#endpoints.all()) {
      if (!running.has(container)) await this.release(container);
    }
  }

  /** After a change of the packet filter by anybody. Gives what had to be mended, for the log. */
  mend(): string[] {
    return this.#host.mend();
  }

  /** At the end of the engine: where no container is left, nothing of the engine stays on the host. */
  leaveHost(): void {
    if (this.#endpoints.all().every(({ address }) => address === null)) this.#host.dismantle();
  }

  list(filters: Filters): NetworkInspect[] {
    return this.#networks
      .all()
      .filter((network) => matchesFilters(network, filters, this.#endpoints.onNetwork(network.id).length > 0))
      .map((network) => this.#describe(network));
  }

  inspect(id: string): NetworkInspect {
    return this.#describe(this.#networks.find(id));
  }

  #describe(network: Network): NetworkInspect {
    return describeNetwork(network, this.#endpoints.onNetwork(network.id));
  }

  #networkOfMode(mode: string): Network {
    const name = mode === '' || mode === 'default' ? 'bridge' : mode;
    if (name === 'bridge' && !this.#networks.byName('bridge')) return this.#networks.find('none');
    try {
      return this.#networks.find(name);
    } catch (error) {
      throw inStart(error);
    }
  }

  async #join(request: SandboxRequest): Promise<Sandbox> {
    const target = request.networkMode.slice('container:'.length);
    if (request.joinPid === null)
      throw new BerthError('conflict', `cannot join network of a non running container: ${target}`);
    const plan: SandboxPlan = { kind: 'join', path: `/proc/${request.joinPid}/ns/net` };
    return { plan, hosts: null, resolvConf: null, networks: {}, ports: {} };
  }

  /** Networks `host` and `none`. */
  async #allocatePlain(request: SandboxRequest, network: Network): Promise<Sandbox> {
    const onHost = network.driver === 'host';
    const resolv = await this.#resolvConf(request, onHost);
    const hostHosts = onHost && request.extraHosts.length === 0 ? await this.#options.readHostFile('/etc/hosts') : '';
    const endpoint = this.#newEndpoint(request, network);
    this.#endpoints.add(endpoint);
    return {
      plan: onHost ? { kind: 'host' } : { kind: 'new', interfaces: [], ports: [] },
      hosts: hostHosts === '' ? this.#hosts(request, []) : hostHosts,
      resolvConf: resolv,
      networks: { [network.name]: endpointSettings(endpoint, network) },
      ports: {},
    };
  }

  async #allocateOnBridge(request: SandboxRequest, network: Network): Promise<Sandbox> {
    const { bridge } = network;
    const pool = this.#pools.get(network.id);
    if (!bridge || !pool) throw new BerthError('internal', `network ${network.name} has no bridge`);
    const requests = portRequests(request);
    const resolv = await this.#resolvConf(request, false);
    const endpoint = this.#newEndpoint(request, network);
    try {
      const address = pool.allocate();
      endpoint.address = address;
      endpoint.macAddress = request.macAddress?.toLowerCase() || macOfAddress(address);
      endpoint.ports = await this.#allocatePorts(endpoint, requests);
      await failpoint('run.after-address');
      this.#endpoints.add(endpoint);
    } catch (error) {
      this.#free(endpoint);
      throw inStart(error);
    }
    await failpoint('run.after-endpoint');
    try {
      this.#host.publish(endpoint);
    } catch (error) {
      await this.release(request.containerId);
      throw inStart(error);
    }
    const address = formatAddress(endpoint.address ?? 0);
    return {
      plan: {
        kind: 'new',
        interfaces: [
          {
            hostName: `vb${endpoint.id.slice(0, 12)}`,
            containerName: 'eth0',
            bridge: bridge.name,
            macAddress: endpoint.macAddress,
            addresses: [`${address}/${bridge.gateway.prefix}`],
            gateway: network.internal ? null : formatAddress(bridge.gateway.address),
            mtu: bridge.mtu,
            hairpin: endpoint.ports.length > 0 && this.#host.needsHairpin,
          },
        ],
        ports: portHolds(endpoint),
      },
      hosts: this.#hosts(request, [[address, ownNames(request.hostname, request.domainname)]]),
      resolvConf: resolv,
      networks: { [network.name]: endpointSettings(endpoint, network) },
      ports: portMap(endpoint.ports, request.exposedPorts),
    };
  }

  async #allocatePorts(endpoint: Endpoint, requests: ReturnType<typeof portRequests>): Promise<Endpoint['ports']> {
    try {
      return await this.#ports.allocate(requests, formatAddress(endpoint.address ?? 0));
    } catch (error) {
      throw rephrase(
        error,
        `driver failed programming external connectivity on endpoint ${endpoint.containerName} (${endpoint.id}): `,
      );
    }
  }

  #newEndpoint(request: SandboxRequest, network: Network): Endpoint {
    return {
      container: request.containerId,
      network: network.id,
      id: randomBytes(32).toString('hex'),
      address: null,
      containerName: request.containerName,
      macAddress: '',
      ports: [],
    };
  }

  #free(endpoint: Endpoint): void {
    if (endpoint.address !== null) this.#pools.get(endpoint.network)?.free(endpoint.address);
    this.#ports.free(endpoint.ports);
  }

  #hosts(request: SandboxRequest, own: [string, string][]): string {
    const gateway = this.#networks.byName('bridge')?.bridge?.gateway;
    return hostsFile({
      extraHosts: request.extraHosts,
      hostGateway: gateway ? formatAddress(gateway.address) : '127.0.0.1',
      own,
    });
  }

  async #resolvConf(request: SandboxRequest, onHost: boolean): Promise<string> {
    const { readHostFile } = this.#options;
    const [host, hostBehindStub] = await Promise.all([readHostFile('/etc/resolv.conf'), readHostFile(stubTarget)]);
    const { dns, dnsOptions, dnsSearch } = request;
    return resolvConf({ host, hostBehindStub, dns, dnsOptions, dnsSearch, keepLoopback: onHost, ipv6: onHost });
  }
}

function poolOf(network: Network): AddressPool {
  const { bridge } = network;
  if (!bridge) throw new BerthError('internal', `network ${network.name} has no subnet`);
  return new AddressPool(`${network.name} (${network.id})`, bridge.gateway, {
    ...(bridge.range ? { range: bridge.range } : {}),
    reserved: reservedAddresses(bridge),
  });
}

/** The range that the kernel takes its own ports from, which Docker uses for random ports. */
function ephemeralPorts(links: Links): [number, number] {
  const [first, last] = (links.readSysctl('net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first && last && first <= last ? [first, last] : [32_768, 60_999];
}

function rephrase(error: unknown, prefix: string): BerthError {
  const kind = error instanceof BerthError ? error.kind : 'internal';
  return new BerthError(kind, `${prefix}${errorMessage(error)}`, { cause: error });
}

/** What dockerd puts before an error of a container's network at its start. */
function inStart(error: unknown): BerthError {
  return rephrase(error, 'failed to set up container networking: ');
}
