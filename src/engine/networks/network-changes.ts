import { BerthError, errorKind } from '../../api/errors.ts';
import type {
  EndpointSettings,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworksPruneReport,
} from '../../api/types/network.ts';
import { failpoint } from '../../base/failpoint.ts';
import type { InterfaceAttacher } from '../../host/netlink/attacher.ts';
import { type Filters, matchesLabels } from '../../wire/filters.ts';
import { parseMoment } from '../../wire/time.ts';
import { bridgeOption } from './bridge-options.ts';
import { gatewaysOf, type Leads, leadsOf, publisherOf, versions } from './default-gateway.ts';
import type { Endpoint } from './endpoint-table.ts';
import { checkWish, endpointRequest } from './endpoint-wishes.ts';
import { bridgePlan } from './host-side.ts';
import type { Member, MemberChange, Members } from './members.ts';
import { checkJoinable, ownLines, wished, withoutNetwork } from './membership.ts';
import type { ResolverSandbox } from './names/resolver-protocol.ts';
import { sandboxNames } from './names/sandbox-names.ts';
import { isPredefined } from './network-filters.ts';
import { planNetwork } from './network-plan.ts';
import type { BridgeSettings, Network } from './network-table.ts';
import type { Networks } from './networks.ts';
import { endpointSettings, hostNameOf, interfacePlan } from './sandbox-shapes.ts';

export interface NetworkChangesOptions {
  networks: Networks;
  members: Members;
  attacher: InterfaceAttacher;
  /** Tells of `create`, `destroy`, `connect`, `disconnect`. */
  publish(action: string, network: Network, attributes: Record<string, string>): void;
  /** Resolves when the host is ready for a new network and what is in the database would survive a power cut. */
  settled(): Promise<void>;
  /** For what goes wrong with nobody to tell. */
  report(message: string, error: unknown): void;
}

/** Networks made, removed, joined and left by users. */
export class NetworkChanges {
  readonly #options: NetworkChangesOptions & { state: Networks['state'] };
  /** Bridges that are still to be removed, and the work of removing some. */
  readonly #doomed = new Set<string>();
  #removing: Promise<void> | null = null;

  constructor(options: NetworkChangesOptions) {
    this.#options = { ...options, state: options.networks.state };
  }

  /** Errors: dockerd's words and kinds (src/engine/networks/network-plan.ts). */
  async create(request: NetworkCreateRequest): Promise<NetworkCreateResponse> {
    const { state, settled } = this.#options;
    const wantedBridge = request.Options?.[bridgeOption.name];
    if (wantedBridge !== undefined && this.#doomed.has(wantedBridge)) await this.close();
    const network = planNetwork(request, state);
    if (network.bridge) await this.#make(network, network.bridge);
    else state.networks.save(network);
    this.#publish('create', network);
    await settled();
    return { Id: network.id, Warning: '' };
  }

  /** While the bridge is made, nobody else gets the name, the subnet or the interface. */
  async #make(network: Network, bridge: BridgeSettings): Promise<void> {
    const { state, attacher } = this.#options;
    state.networks.add(network);
    try {
      await failpoint('network.after-save');
      state.host.prepare(network);
      await attacher.makeBridge(bridgePlan(bridge, state.settings.bridge));
      await failpoint('network.after-bridge');
      state.addNetwork(network);
    } catch (error) {
      state.networks.remove(network.id);
      if (bridge.owned) this.#removeBridge(bridge.name);
      throw error;
    }
  }

