/** A request for a network of driver bridge, checked and filled in. */
import { BerthError } from '../../api/errors.ts';
import type { IPAMPool, NetworkCreateRequest } from '../../api/types/network.ts';
import {
  cidrOf,
  formatIpNetwork,
  type IpNetwork,
  ipContains,
  ipNetworkOf,
  ipOverlaps,
  lastIp,
  parseIp,
  parseIpNetwork,
} from '../../host/netlink/ip-network.ts';
import { edgesOf } from './address-pool.ts';
import { bridgeOption, readBridgeOptions, readFamilies } from './bridge-options.ts';
import { emptyNetwork } from './default-networks.ts';
import { predefinedNames } from './network-filters.ts';
import type { NetworkState } from './network-state.ts';
import { type BridgeSettings, type Network, subnetsOf } from './network-table.ts';
import { freeSubnet } from './subnets.ts';

const knownDrivers = new Set(['macvlan', 'ipvlan', 'overlay']);
const longestInterfaceName = 15;
/** RFC 4291, 2.7. */
const multicast: IpNetwork = { version: 6, address: 0xffn << 120n, prefix: 8 };

/** The network that the request asks for; nothing is entered or made yet. Errors: dockerd's words and kinds. */
export function planNetwork(request: NetworkCreateRequest, state: NetworkState): Network {
  checkKind(request);
  if (predefinedNames.has(request.Name))
    throw new BerthError('forbidden', `operation is not permitted on predefined ${request.Name} network `);
  if (state.networks.byName(request.Name))
    throw new BerthError('conflict', `network with name ${request.Name} already exists`);
  if (request.ConfigOnly) return planConfiguration(request);
  return planBridge(configured(request, state), state);
}

function planBridge(request: NetworkCreateRequest, state: NetworkState): Network {
  const network = emptyNetwork(request.Name, 'bridge');
  const options = { ...state.settings.networkOptions['bridge'], ...request.Options };
  const { ipv4, ipv6 } = familiesOf(request, options);
  const read = readBridgeOptions(options, { mtu: state.settings.mtu, internal: request.Internal });
  const pools = (request.IPAM?.Config ?? []).filter((pool) => Object.values(pool).some((value) => value !== ''));
  // What is said of a family that the network does not have is shown, and means nothing.
  for (const pool of pools) if (ipv6 || !pool.Subnet?.includes(':')) checkPool(pool);
  const v4 = ipv4 ? planSubnet(4, pools, state) : null;
  const v6 = ipv6 ? planSubnet(6, pools, state) : null;
  const name = bridgeName(options[bridgeOption.name] ?? `br-${network.id.slice(0, 12)}`, network.id, state);
  const bridge: BridgeSettings = {
    ...read,
    gateway: v4 && cidrOf(v4.gateway),
    range: v4?.range ? cidrOf(v4.range) : null,
    reserved: v4?.reserved ?? {},
    router: null,
    v6: v6 && {
      gateway: formatIpNetwork(v6.gateway),
      range: v6.range && formatIpNetwork(v6.range),
      reserved: v6.reserved,
      router: null,
    },
    name,
    owned: state.links.find(name) === null,
  };
  return {
    ...network,
    bridge,
    pools,
    internal: request.Internal,
    attachable: request.Attachable,
    ipamOptions: request.IPAM?.Options ?? null,
    labels: request.Labels ?? {},
    options,
    configFrom: request.ConfigFrom?.Network ?? '',
  };
}

/** Error: `invalid` for a network with neither of the two. */
function familiesOf(
  request: NetworkCreateRequest,
  options: Readonly<Record<string, string>>,
): { ipv4: boolean; ipv6: boolean } {
  const said = readFamilies(options);
  const families = { ipv4: request.EnableIPv4 ?? said.ipv4, ipv6: request.EnableIPv6 ?? said.ipv6 };
  if (!families.ipv4 && !families.ipv6) throw new BerthError('invalid', 'IPv4 or IPv6 must be enabled');
  return families;
}

