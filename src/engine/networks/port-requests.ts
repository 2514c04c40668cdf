/** What a container wants published: Docker's port bindings as lists of numbers. */
import { BerthError } from '../../api/errors.ts';
import type { PortBinding } from '../../api/types/host-config.ts';
import { parseAddress } from '../../host/netlink/cidr.ts';
import { ipv6Bytes } from '../../host/netlink/ip-network.ts';

export type Protocol = 'tcp' | 'udp';

/** One port of the container and where it is wanted. */
export interface PortRequest {
  containerPort: number;
  protocol: Protocol;
  /** Empty: every address, IPv4 and IPv6. */
  hostAddress: string;
  /** First and last port to choose from; null: any free one. */
  hostPorts: { first: number; last: number } | null;
}

export interface PublishRequest {
  exposedPorts: readonly string[];
  portBindings: Readonly<Record<string, readonly Partial<PortBinding>[] | null>>;
  publishAllPorts: boolean;
}

/**
 * Everything to publish. Fixed ports come first, so that no range and no random choice takes one of them; random ones last.
 * @param defaultAddress of the host, where a binding names none; empty: every address
 * Errors: `invalid` for what is no port or address, `not-implemented` for a protocol beside tcp and udp.
 */
export function portRequests(request: PublishRequest, defaultAddress = ''): PortRequest[] {
  const found: PortRequest[] = [];
  for (const [port, bindings] of Object.entries(request.portBindings)) {
    for (const target of portsOf(port)) {
      for (const binding of bindings ?? []) {
        found.push({
          ...target,
          hostAddress: checkedAddress(binding.HostIp || defaultAddress),
          hostPorts: parseRange(binding.HostPort ?? ''),
        });
      }
    }
  }
  if (request.publishAllPorts) {
    const bound = new Set(found.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
    for (const target of request.exposedPorts.flatMap(portsOf)) {
      if (bound.has(`${target.containerPort}/${target.protocol}`)) continue;
      found.push({ ...target, hostAddress: checkedAddress(defaultAddress), hostPorts: null });
    }
  }
  const freedom = ({ hostPorts }: PortRequest): number =>
    hostPorts === null ? Number.POSITIVE_INFINITY : hostPorts.last - hostPorts.first;
  // Not a difference: infinity less infinity is no number.
  return found.sort((a, b) => (freedom(a) === freedom(b) ? 0 : freedom(a) < freedom(b) ? -1 : 1));
}

/** The single ports of `80`, `80/tcp` or `8000-8010/udp`. */
export function portsOf(text: string): { containerPort: number; protocol: Protocol }[] {
  const [ports = '', protocol = 'tcp'] = text.split('/');
  const lower = protocol.toLowerCase();
  if (lower !== 'tcp' && lower !== 'udp')
    throw new BerthError('not-implemented', `publishing ports of protocol ${protocol} is not supported`);
  const range = parseRange(ports);
  if (!range) throw new BerthError('invalid', `invalid port specification: "${ports}"`);
  return Array.from({ length: range.last - range.first + 1 }, (_, index) => ({
    containerPort: range.first + index,
    protocol: lower,
  }));
}

/** `8080`, `8000-8010`; null for the empty text and for 0, which mean any. */
function parseRange(text: string): { first: number; last: number } | null {
  if (text === '' || text === '0') return null;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > last || last > 65_535 || first === 0)
    throw new BerthError('invalid', `invalid port specification: "${text}"`);
  return { first, last };
}

function checkedAddress(text: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  if (address === '' || parseAddress(address) !== null || ipv6Bytes(address)) return address;
  throw new BerthError('invalid', `invalid IP address: ${text}`);
}
