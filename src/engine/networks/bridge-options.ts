/** Options of the bridge driver, `com.docker.network.…`; what is none of them is kept and shown, and means nothing. */
import { BerthError } from '../../api/errors.ts';
import { goBoolean, notBoolean } from '../../base/go-boolean.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import { formatIp, parseIp } from '../../host/netlink/ip-network.ts';

export const bridgeOption = {
  name: 'com.docker.network.bridge.name',
  mtu: 'com.docker.network.driver.mtu',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  betweenContainers: 'com.docker.network.bridge.enable_icc',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  gatewayMode: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
  inhibitAddress: 'com.docker.network.bridge.inhibit_ipv4',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
  source: 'com.docker.network.host_ipv4',
  source6: 'com.docker.network.host_ipv6',
  enable4: 'com.docker.network.enable_ipv4',
  enable6: 'com.docker.network.enable_ipv6',
  trusted: 'com.docker.network.bridge.trusted_host_interfaces',
} as const;

const gatewayModes = ['nat', 'nat-unprotected', 'routed', 'isolated'] as const;
/**
 * `nat`: containers leave with the host's address, and only published ports lead in. `nat-unprotected`: every port of a container can
 * be reached at its own address. `routed`: no address is translated, what is published can be reached at the container's address.
 * `isolated`: the host has no address on the bridge.
 */
export type GatewayMode = (typeof gatewayModes)[number];

export interface BridgeOptions {
  mtu: number;
  masquerade: boolean;
  betweenContainers: boolean;
  /** Where a port is published that names no address of the host; empty: everywhere. */
  hostBinding: string;
  gatewayMode: GatewayMode;
  /** The bridge has the gateway's address; otherwise somebody else sees to it. */
  hasAddress: boolean;
  /** Of names of interfaces in containers: `eth` makes `eth0`. */
  interfacePrefix: string;
  /** Address that connections leave the host with; null: whatever the way out has. */
  source: number | null;
  /** The same of IPv6. */
  gatewayMode6: GatewayMode;
  masquerade6: boolean;
  source6: string | null;
}

type Given = Readonly<Record<string, string>>;

/** Error: `invalid` in dockerd's words. @param internal the network has no way out */
export function readBridgeOptions(given: Given, { mtu, internal }: { mtu: number; internal: boolean }): BridgeOptions {
  const gatewayMode = readGatewayMode(given, bridgeOption.gatewayMode);
  const gatewayMode6 = readGatewayMode(given, bridgeOption.gatewayMode6);
  if ((gatewayMode === 'isolated' || gatewayMode6 === 'isolated') && !internal)
    throw new BerthError('invalid', "gateway mode 'isolated' can only be used for an internal network");
  if (given[bridgeOption.trusted])
    throw new BerthError('not-implemented', `${bridgeOption.trusted} is not supported by this engine yet`);
  const hostBinding = readAddress(given, bridgeOption.hostBinding);
  const source = readAddress(given, bridgeOption.source, 4);
  const masquerade = readBoolean(given, bridgeOption.masquerade, true);
  return {
    mtu: readMtu(given[bridgeOption.mtu], mtu),
    masquerade: masquerade && gatewayMode !== 'routed',
    betweenContainers: readBoolean(given, bridgeOption.betweenContainers, true),
    hostBinding: hostBinding === '0.0.0.0' ? '' : hostBinding,
    gatewayMode,
    hasAddress: gatewayMode !== 'isolated' && !readBoolean(given, bridgeOption.inhibitAddress, false),
    interfacePrefix: readPrefix(given[bridgeOption.interfacePrefix] ?? ''),
    source: source === '' ? null : parseAddress(source),
    gatewayMode6,
    masquerade6: masquerade && gatewayMode6 !== 'routed',
    source6: readAddress(given, bridgeOption.source6, 6) || null,
  };
}

/**
 * Which families a network has, as far as options say: those of the request itself come before them.
 * Error: `invalid` for what is neither true nor false.
 */
export function readFamilies(given: Given): { ipv4: boolean; ipv6: boolean } {
  const read = (name: string, fallback: boolean): boolean => {
    const text = given[name];
    const value = text === undefined ? fallback : goBoolean(text);
    if (value === null) throw new BerthError('invalid', `driver-opt "${name}" is not a valid bool`);
    return value;
  };
  return { ipv4: read(bridgeOption.enable4, true), ipv6: read(bridgeOption.enable6, false) };
}

function readGatewayMode(given: Given, name: string): GatewayMode {
  const text = given[name] ?? '';
  const found = gatewayModes.find((mode) => mode === (text || 'nat'));
  if (found) return found;
  throw unreadable(name, text, `unknown gateway mode ${text}`);
}

/** @param version of the address; without it, either */
function readAddress(given: Given, name: string, version?: 4 | 6): string {
  const text = given[name] ?? '';
  if (text === '') return '';
  const ip = parseIp(text);
  if (ip && (version ?? ip.version) === ip.version) return formatIp(ip);
  throw unreadable(name, text, 'nil ip');
}

/** A number is to follow, and the kernel takes fifteen bytes. */
function readPrefix(text: string): string {
  if (text === '') return 'eth';
  if (text.length > 12 || /[\s/:%]/.test(text))
    throw new BerthError('invalid', `invalid ${bridgeOption.interfacePrefix} value: ${text}`);
  return text;
}

function readMtu(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[-+]?\d+$/.test(text))
    throw unreadable(bridgeOption.mtu, text, `strconv.Atoi: parsing "${text}": invalid syntax`);
  const mtu = Number(text);
  if (mtu < 68 || mtu > 65_535) throw new BerthError('invalid', `invalid MTU number: ${text}`);
  return mtu;
}

function readBoolean(given: Given, name: string, fallback: boolean): boolean {
  const text = given[name];
  if (text === undefined) return fallback;
  const value = goBoolean(text);
  if (value !== null) return value;
  throw unreadable(name, text, notBoolean(text));
}

function unreadable(name: string, text: string, why: string): BerthError {
  return new BerthError('invalid', `failed to parse ${name} value: ${text} (${why})`);
}
