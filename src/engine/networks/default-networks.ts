/** The three networks that always exist: bridge, host, none. */
import { randomBytes } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import {
  type Cidr,
  contains,
  formatCidr,
  lastAddress,
  networkOf,
  parseAddress,
  parseCidr,
} from '../../host/netlink/cidr.ts';
import {
  cidrOf,
  formatIp,
  formatIpNetwork,
  type IpNetwork,
  ipContains,
  ipNetworkOf,
  ipNetworkOfCidr,
  ipOverlaps,
  parseIp,
  parseIpNetwork,
} from '../../host/netlink/ip-network.ts';
import type { Links } from '../../host/netlink/links.ts';
import { bridgeOption, readBridgeOptions } from './bridge-options.ts';
import type { BridgeSettings, BridgeV6, Network, NetworkTable } from './network-table.ts';
import { freeSubnet, type SubnetPool } from './subnets.ts';

export interface DefaultBridgeSettings {
  /** The interface; `none`: there is no default bridge. */
  bridge: string;
  /** Its address with prefix length; empty: a free subnet is picked. */
  bip: string;
  mtu: number;
  pools: readonly SubnetPool[];
  /** Its containers may talk to each other. */
  betweenContainers: boolean;
  masquerade: boolean;
  /** Where its ports are published that name no address of the host; empty: everywhere. */
  hostBinding: string;
  /** Part of the subnet from which its containers get addresses; empty: all of it. */
  fixedCidr: string;
  /** Its containers' default gateway; empty: the bridge. */
  defaultGateway: string;
  /** It has IPv6; the four below are of it. */
  ipv6: boolean;
  bip6: string;
  fixedCidr6: string;
  defaultGateway6: string;
  /** By driver: options of networks that users make, where these do not name them. */
  networkOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The settings of an engine that was told nothing. */
export const plainBridge = {
  betweenContainers: true,
  masquerade: true,
  hostBinding: '',
  fixedCidr: '',
  defaultGateway: '',
  ipv6: false,
  bip6: '',
  fixedCidr6: '',
  defaultGateway6: '',
  networkOptions: {},
} as const;

function newNetworkId(): string {
  return randomBytes(32).toString('hex');
}

/** Brings the rows of the default networks up to date with the configuration and the host. Errors: `invalid` settings, no free subnet. */
export function prepareDefaultNetworks(table: NetworkTable, links: Links, settings: DefaultBridgeSettings): void {
  for (const [name, driver] of [
    ['host', 'host'],
    ['none', 'null'],
  ] as const) {
    if (!table.byName(name)) table.save(emptyNetwork(name, driver));
  }
  const stored = table.byName('bridge');
  if (settings.bridge === 'none') {
    if (stored) table.remove(stored.id);
    return;
  }
  const bridge = defaultBridge(links, settings, stored?.bridge ?? null);
  const base = stored ?? emptyNetwork('bridge', 'bridge');
  table.save({
    ...base,
    bridge,
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      [bridgeOption.betweenContainers]: String(settings.betweenContainers),
      [bridgeOption.masquerade]: String(settings.masquerade),
      [bridgeOption.hostBinding]: settings.hostBinding || '0.0.0.0',
      [bridgeOption.name]: bridge.name,
      [bridgeOption.mtu]: String(bridge.mtu),
    },
  });
}

export function emptyNetwork(name: string, driver: Network['driver']): Network {
  return {
    id: newNetworkId(),
    name,
    created: new Date(),
    driver,
    bridge: null,
    internal: false,
    attachable: false,
    ipamOptions: null,
    labels: {},
    options: {},
    configuration: null,
    pools: [],
    configFrom: '',
  };
}

/** An interface that exists keeps its address, so that an engine finds its containers again. */
function defaultBridge(links: Links, settings: DefaultBridgeSettings, stored: BridgeSettings | null): BridgeSettings {
  const link = links.find(settings.bridge);
  const [present] = link ? links.addresses(link.index) : [];
  const same = stored?.name === settings.bridge ? stored : null;
  const gateway = settings.bip === '' ? (present ?? pickGateway(links, settings, same)) : parseBip(settings.bip);
  const { mtu, masquerade, betweenContainers, hostBinding } = settings;
  return {
    ...readBridgeOptions(hostBinding === '' ? {} : { [bridgeOption.hostBinding]: hostBinding }, {
      mtu,
      internal: false,
    }),
    name: settings.bridge,
    gateway,
    range: settings.fixedCidr === '' ? null : parseFixedCidr(settings.fixedCidr, gateway),
    router: settings.defaultGateway === '' ? null : parseRouter(settings.defaultGateway, gateway),
    reserved: {},
    v6: settings.ipv6 ? defaultV6(links, settings, same?.v6 ?? null) : null,
    owned: link === null || (same?.owned ?? false),
    masquerade,
    masquerade6: masquerade,
    betweenContainers,
  };
}