  /** Errors: `not-found`; `forbidden` for one that every engine has or that a running container is on. */
  async remove(id: string): Promise<void> {
    const { state, settled } = this.#options;
    const network = state.networks.find(id);
    if (isPredefined(network))
      throw new BerthError('forbidden', `${network.name} is a pre-defined network and cannot be removed`);
    const endpoints = state.endpoints.onNetwork(network.id);
    if (endpoints.length > 0) {
      const named = endpoints.map((one) => `name:"${one.containerName}" id:"${one.id.slice(0, 12)}"`).join(', ');
      throw new BerthError(
        'forbidden',
        `error while removing network: network ${network.name} has active endpoints (${named})`,
      );
    }
    if (network.configuration && state.networks.all().some(({ configFrom }) => configFrom === network.name))
      throw new BerthError(
        'forbidden',
        `error while removing network: configuration network "${network.name}" is in use`,
      );
    state.removeNetwork(network);
    await failpoint('network.after-remove');
    if (network.bridge?.owned) this.#removeBridge(network.bridge.name);
    this.#publish('destroy', network);
    await settled();
  }

  /** Removes every network of users that no running container is on. Filters: `label`, `label!`, `until`. */
  async prune(filters: Filters): Promise<NetworksPruneReport> {
    const { state } = this.#options;
    const until = (filters.get('until') ?? []).map((text) => Number(parseMoment(text) / 1_000_000n));
    const removed: string[] = [];
    // Those that came from a configuration go before it.
    const all = state.networks
      .all()
      .sort((a, b) => Number(a.configuration !== null) - Number(b.configuration !== null));
    for (const network of all) {
      if (isPredefined(network) || !matchesLabels(filters, network.labels)) continue;
      if (until.some((time) => network.created.getTime() > time)) continue;
      if (state.endpoints.onNetwork(network.id).length > 0) continue;
      if (network.configuration && state.networks.all().some(({ configFrom }) => configFrom === network.name)) continue;
      try {
        await this.remove(network.id);
      } catch (error) {
        // Joined or removed by somebody else, while the one before it went.
        const kind = errorKind(error);
        if (kind !== 'forbidden' && kind !== 'not-found') throw error;
        continue;
      }
      removed.push(network.name);
    }
    return { NetworksDeleted: removed.length > 0 ? removed : null };
  }

  /** Errors: `not-found`; `invalid` for networks and addresses that do not go together; `forbidden` when it is on it already. */
  async connect(id: string, container: string, settings: EndpointSettings | null): Promise<void> {
    const { state, members } = this.#options;
    const network = state.networks.find(id);
    await members.change(container, async (member) => {
      checkJoinable(network, member);
      checkWish(network, endpointRequest(network.id, settings));
      const wanted = withoutNetwork(member.wanted, network);
      const change: MemberChange = { wanted: { ...wanted, [network.name]: wished(settings) } };
      if (member.pid === null) return change;
      const endpoint = await this.#attach(network, member, settings);
      return {
        ...change,
        current: { ...member.current, [network.name]: endpointSettings(endpoint, network) },
      };
    });
  }

