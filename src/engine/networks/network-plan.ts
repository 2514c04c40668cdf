/** A request for a network of driver bridge, checked and filled in. */
import { BerthError } from '../../api/errors.ts';
import type { IPAMPool, NetworkCreateRequest } from '../../api/types/network.ts';
import {
  type Cidr,
  contains,
  formatAddress,
  formatCidr,
  lastAddress,
  networkOf,
  overlaps,
  parseAddress,
  parseCidr,
} from '../../host/netlink/cidr.ts';
import { bridgeOption, readBridgeOptions } from './bridge-options.ts';
import { emptyNetwork } from './default-networks.ts';
import { predefinedNames } from './network-filters.ts';
import type { NetworkState } from './network-state.ts';
import type { BridgeSettings, Network } from './network-table.ts';
import { freeSubnet } from './subnets.ts';

const knownDrivers = new Set(['macvlan', 'ipvlan', 'overlay']);
const longestInterfaceName = 15;

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
  const read = readBridgeOptions(options, { mtu: state.settings.mtu, internal: request.Internal });
  const addresses = planAddresses(request, state);
  const name = bridgeName(options[bridgeOption.name] ?? `br-${network.id.slice(0, 12)}`, network.id, state);
  const bridge: BridgeSettings = {
    ...read,
    ...addresses,
    router: null,
    name,
    owned: state.links.find(name) === null,
  };
  return {
    ...network,
    bridge,
    internal: request.Internal,
    attachable: request.Attachable,
    ipamOptions: request.IPAM?.Options ?? null,
    labels: request.Labels ?? {},
    options,
    configFrom: request.ConfigFrom?.Network ?? '',
  };
}

/** A network that others are made with: nothing of it is on the host, and no container joins it. */
function planConfiguration(request: NetworkCreateRequest): Network {
  const pools = request.IPAM?.Config ?? [];
  for (const pool of pools) if (pool.Subnet) checkPool(pool);
  return {
    ...emptyNetwork(request.Name, 'null'),
    ipamOptions: request.IPAM?.Options ?? null,
    internal: request.Internal,
    attachable: request.Attachable,
    labels: request.Labels ?? {},
    options: request.Options ?? {},
    configuration: { pools },
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
  if (request.EnableIPv6) throw new BerthError('not-implemented', 'IPv6 networks are not supported by this engine yet');
  if (request.EnableIPv4 === false) throw new BerthError('invalid', 'IPv4 or IPv6 must be enabled');
  if (request.ConfigOnly && request.ConfigFrom?.Network)
    throw new BerthError('forbidden', 'a configuration network cannot depend on another configuration network');
  if (request.Ingress) throw new BerthError('forbidden', 'Ingress network can only be global scope network');
  if (request.Scope === 'swarm')
    throw new BerthError('forbidden', 'cannot create a swarm scoped network when swarm is not active');
}

function planAddresses(
  request: NetworkCreateRequest,
  state: NetworkState,
): Pick<BridgeSettings, 'gateway' | 'range' | 'reserved'> {
  const pools = (request.IPAM?.Config ?? []).filter((pool) => Object.values(pool).some((value) => value !== ''));
  const used = state.networks.all().flatMap(({ bridge }) => (bridge ? [networkOf(bridge.gateway)] : []));
  const [pool] = pools;
  if (!pool) {
    const subnet = freeSubnet(state.settings.pools, [...used, ...state.links.routes()]);
    return { gateway: { address: subnet.address + 1, prefix: subnet.prefix }, range: null, reserved: {} };
  }
  if (pools.some(({ Subnet }) => Subnet?.includes(':')))
    throw new BerthError('not-implemented', 'IPv6 networks are not supported by this engine yet');
  if (pools.length > 1) throw new BerthError('invalid', "bridge driver doesn't support multiple subnets");
  const subnet = checkPool(pool);
  if (used.some((one) => overlaps(one, subnet)))
    throw new BerthError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space');
  const range = pool.IPRange ? parseCidr(pool.IPRange) : null;
  const reserved = pool.AuxiliaryAddresses ?? {};
  const taken = new Map(Object.entries(reserved).map(([name, text]) => [parseAddress(text), name]));
  const gateway = pool.Gateway ? (parseAddress(pool.Gateway) as number) : firstFree(range ?? subnet, subnet, taken);
  if (!isHosts(subnet, gateway))
    throw new BerthError('forbidden', `failed to allocate gateway (${pool.Gateway}): Address already in use`);
  const clash = taken.get(gateway);
  if (clash !== undefined)
    throw new BerthError(
      'forbidden',
      `failed to allocate secondary ip address (${clash}:${reserved[clash]}): Address already in use`,
    );
  return { gateway: { address: gateway, prefix: subnet.prefix }, range: range && networkOf(range), reserved };
}

/** The subnet. Error: `invalid` with everything that is wrong, a line each. */
function checkPool(pool: IPAMPool): Cidr {
  const text = pool.Subnet ?? '';
  const subnet = parseCidr(text);
  if (!subnet) throw invalid([`invalid subnet ${text}: invalid CIDR block notation`]);
  const network = formatCidr(networkOf(subnet));
  if (network !== text) throw invalid([`invalid subnet ${text}: it should be ${network}`]);
  const mistakes: string[] = [];
  const checkAddress = (what: string, value: string): void => {
    const address = parseAddress(value);
    if (address === null) mistakes.push(`invalid ${what} ${value}: invalid address`);
    else if (!contains(subnet, address))
      mistakes.push(`invalid ${what} ${value}: parent subnet ${text} doesn't contain this address`);
  };
  if (pool.IPRange) {
    const range = parseCidr(pool.IPRange);
    if (!range) mistakes.push(`invalid ip-range ${pool.IPRange}: invalid CIDR block notation`);
    else if (range.prefix < subnet.prefix || !contains(subnet, range.address))
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

/** Neither the network's own address nor its broadcast address; a subnet of one or two has neither. */
function isHosts(subnet: Cidr, address: number): boolean {
  return subnet.prefix > 30 || (address !== subnet.address && address !== lastAddress(subnet));
}

/** The first address of the range that is a host's and not reserved. */
function firstFree(range: Cidr, subnet: Cidr, reserved: ReadonlyMap<number | null, string>): number {
  for (let address = networkOf(range).address; address <= lastAddress(range); address++)
    if (isHosts(subnet, address) && !reserved.has(address)) return address;
  throw new BerthError(
    'invalid',
    `no address is left for the gateway in ${formatAddress(range.address)}/${range.prefix}`,
  );
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
