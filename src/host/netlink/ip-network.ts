/** Addresses and networks of both families as integers, for what is the same in IPv4 and IPv6. */
import { type Cidr, formatAddress, parseAddress } from './cidr.ts';

export interface IpAddress {
  version: 4 | 6;
  /** Unsigned, 32 or 128 bits. */
  address: bigint;
}

/** An address with the prefix length of its network. */
export interface IpNetwork extends IpAddress {
  prefix: number;
}

const bitsOf = { 4: 32, 6: 128 } as const;

/** Dotted decimal, or IPv6 (RFC 4291, 2.2); null where it is neither. Zones (`%eth0`) are none of it. */
export function parseIp(text: string): IpAddress | null {
  const v4 = parseAddress(text);
  if (v4 !== null) return { version: 4, address: BigInt(v4) };
  const bytes = ipv6Bytes(text);
  return bytes && { version: 6, address: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** IPv6 in its canonical form (RFC 5952). */
export function formatIp({ version, address }: IpAddress): string {
  if (version === 4) return formatAddress(Number(address));
  const groups = Array.from({ length: 8 }, (_, index) => Number((address >> BigInt(112 - 16 * index)) & 0xffffn));
  const zeros = longestZeros(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return zeros.length < 2 ? text(0, 8) : `${text(0, zeros.start)}::${text(zeros.start + zeros.length, 8)}`;
}

/** `fd00::1/64`; null where it is none. */
export function parseIpNetwork(text: string): IpNetwork | null {
  const [host = '', prefix = '', ...rest] = text.split('/');
  const ip = parseIp(host);
  if (!ip || rest.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bitsOf[ip.version]) return null;
  return { ...ip, prefix: Number(prefix) };
}

export function formatIpNetwork(network: IpNetwork): string {
  return `${formatIp(network)}/${network.prefix}`;
}

export function ipNetworkOfCidr({ address, prefix }: Cidr): IpNetwork {
  return { version: 4, address: BigInt(address), prefix };
}

/** @param network of IPv4 */
export function cidrOf({ address, prefix }: IpNetwork): Cidr {
  return { address: Number(address), prefix };
}

/** How many addresses a network of the prefix has. */
export function sizeOf({ version, prefix }: Pick<IpNetwork, 'version' | 'prefix'>): bigint {
  return 1n << BigInt(bitsOf[version] - prefix);
}

/** The network itself: host bits zero. */
export function ipNetworkOf(network: IpNetwork): IpNetwork {
  return { ...network, address: network.address & ~(sizeOf(network) - 1n) };
}

export function lastIp(network: IpNetwork): bigint {
  return network.address | (sizeOf(network) - 1n);
}

export function ipContains(network: IpNetwork, { version, address }: IpAddress): boolean {
  return version === network.version && (network.address ^ address) < sizeOf(network);
}

export function ipOverlaps(a: IpNetwork, b: IpNetwork): boolean {
  return a.prefix <= b.prefix ? ipContains(a, b) : ipContains(b, a);
}

/** The sixteen bytes of an IPv6 address; null where it is none. */
export function ipv6Bytes(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (!text.includes(':') || halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')).flatMap(groupBytes));
  const bytes = groups.flat();
  if (bytes.some((byte) => byte === null)) return null;
  const missing = 16 - bytes.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  const [front = [], back = []] = groups as number[][];
  return Uint8Array.from([...front, ...new Array<number>(missing).fill(0), ...back]);
}

function groupBytes(group: string): (number | null)[] {
  const embedded = parseAddress(group);
  if (embedded !== null) return [embedded >>> 24, (embedded >>> 16) & 255, (embedded >>> 8) & 255, embedded & 255];
  if (!/^[0-9a-f]{1,4}$/i.test(group)) return [null];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 255];
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}

/** The bytes of an address in network order: four of a number (IPv4), sixteen of a bigint (IPv6). */
export function addressBytes(address: number | bigint): Buffer {
  if (typeof address === 'bigint') return Buffer.from(address.toString(16).padStart(32, '0'), 'hex');
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}
