import { BerthError, errorMessage } from '../../api/errors.ts';
import type { NetworkInspect } from '../../api/types/network.ts';
import { failpoint } from '../../base/failpoint.ts';
import { UndoStack } from '../../base/undo-stack.ts';
import type { SandboxPlan } from '../../supervisor/types.ts';
import type { Filters } from '../../wire/filters.ts';
import type { GatewayMode } from './bridge-options.ts';
import { gatewaysOf, type Joined, type Leads, leadsOf, publisherOf, versions } from './default-gateway.ts';
import { checkWishAtStart, endpointRequest } from './endpoint-wishes.ts';
import type { EtcEditor } from './etc-editor.ts';
import { hostsFile, hostsLine, ownNames } from './etc-files.ts';
import { checkTogether } from './membership.ts';
import type { Names } from './names/names.ts';
import { sandboxNames } from './names/sandbox-names.ts';
import { isPredefined, matchesFilters } from './network-filters.ts';
import { NetworkState, type NetworkStateOptions } from './network-state.ts';
import { describeNetwork, type Network } from './network-table.ts';
import type { Publication } from './port-book.ts';
import { portRequests } from './port-requests.ts';
import { type ResolverConf, resolvConf, resolverConf, stubTarget } from './resolv-conf.ts';
import { addressesOf, endpointSettings, gatewayOf, interfacePlan, portMap } from './sandbox-shapes.ts';
import type { DnsWishes, EndpointRequest, LinkedHost, Sandbox, SandboxProvider, SandboxRequest } from './types.ts';

export interface NetworksOptions extends NetworkStateOptions {
  /** A small file of the host; empty where there is none. */
  readHostFile(path: string): Promise<string>;
  names: Names;
  etc: EtcEditor;
  /** What `host-gateway` stands for; empty: the default bridge's address. */
  hostGateways: readonly string[];
  /** For what goes wrong with nobody to tell. */
  report(message: string, error: unknown): void;
}

/** A network that a container is to join. */
interface Join {
  network: Network;
  wish: EndpointRequest | null;
}

/** The engine's networks as containers and the API see them. */
export class Networks implements SandboxProvider {
  readonly state: NetworkState;
  readonly names: Names;
  readonly etc: EtcEditor;
  readonly #readHostFile: NetworksOptions['readHostFile'];
  readonly #hostGateways: readonly string[];
  readonly #report: NetworksOptions['report'];

  /** See NetworkState. */
  constructor(options: NetworksOptions) {
    this.state = new NetworkState(options);
    this.names = options.names;
    this.etc = options.etc;
    this.#readHostFile = options.readHostFile;
    this.#hostGateways = options.hostGateways;
    this.#report = options.report;
  }

  async allocate(request: SandboxRequest): Promise<Sandbox> {
    if (request.networkMode.startsWith('container:')) return this.#joinContainer(request);
    const joins = this.#joins(request);
    for (const { network, wish } of joins) if (wish) checkWishAtStart(network, wish);
    try {
      checkTogether(
        joins.map(({ network }) => network),
        request.networkMode,
      );
    } catch (error) {
      throw inStart(error);
    }
    await this.release(request.containerId);
    const [first] = joins;
    if (first && first.network.driver !== 'bridge') return this.#allocatePlain(request, first.network);
    return this.#allocateOnBridges(request, joins);
  }

  async release(containerId: string): Promise<void> {
    const endpoints = this.state.endpoints.of(containerId);
    for (const endpoint of endpoints) this.state.release(endpoint);
    if (endpoints.some(({ dns }) => dns)) this.names.drop(containerId);
  }

  async rename(containerId: string, name: string): Promise<void> {
    for (const endpoint of this.state.endpoints.of(containerId))
      this.state.endpoints.update(endpoint, { containerName: name });
    const names = sandboxNames(this.state, containerId);
    if (names) await this.names.put(names, null);
  }

  async relink(containerId: string, { names }: LinkedHost, address: string | null): Promise<void> {
    const line = address === null ? '' : hostsLine(address, names);
    await this.etc.edit(containerId, 'hosts', (text) =>
      text
        .split(/(?<=\n)/)
        .map((one) => (one.endsWith(`\t${names}\n`) ? line : one))
        .join(''),
    );
  }