  /** Errors: `not-found`, `internal` when it is not connected. */
  async disconnect(id: string, container: string, force: boolean): Promise<void> {
    const { state, members } = this.#options;
    const network = state.networks.find(id);
    try {
      await members.change(container, (member) => this.#leave(network, member));
    } catch (error) {
      if (force && error instanceof BerthError && error.kind === 'not-found')
        throw new BerthError('not-found', `endpoint ${container} not found`, { cause: error });
      throw error;
    }
  }

  /**
   * After a crash in the middle of a connect or disconnect: a container has the networks that its record says and the kernel
   * knows. Call it when the running containers are adopted.
   */
  async reconcile(): Promise<void> {
    const { state, members } = this.#options;
    const links = new Set(state.links.list().map(({ name }) => name));
    const mend = async (id: string): Promise<void> => {
      try {
        await members.change(id, (member) => this.#mend(member, links));
      } catch (error) {
        // It ended and went meanwhile.
        if (errorKind(error) !== 'not-found') this.#options.report('mend the networks of a container', error);
      }
    };
    await Promise.all([...new Set(state.endpoints.all().map(({ container }) => container))].map(mend));
    try {
      await this.#options.networks.names.sync(this.runningNames());
    } catch (error) {
      this.#options.report('serve names', error);
    }
  }

  /** @param links the host's interfaces, by name */
  async #mend(member: Member, links: ReadonlySet<string>): Promise<MemberChange> {
    const { state } = this.#options;
    const { id, current } = member;
    const left: Record<string, EndpointSettings> = {};
    for (const endpoint of state.endpoints.of(id)) {
      const { name } = state.networks.find(endpoint.network);
      const settings = current[name];
      const hasInterface = endpoint.interfaceName === '' || links.has(hostNameOf(endpoint));
      if (settings && hasInterface) left[name] = settings;
      else await this.#giveUp(member, endpoint);
    }
    return Object.keys(left).length === Object.keys(current).length ? {} : { current: left };
  }

  /** What the resolver must know of the containers that run. */
  runningNames(): ResolverSandbox[] {
    const { state, members } = this.#options;
    return [...new Set(state.endpoints.all().map(({ container }) => container))].flatMap((id) => {
      const names = sandboxNames(state, id);
      return names ? [{ names, pid: members.pidOf(id) }] : [];
    });
  }

  /** A running container is on one more network. Its first network of a user brings it the resolver. */
  async #tellNames(endpoint: Endpoint, member: Member): Promise<void> {
    const { state, networks } = this.#options;
    const { etc } = networks;
    await etc.edit(member.id, 'hosts', (text) => `${text}${ownLines(endpoint, member)}`);
    const endpoints = state.endpoints.of(member.id);
    const { dns } = endpoints.find((one) => one.dns) ?? { dns: null };
    const isFirst = dns === null && !isPredefined(state.networks.find(endpoint.network));
    if (!dns && !isFirst) return;
    const { text, ...fresh } = await networks.resolverConf(member.dns);
    for (const one of endpoints) state.endpoints.update(one, { dns: dns ?? fresh });
    const names = sandboxNames(state, member.id);
    if (names) await networks.names.put(names, member.pid);
    if (!isFirst) return;
    const hadV6 = endpoints.some((one) => one !== endpoint && one.address6 !== null);
    const before = await networks.resolvConf(member.dns, false, hadV6);
    // What somebody wrote into the file inside of the container is theirs.
    await etc.edit(member.id, 'resolvConf', (current) => (current === before ? text : current));
  }

  /** Takes a container's place on a network away, with everything that hangs on it. */
  async #giveUp(member: Member, endpoint: Endpoint): Promise<void> {
    const { state, attacher, networks } = this.#options;
    await attacher.detach(hostNameOf(endpoint));
    await failpoint('network.after-detach');
    // The default route went with the interface: the next network that leads out takes over.
    const [before, after] = [this.#leads(member.id), this.#leads(member.id, endpoint)];
    try {
      if (member.pid !== null) await this.#lead(member, before, after);
    } finally {
      state.release(endpoint);
    }
    await failpoint('network.after-release');
    await networks.etc.edit(member.id, 'hosts', (text) => text.replace(ownLines(endpoint, member), ''));
  }

  /** Resolves when no bridge is left to remove. */
  async close(): Promise<void> {
    while (this.#removing) await this.#removing;
  }

  /** Those that come while others are on their way go together. A bridge that stays is removed at the next start. */
  #removeBridge(name: string): void {
    this.#doomed.add(name);
    this.#removing ??= this.#removeBridges();
  }

  async #removeBridges(): Promise<void> {
    const { attacher, report, state } = this.#options;
    while (this.#doomed.size > 0) {
      const names = [...this.#doomed];
      try {
        await attacher.remove(names);
        state.host.pass();
      } catch (error) {
        report(`remove ${names.join(' ')}`, error);
      }
      for (const name of names) this.#doomed.delete(name);
    }
    this.#removing = null;
  }

