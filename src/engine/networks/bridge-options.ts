/** Options of the bridge driver, `com.docker.network.…`; what is none of them is kept and shown, and means nothing. */
import { BerthError } from '../../api/errors.ts';
import { formatAddress, parseAddress } from '../../host/netlink/cidr.ts';
import { ipv6Bytes } from './port-requests.ts';

export const bridgeOption = {
  name: 'com.docker.network.bridge.name',
  mtu: 'com.docker.network.driver.mtu',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  betweenContainers: 'com.docker.network.bridge.enable_icc',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  gatewayMode: 'com.docker.network.bridge.gateway_mode_ipv4',
  inhibitAddress: 'com.docker.network.bridge.inhibit_ipv4',
  interfacePrefix: 'com.docker.network.container_iface_prefix',
  source: 'com.docker.network.host_ipv4',
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
}

type Given = Readonly<Record<string, string>>;

/** Error: `invalid` in dockerd's words. @param internal the network has no way out */
export function readBridgeOptions(given: Given, { mtu, internal }: { mtu: number; internal: boolean }): BridgeOptions {
  const gatewayMode = readGatewayMode(given);
  if (gatewayMode === 'isolated' && !internal)
    throw new BerthError('invalid', "gateway mode 'isolated' can only be used for an internal network");
  if (given[bridgeOption.trusted])
    throw new BerthError('not-implemented', `${bridgeOption.trusted} is not supported by this engine yet`);
  const hostBinding = readAddress(given, bridgeOption.hostBinding);
  const source = readAddress(given, bridgeOption.source);
  return {
    mtu: readMtu(given[bridgeOption.mtu], mtu),
    masquerade: readBoolean(given, bridgeOption.masquerade, true) && gatewayMode !== 'routed',
    betweenContainers: readBoolean(given, bridgeOption.betweenContainers, true),
    hostBinding: hostBinding === '0.0.0.0' ? '' : hostBinding,
    gatewayMode,
    hasAddress: gatewayMode !== 'isolated' && !readBoolean(given, bridgeOption.inhibitAddress, false),
    interfacePrefix: readPrefix(given[bridgeOption.interfacePrefix] ?? ''),
    source: source === '' ? null : parseAddress(source),
  };
}

function readGatewayMode(given: Given): GatewayMode {
  const text = given[bridgeOption.gatewayMode] ?? '';
  const found = gatewayModes.find((mode) => mode === (text || 'nat'));
  if (found) return found;
  throw unreadable(bridgeOption.gatewayMode, text, `unknown gateway mode ${text}`);
}

function readAddress(given: Given, name: string): string {
  const text = given[name] ?? '';
  if (text === '') return '';
  const value = parseAddress(text);
  if (value !== null) return formatAddress(value);
  if (name === bridgeOption.hostBinding && ipv6Bytes(text)) return text;
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
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw unreadable(name, text, `strconv.ParseBool: parsing "${text}": invalid syntax`);
}

function unreadable(name: string, text: string, why: string): BerthError {
  return new BerthError('invalid', `failed to parse ${name} value: ${text} (${why})`);
}