  /** The file for a container whose names the resolver answers. */
  async resolverConf(wishes: DnsWishes): Promise<ResolverConf> {
    return resolverConf({ ...wishes, host: await this.#readHostFile('/etc/resolv.conf') });
  }

  async reconcile(running: ReadonlySet<string>): Promise<void> {
    for (const { container } of this.state.endpoints.all()) {
      if (!running.has(container)) await this.release(container);
    }
  }

  /** After a change of the packet filter by anybody. Gives what had to be mended, for the log. */
  mend(): string[] {
    return this.state.host.mend();
  }

  /** At the end of the engine: where no container is left, nothing of the engine stays on the host. */
  leaveHost(): boolean {
    const inUse = this.state.endpoints.all().some(({ address }) => address !== null);
    if (!inUse) this.state.host.dismantle();
    return !inUse;
  }

  list(filters: Filters): NetworkInspect[] {
    const { networks, endpoints } = this.state;
    return networks
      .all()
      .filter((network) => matchesFilters(network, filters, endpoints.onNetwork(network.id).length > 0))
      .map((network) => describeNetwork(network, endpoints.onNetwork(network.id)));
  }

  inspect(id: string): NetworkInspect {
    const network = this.state.networks.find(id);
    return describeNetwork(network, this.state.endpoints.onNetwork(network.id));
  }

  /** The networks to join, that of the mode first. Error: `not-found` in dockerd's words. */
  #joins(request: SandboxRequest): Join[] {
    const { networks } = this.state;
    const mode = request.networkMode === '' || request.networkMode === 'default' ? 'bridge' : request.networkMode;
    if (mode === 'bridge' && !networks.byName('bridge')) return [{ network: networks.find('none'), wish: null }];
    const find = (name: string): Network => {
      try {
        return networks.find(name === 'default' ? 'bridge' : name);
      } catch (error) {
        throw inStart(error);
      }
    };
    const joins = request.endpoints.map((wish) => ({ network: find(wish.network), wish }));
    if (joins.length === 0) return [{ network: find(mode), wish: null }];
    const isFirst = ({ network }: Join): boolean => network.name === mode || network.id.startsWith(mode);
    const priority = ({ wish }: Join): number => wish?.gatewayPriority ?? 0;
    return joins.sort((a, b) => priority(b) - priority(a) || Number(isFirst(b)) - Number(isFirst(a)));
  }

  async #joinContainer(request: SandboxRequest): Promise<Sandbox> {
    const target = request.networkMode.slice('container:'.length);
    if (request.joinPid === null)
      throw new BerthError('conflict', `cannot join network of a non running container: ${target}`);
    const plan: SandboxPlan = { kind: 'join', path: `/proc/${request.joinPid}/ns/net` };
    return { plan, hosts: null, resolvConf: null, networks: {}, ports: {} };
  }