/** Error: `invalid` for what the start would refuse without having looked at the machine. */
export function checkBridgeTexts({
  bip,
  fixedCidr,
  defaultGateway,
  ...v6
}: V6Texts & Pick<DefaultBridgeSettings, 'bip' | 'fixedCidr' | 'defaultGateway'>): void {
  const gateway = bip === '' ? null : parseBip(bip);
  if (fixedCidr !== '') parseFixedCidr(fixedCidr, gateway ?? wholeNetwork);
  if (defaultGateway !== '') parseRouter(defaultGateway, gateway ?? wholeNetwork);
  if (v6.ipv6) readV6(v6, () => ({ version: 6, address: 0n, prefix: 0 }));
}

type V6Texts = Pick<DefaultBridgeSettings, 'ipv6' | 'bip6' | 'fixedCidr6' | 'defaultGateway6'>;

/** Where the bridge's own subnet is not known. */
const wholeNetwork: Cidr = { address: 0, prefix: 0 };

function parseFixedCidr(text: string, gateway: Cidr): Cidr {
  const range = parseCidr(text);
  if (!range) throw new BerthError('invalid', `invalid --fixed-cidr: ${text}`);
  if (range.prefix < gateway.prefix || !contains(networkOf(gateway), range.address))
    throw new BerthError(
      'invalid',
      `--fixed-cidr ${text} is not inside of the bridge's ${formatCidr(networkOf(gateway))}`,
    );
  return networkOf(range);
}

function parseRouter(text: string, gateway: Cidr): number {
  const address = parseAddress(text);
  if (address === null) throw new BerthError('invalid', `invalid --default-gateway: ${text}`);
  if (!contains(networkOf(gateway), address))
    throw new BerthError('invalid', `default gateway ${text} must be part of the bridge network's subnet`);
  return address;
}

/** The subnet of the last time where nobody took it since, else the first free one. */
function pickGateway(links: Links, settings: DefaultBridgeSettings, stored: BridgeSettings | null): Cidr {
  const routes = links.routes();
  const last = stored?.gateway;
  if (last && !routes.some((route) => ipOverlaps(route, ipNetworkOfCidr(last)))) return last;
  return cidrOf(firstOf(freeSubnet(settings.pools, 4, routes)));
}

function firstOf(subnet: IpNetwork): IpNetwork {
  return { ...subnet, address: subnet.address + 1n };
}

/** IPv6 of the default bridge. A subnet of the pools stays its own: routes to it are those of the bridge of the last time. */
function defaultV6(links: Links, settings: DefaultBridgeSettings, stored: BridgeV6 | null): BridgeV6 {
  const isPicked = (gateway: IpNetwork): boolean => settings.pools.some(({ base }) => ipContains(base, gateway));
  const before = stored && parseIpNetwork(stored.gateway);
  return readV6(settings, () =>
    before && isPicked(before) ? before : firstOf(freeSubnet(settings.pools, 6, links.routes())),
  );
}

/**
 * `fixed-cidr-v6` alone is the subnet, beside `bip6` a part of it. Error: `invalid`.
 * @param pick the bridge's address where nothing is said
 */
function readV6({ bip6, fixedCidr6, defaultGateway6 }: V6Texts, pick: () => IpNetwork): BridgeV6 {
  const fixed = fixedCidr6 === '' ? null : parseV6('fixed-cidr-v6', fixedCidr6);
  const bip = bip6 === '' ? null : parseV6('bip6', bip6);
  if (bip && ipNetworkOf(bip).address === bip.address)
    throw new BerthError('invalid', `invalid --bip6: ${bip6} is no address of a host`);
  const gateway = bip ?? (fixed ? firstOf(ipNetworkOf(fixed)) : pick());
  const subnet = ipNetworkOf(gateway);
  if (fixed && (fixed.prefix < gateway.prefix || !ipContains(subnet, fixed)))
    throw new BerthError(
      'invalid',
      `--fixed-cidr-v6 ${fixedCidr6} is not inside of the bridge's ${formatIpNetwork(subnet)}`,
    );
  const router = defaultGateway6 === '' ? null : parseIp(defaultGateway6);
  if (defaultGateway6 !== '' && router?.version !== 6)
    throw new BerthError('invalid', `invalid --default-gateway-v6: ${defaultGateway6}`);
  if (router && !ipContains(subnet, router))
    throw new BerthError('invalid', `default gateway ${defaultGateway6} must be part of the bridge network's subnet`);
  return {
    gateway: formatIpNetwork(gateway),
    range: bip && fixed ? formatIpNetwork(ipNetworkOf(fixed)) : null,
    router: router && formatIp(router),
    reserved: {},
  };
}

function parseV6(key: string, text: string): IpNetwork {
  const network = parseIpNetwork(text);
  if (network?.version === 6 && network.prefix <= 126) return network;
  throw new BerthError('invalid', `invalid --${key}: ${text}`);
}

function parseBip(text: string): Cidr {
  const address = parseCidr(text);
  if (!address || address.prefix > 30) throw new BerthError('invalid', `invalid --bip: ${text}`);
  const subnet = networkOf(address);
  if (address.address === subnet.address || address.address === lastAddress(subnet))
    throw new BerthError('invalid', `invalid --bip: ${text} is no address of a host`);
  return address;
}