  async #attach(network: Network, member: Member, settings: EndpointSettings | null): Promise<Endpoint> {
    const { state, attacher, report } = this.#options;
    const others = state.endpoints.of(member.id);
    if (others.some((endpoint) => endpoint.network === network.id))
      throw new BerthError('forbidden', `endpoint with name ${member.name} already exists in network ${network.name}`);
    const before = this.#leads(member.id);
    const owner = { containerId: member.id, containerName: member.name, hostname: member.hostname };
    const endpoint = state.newEndpoint(owner, network, endpointRequest(network.id, settings));
    try {
      state.endpoints.add(endpoint);
      await failpoint('network.after-endpoint');
      const after = this.#leads(member.id);
      const publishes = versions.some((version) => publisherOf(after, version)?.endpoint === endpoint);
      const hairpin = publishes && others.some(({ ports }) => ports.length > 0) && state.host.needsHairpin;
      const fresh = versions.filter((version) => before[version] === null);
      const gateways = gatewaysOf({ endpoint, network }, after, fresh);
      await attacher.attach(member.pid as number, interfacePlan(endpoint, network, { gateways, hairpin }));
      // A family that had no default route has one by now.
      const replaced = { ...before };
      for (const version of fresh) replaced[version] = after[version];
      await this.#lead(member, replaced, after, before);
      await failpoint('network.after-attach');
      await this.#tellNames(endpoint, member);
    } catch (error) {
      await this.#giveUp(member, endpoint).catch((failure: unknown) => report('take back a network', failure));
      throw error;
    }
    this.#publish('connect', network, { container: member.id });
    return endpoint;
  }

  async #leave(network: Network, member: Member): Promise<MemberChange> {
    const { state, networks } = this.#options;
    const endpoint = state.endpoints.of(member.id).find((one) => one.network === network.id);
    const wanted = withoutNetwork(member.wanted, network);
    const isWanted = Object.keys(wanted).length < Object.keys(member.wanted).length;
    if (!endpoint && !isWanted)
      throw new BerthError('internal', `container ${member.id} is not connected to network ${network.name}`);
    if (network.driver === 'host')
      throw new BerthError(
        'invalid',
        'cannot disconnect container from host network - container was created in host network mode',
      );
    const change: MemberChange = { wanted };
    if (!endpoint || member.pid === null) return change;
    await this.#giveUp(member, endpoint);
    this.#publish('disconnect', network, { container: member.id });
    const { [network.name]: _left, ...current } = member.current;
    const names = sandboxNames(state, member.id);
    if (names) await networks.names.put(names, null);
    else if (endpoint.dns) networks.names.drop(member.id);
    return { ...change, current };
  }

  /**
   * Default routes and published ports go over from some networks to others, each family by itself.
   * @param routed where the routes lead now
   * @param published where the ports lead now
   */
  async #lead(member: Member, routed: Leads, after: Leads, published = routed): Promise<void> {
    const { state, attacher } = this.#options;
    const changed = versions.filter((version) => after[version]?.endpoint !== routed[version]?.endpoint);
    for (const joined of new Set(changed.flatMap((version) => after[version] ?? []))) {
      const gateways = gatewaysOf(joined, after, changed);
      await attacher.lead(member.pid as number, joined.endpoint.interfaceName, gateways);
    }
    await failpoint('network.after-lead');
    for (const version of versions) {
      const from = publisherOf(published, version);
      const to = publisherOf(after, version);
      if (from && to) state.host.movePorts(from.endpoint, to.endpoint, version);
    }
  }

  /** @param without an endpoint that is on its way out */
  #leads(containerId: string, without?: Endpoint): Leads {
    const { state } = this.#options;
    const endpoints = state.endpoints.of(containerId).filter((endpoint) => endpoint !== without);
    return leadsOf(endpoints.map((endpoint) => ({ endpoint, network: state.networks.find(endpoint.network) })));
  }

  #publish(action: string, network: Network, attributes: Record<string, string> = {}): void {
    this.#options.publish(action, network, { ...attributes, name: network.name, type: network.driver });
  }
}
