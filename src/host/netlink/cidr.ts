/** IPv4 addresses and networks as numbers. */

/** An address (unsigned 32 bits) with the prefix length of its network. */
export interface Cidr {
  address: number;
  prefix: number;
}

/** Dotted decimal to number; null where it is none. Leading zeros are refused, as Go does. */
export function parseAddress(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return null;
  let value = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatAddress(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** `172.17.0.1/16`; null where it is none. */
export function parseCidr(text: string): Cidr | null {
  const [host = '', prefix = '', ...rest] = text.split('/');
  const address = parseAddress(host);
  if (address === null || rest.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return null;
  return { address, prefix: Number(prefix) };
}

export function formatCidr({ address, prefix }: Cidr): string {
  return `${formatAddress(address)}/${prefix}`;
}

/** The bits of the network part. */
function netmask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

/** The network itself: host bits zero. */
export function networkOf({ address, prefix }: Cidr): Cidr {
  return { address: (address & netmask(prefix)) >>> 0, prefix };
}

export function lastAddress({ address, prefix }: Cidr): number {
  return (address | ~netmask(prefix)) >>> 0;
}

export function contains(network: Cidr, address: number): boolean {
  const mask = netmask(network.prefix);
  return (network.address & mask) >>> 0 === (address & mask) >>> 0;
}