/** A network that others are made with: nothing of it is on the host, and no container joins it. */
function planConfiguration(request: NetworkCreateRequest): Network {
  const pools = request.IPAM?.Config ?? [];
  const families = familiesOf(request, request.Options ?? {});
  for (const pool of pools) if (pool.Subnet && (families.ipv6 || !pool.Subnet.includes(':'))) checkPool(pool);
  return {
    ...emptyNetwork(request.Name, 'null'),
    ipamOptions: request.IPAM?.Options ?? null,
    internal: request.Internal,
    attachable: request.Attachable,
    labels: request.Labels ?? {},
    options: request.Options ?? {},
    configuration: { pools, ...families },
  };
}

/** The request with what its configuration network says. Error: dockerd's words for one that brings its own as well. */
function configured(request: NetworkCreateRequest, state: NetworkState): NetworkCreateRequest {
  const name = request.ConfigFrom?.Network;
  if (!name) return request;
  const source = state.networks.all().find((one) => one.configuration && (one.name === name || one.id === name));
  if (!source?.configuration) throw new BerthError('not-found', `configuration network "${name}" does not exist`);
  const isEmpty = (value: object | null | undefined): boolean => Object.keys(value ?? {}).length === 0;
  if (!isEmpty(request.Options))
    throw new BerthError(
      'forbidden',
      'network driver options are not supported if the network depends on a configuration network',
    );
  if (!isEmpty(request.IPAM?.Config) || !isEmpty(request.IPAM?.Options) || !isEmpty(request.Labels))
    throw new BerthError(
      'forbidden',
      'user specified configurations are not supported if the network depends on a configuration network',
    );
  return {
    ...request,
    IPAM: { Driver: 'default', Options: source.ipamOptions, Config: source.configuration.pools },
    EnableIPv4: source.configuration.ipv4,
    EnableIPv6: source.configuration.ipv6,
    Options: source.options,
    Labels: source.labels,
    Internal: request.Internal || source.internal,
    ConfigFrom: { Network: source.name },
  };
}

function checkKind(request: NetworkCreateRequest): void {
  const driver = request.Driver || 'bridge';
  if (driver === 'host' || driver === 'null')
    throw new BerthError('forbidden', `only one instance of "${driver}" network is allowed`);
  if (knownDrivers.has(driver))
    throw new BerthError('not-implemented', `network driver ${driver} is not supported by this engine yet`);
  if (driver !== 'bridge') throw new BerthError('not-found', `plugin "${driver}" not found`);
  const ipam = request.IPAM?.Driver || 'default';
  if (ipam !== 'default') throw new BerthError('not-found', `plugin "${ipam}" not found`);
  if (request.ConfigOnly && request.ConfigFrom?.Network)
    throw new BerthError('forbidden', 'a configuration network cannot depend on another configuration network');
  if (request.Ingress) throw new BerthError('forbidden', 'Ingress network can only be global scope network');
  if (request.Scope === 'swarm')
    throw new BerthError('forbidden', 'cannot create a swarm scoped network when swarm is not active');
}

interface PlannedSubnet {
  /** The bridge's own address, with the prefix of the subnet. */
  gateway: IpNetwork;
  range: IpNetwork | null;
  reserved: Record<string, string>;
}