  /** Networks `host` and `none`. */
  async #allocatePlain(request: SandboxRequest, network: Network): Promise<Sandbox> {
    const onHost = network.driver === 'host';
    const resolv = await this.resolvConf(request, onHost);
    const hostHosts = onHost && request.extraHosts.length === 0 ? await this.#readHostFile('/etc/hosts') : '';
    const endpoint = this.state.newEndpoint(request, network, null);
    this.state.endpoints.add(endpoint);
    return {
      plan: onHost ? { kind: 'host' } : { kind: 'new', interfaces: [], ports: [] },
      hosts: hostHosts === '' ? this.#hosts(request, []) : hostHosts,
      resolvConf: resolv,
      networks: { [network.name]: endpointSettings(endpoint, network) },
      ports: {},
    };
  }

  async #allocateOnBridges(request: SandboxRequest, joins: readonly Join[]): Promise<Sandbox> {
    const isNamed = joins.some(({ network }) => !isPredefined(network));
    const resolver = isNamed ? await this.resolverConf(request) : null;
    const hasV6 = joins.some(({ network }) => network.bridge?.v6);
    const resolv = resolver?.text ?? (await this.resolvConf(request, false, hasV6));
    const undo = new UndoStack();
    const joined: Joined[] = [];
    try {
      for (const [index, { network, wish }] of joins.entries()) {
        const wishes = wish ?? endpointRequest(network.id, null);
        const macAddress = wishes.macAddress ?? (index === 0 ? request.macAddress : null);
        const endpoint = this.state.newEndpoint(request, network, { ...wishes, macAddress });
        undo.push('address', () => this.state.free(endpoint));
        if (resolver) endpoint.dns = { upstreams: resolver.upstreams, keepsShortNames: resolver.keepsShortNames };
        await failpoint('run.after-address');
        this.state.endpoints.add(endpoint);
        undo.push('endpoint', () => this.state.endpoints.remove(endpoint.container, endpoint.network));
        joined.push({ endpoint, network });
      }
      await failpoint('run.after-endpoint');
      const leads = leadsOf(joined);
      await this.#publish(leads, request, undo);
      const names = sandboxNames(this.state, request.containerId);
      if (names) await this.names.put(names, null);
      undo.release();
      return this.#sandbox(request, { joined, leads, resolv });
    } catch (error) {
      for (const failure of await undo.unwind()) this.#report('take back networks', failure);
      throw inStart(error);
    }
  }

  async #publish(leads: Leads, request: SandboxRequest, undo: UndoStack): Promise<void> {
    const ports = await this.#allocatePorts(leads, request);
    for (const version of versions) {
      const endpoint = publisherOf(leads, version)?.endpoint;
      const own = ports.filter(({ hostAddress }) => hostAddress.includes(':') === (version === 6));
      if (endpoint && own.length > 0) this.state.endpoints.update(endpoint, { ports: [...endpoint.ports, ...own] });
    }
    for (const { endpoint } of publishersOf(leads)) {
      this.state.host.publish(endpoint);
      undo.push('ports', () => this.state.host.withdraw(endpoint));
    }
  }

  #sandbox(
    request: SandboxRequest,
    { joined, leads, resolv }: { joined: Joined[]; leads: Leads; resolv: string },
  ): Sandbox {
    const names = ownNames(request.hostname, request.domainname);
    const publishers = publishersOf(leads).map(({ endpoint }) => endpoint);
    const published = publishers.flatMap(({ ports }) => ports);
    const hairpin = published.length > 0 && this.state.host.needsHairpin;
    return {
      plan: {
        kind: 'new',
        interfaces: joined.map(({ endpoint, network }) => {
          const gateways = gatewaysOf({ endpoint, network }, leads);
          return interfacePlan(endpoint, network, { gateways, hairpin: hairpin && publishers.includes(endpoint) });
        }),
        ports: publishers.flatMap((endpoint) => this.state.host.portHolds(endpoint)),
        ...(joined[0]?.endpoint.dns ? { resolver: this.names.socket } : {}),
      },
      hosts: this.#hosts(
        request,
        joined.flatMap(({ endpoint }) => addressesOf(endpoint).map((address): [string, string] => [address, names])),
      ),
      resolvConf: resolv,
      networks: Object.fromEntries(
        joined.map(({ endpoint, network }) => [network.name, endpointSettings(endpoint, network)]),
      ),
      ports: portMap(published, request.exposedPorts),
    };
  }

  async #allocatePorts(leads: Leads, request: SandboxRequest): Promise<Publication[]> {
    const [leading] = publishersOf(leads);
    if (!leading) return [];
    const { endpoint } = leading;
    const families = versions.filter((version) => publisherOf(leads, version));
    const modeOf = (version: 4 | 6): GatewayMode | undefined => {
      const bridge = leads[version]?.network.bridge;
      return version === 4 ? bridge?.gatewayMode : bridge?.gatewayMode6;
    };
    try {
      const requests = portRequests(request, leads[4]?.network.bridge?.hostBinding ?? '');
      const routed = families.filter((version) => modeOf(version) === 'routed');
      const translated = families.filter((version) => !routed.includes(version));
      const direct = requests.flatMap(({ protocol, containerPort, hostAddress }) =>
        routed
          .filter((version) => hostAddress === '' || hostAddress.includes(':') === (version === 6))
          .map((version) => ({ protocol, containerPort, hostAddress: version === 6 ? '::' : '', hostPort: 0 })),
      );
      const [target = ''] = addressesOf(endpoint);
      return [...direct, ...(await this.state.ports.allocate(requests, { families: translated, target }))];
    } catch (error) {
      throw rephrase(
        error,
        `driver failed programming external connectivity on endpoint ${endpoint.containerName} (${endpoint.id}): `,
      );
    }
  }

  #hosts(request: SandboxRequest, addresses: [string, string][]): string {
    const bridge = this.state.networks.byName('bridge');
    const own = versions.flatMap((version) => (bridge && gatewayOf(bridge, version)) ?? []);
    const hostGateways = [this.#hostGateways, own, ['127.0.0.1']].find((those) => those.length > 0) ?? [];
    return hostsFile({ extraHosts: request.extraHosts, hostGateways, links: request.links, own: addresses });
  }

  /** The file for one that asks the servers itself. @param hasV6 it can ask servers of IPv6 */
  async resolvConf(request: DnsWishes, onHost: boolean, hasV6 = onHost): Promise<string> {
    const read = this.#readHostFile;
    const [host, hostBehindStub] = await Promise.all([read('/etc/resolv.conf'), read(stubTarget)]);
    const { dns, dnsOptions, dnsSearch } = request;
    return resolvConf({ host, hostBehindStub, dns, dnsOptions, dnsSearch, keepLoopback: onHost, ipv6: hasV6 });
  }
}

/** The places that published ports lead to, each once. */
function publishersOf(leads: Leads): Joined[] {
  return [...new Set(versions.flatMap((version) => publisherOf(leads, version) ?? []))];
}

function rephrase(error: unknown, prefix: string): BerthError {
  const kind = error instanceof BerthError ? error.kind : 'internal';
  return new BerthError(kind, `${prefix}${errorMessage(error)}`, { cause: error });
}

/** What dockerd puts before an error of a container's network at its start. */
function inStart(error: unknown): BerthError {
  return rephrase(error, 'failed to set up container networking: ');
}
