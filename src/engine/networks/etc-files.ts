/** Contents of a container's /etc/hosts, in the form that Docker gives it. */
import type { LinkedHost } from './types.ts';

const loopbackHosts = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
] as const;

/**
 * /etc/hosts: loopback names, extra hosts, then the container's own addresses.
 * @param extraHosts `name:address`; the address `host-gateway` means each of `hostGateways`
 * @param own addresses and names of the container itself
 */
export function hostsFile(options: {
  extraHosts: readonly string[];
  hostGateways: readonly string[];
  /** What follows `extraHosts`. */
  links: readonly LinkedHost[];
  own: readonly (readonly [address: string, names: string])[];
}): string {
  const extra = options.extraHosts.flatMap((entry) => {
    const separator = /[:=]/.exec(entry)?.index ?? entry.length;
    const address = entry.slice(separator + 1).replace(/^\[(.*)\]$/, '$1');
    const addresses = address === 'host-gateway' ? options.hostGateways : [address];
    return addresses.map((one) => [one, entry.slice(0, separator)] as const);
  });
  const links = options.links.map(({ address, names }) => [address, names] as const);
  return [...loopbackHosts, ...extra, ...links, ...options.own]
    .map(([address, names]) => hostsLine(address, names))
    .join('');
}

export function hostsLine(address: string, names: string): string {
  return `${address}\t${names}\n`;
}

/** Names of a container in its own hosts file: the full one first. */
export function ownNames(hostname: string, domainname: string): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`;
  const short = full.split('.')[0] as string;
  return short === full ? full : `${full} ${short}`;
}