/** One family's subnet: what the request says of it, or a free one of the engine's pools. */
function planSubnet(version: 4 | 6, given: readonly IPAMPool[], state: NetworkState): PlannedSubnet {
  const used = state.networks.all().flatMap(({ bridge }) => (bridge ? subnetsOf(bridge) : []));
  const [pool, second] = given.filter(({ Subnet }) => Boolean(Subnet?.includes(':')) === (version === 6));
  if (!pool) {
    const { address, prefix } = freeSubnet(state.settings.pools, version, [...used, ...state.links.routes()]);
    return { gateway: { version, address: address + 1n, prefix }, range: null, reserved: {} };
  }
  if (second) throw new BerthError('invalid', "bridge driver doesn't support multiple subnets");
  const subnet = checkPool(pool);
  if (used.some((one) => ipOverlaps(one, subnet)))
    throw new BerthError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space');
  const range = pool.IPRange ? parseIpNetwork(pool.IPRange) : null;
  const reserved = pool.AuxiliaryAddresses ?? {};
  const taken = new Map(Object.entries(reserved).map(([name, text]) => [parseIp(text)?.address, name]));
  const edges = new Set(edgesOf(subnet));
  const wanted = pool.Gateway ? parseIp(pool.Gateway)?.address : undefined;
  const address = wanted ?? firstFree(ipNetworkOf(range ?? subnet), (one) => edges.has(one) || taken.has(one));
  if (edges.has(address))
    throw new BerthError('forbidden', `failed to allocate gateway (${pool.Gateway}): Address already in use`);
  const clash = taken.get(address);
  if (clash !== undefined)
    throw new BerthError(
      'forbidden',
      `failed to allocate secondary ip address (${clash}:${reserved[clash]}): Address already in use`,
    );
  const gateway = { version, address, prefix: subnet.prefix };
  if (ipContains(multicast, gateway))
    throw new BerthError('invalid', `multicast subnet '${formatIpNetwork(gateway)}' is not allowed`);
  return { gateway, range: range && ipNetworkOf(range), reserved };
}

/** The subnet. Error: `invalid` with everything that is wrong, a line each. */
function checkPool(pool: IPAMPool): IpNetwork {
  const text = pool.Subnet ?? '';
  const subnet = parseIpNetwork(text);
  if (!subnet) throw invalid([`invalid subnet ${text}: invalid CIDR block notation`]);
  const network = ipNetworkOf(subnet);
  if (network.address !== subnet.address)
    throw invalid([`invalid subnet ${text}: it should be ${formatIpNetwork(network)}`]);
  const mistakes: string[] = [];
  const checkAddress = (what: string, value: string): void => {
    const address = parseIp(value);
    if (address === null) mistakes.push(`invalid ${what} ${value}: invalid address`);
    else if (!ipContains(subnet, address))
      mistakes.push(`invalid ${what} ${value}: parent subnet ${text} doesn't contain this address`);
  };
  if (pool.IPRange) {
    const range = parseIpNetwork(pool.IPRange);
    if (!range) mistakes.push(`invalid ip-range ${pool.IPRange}: invalid CIDR block notation`);
    else if (range.prefix < subnet.prefix || !ipContains(subnet, range))
      mistakes.push(`invalid ip-range ${pool.IPRange}: parent subnet ${text} doesn't contain ip-range`);
  }
  if (pool.Gateway) checkAddress('gateway', pool.Gateway);
  for (const value of Object.values(pool.AuxiliaryAddresses ?? {})) checkAddress('auxiliary address', value);
  if (mistakes.length > 0) throw invalid(mistakes);
  return subnet;
}

function invalid(mistakes: string[]): BerthError {
  return new BerthError('invalid', `invalid network config:\n${mistakes.join('\n')}`);
}

/** The first address of the range that is a host's and not reserved. */
function firstFree(range: IpNetwork, isTaken: (address: bigint) => boolean): bigint {
  for (let { address } = range; address <= lastIp(range); address++) if (!isTaken(address)) return address;
  throw new BerthError('invalid', `no address is left for the gateway in ${formatIpNetwork(range)}`);
}

/** Error: `forbidden` for the bridge of another network, `invalid` for what is no name of an interface. */
function bridgeName(name: string, id: string, state: NetworkState): string {
  if (name === '' || name.length > longestInterfaceName || /[\s/:]/.test(name) || name === '.' || name === '..')
    throw new BerthError('invalid', `invalid bridge name: ${name}`);
  const other = state.networks.all().find(({ bridge }) => bridge?.name === name);
  if (other)
    throw new BerthError(
      'forbidden',
      `cannot create network ${id} (${name}): conflicts with network ${other.id} (${name}): networks have same bridge name`,
    );
  const link = state.links.find(name);
  if (link && link.kind !== 'bridge') throw new BerthError('invalid', `existing interface ${name} is not a bridge`);
  return name;
}
