/** The three networks that always exist: bridge, host, none. */
import { randomBytes } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import { type Cidr, lastAddress, networkOf, overlaps, parseCidr } from '../../host/netlink/cidr.ts';
import type { Links } from '../../host/netlink/links.ts';
import type { BridgeSettings, Network, NetworkTable } from './network-table.ts';
import { freeSubnet, type SubnetPool } from './subnets.ts';

export interface DefaultBridgeSettings {
  /** The interface; `none`: there is no default bridge. */
  bridge: string;
  /** Its address with prefix length; empty: a free subnet is picked. */
  bip: string;
  mtu: number;
  pools: readonly SubnetPool[];
}

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
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': bridge.name,
      'com.docker.network.driver.mtu': String(bridge.mtu),
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
    labels: {},
    options: {},
  };
}

/** An interface that exists keeps its address, so that an engine finds its containers again. */
function defaultBridge(links: Links, settings: DefaultBridgeSettings, stored: BridgeSettings | null): BridgeSettings {
  const link = links.list().find((one) => one.name === settings.bridge);
  const [present] = link ? links.addresses(link.index) : [];
  const same = stored?.name === settings.bridge ? stored : null;
  return {
    name: settings.bridge,
    gateway: settings.bip === '' ? (present ?? pickGateway(links, settings, same)) : parseBip(settings.bip),
    range: null,
    reserved: {},
    owned: link === undefined || (same?.owned ?? false),
    mtu: settings.mtu,
    masquerade: true,
    betweenContainers: true,
  };
}

/** The subnet of the last time where nobody took it since, else the first free one. */
function pickGateway(links: Links, settings: DefaultBridgeSettings, stored: BridgeSettings | null): Cidr {
  const routes = links.routes();
  if (stored && !routes.some((route) => overlaps(route, stored.gateway))) return stored.gateway;
  const subnet = freeSubnet(settings.pools, routes);
  return { address: subnet.address + 1, prefix: subnet.prefix };
}

function parseBip(text: string): Cidr {
  const address = parseCidr(text);
  if (!address || address.prefix > 30) throw new BerthError('invalid', `invalid --bip: ${text}`);
  const subnet = networkOf(address);
  if (address.address === subnet.address || address.address === lastAddress(subnet))
    throw new BerthError('invalid', `invalid --bip: ${text} is no address of a host`);
  return address;
}
