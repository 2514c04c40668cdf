/**
 * Where a registry is reached: mirrors first, https, and plain http only for registries that are marked insecure (loopback is) —
 * dockerd's rules (https://docs.docker.com/reference/cli/dockerd/#insecure-registries).
 */
import { BlockList, isIP } from 'node:net';
import { BerthError } from '../api/errors.ts';
import { defaultDomain } from '../oci/reference.ts';

export interface RegistrySettings {
  /** `https://mirror` for Docker Hub, `ghcr.io=https://mirror` for another registry. */
  mirrors?: readonly string[];
  /** `host[:port]` or CIDR. */
  insecureRegistries?: readonly string[];
}

/** One place to ask. */
export interface Endpoint {
  /** `https://host[:port][/path]`, without a slash at the end. */
  base: string;
  isMirror: boolean;
  /** False: certificates are taken as they come. */
  verify: boolean;
  /** `user:password` from the mirror's own address. */
  credentials?: { username: string; password: string };
}

const hubHost = 'registry-1.docker.io';

export class Registries {
  #settings: RegistrySettings;
  #mirrors: { domain: string; url: URL }[] = [];
  #insecureHosts = new Set<string>();
  #insecureAddresses = new BlockList();
  /** Insecure hosts that last answered over http: they are not asked for TLS again and again. */
  readonly #plainHosts = new Set<string>();

  /** Error: `invalid` for a mirror or CIDR that cannot be read, in dockerd's words. */
  constructor(settings: RegistrySettings = {}) {
    this.#settings = settings;
    this.#insecureAddresses.addSubnet('127.0.0.0', 8, 'ipv4');
    this.#insecureAddresses.addSubnet('::1', 128, 'ipv6');
    for (const entry of settings.insecureRegistries ?? []) this.#addInsecure(entry);
    this.#mirrors = (settings.mirrors ?? []).map(readMirror);
  }

  /** What it was made of. */
  get settings(): RegistrySettings {
    return this.#settings;
  }

  /** From now on as another one says; what is known of hosts that answer over http is asked anew. */
  become(other: Registries): void {
    this.#settings = other.#settings;
    this.#mirrors = other.#mirrors;
    this.#insecureHosts = other.#insecureHosts;
    this.#insecureAddresses = other.#insecureAddresses;
    this.#plainHosts.clear();
  }

  /** Endpoints for a registry, in the order to try. @param domain of a `Reference` */
  endpoints(domain: string): Endpoint[] {
    const host = domain === defaultDomain ? hubHost : domain;
    const list: Endpoint[] = [];
    for (const mirror of this.#mirrors) {
      if (mirror.domain !== domain) continue;
      const { username, password } = mirror.url;
      list.push({
        base: mirror.url.origin + mirror.url.pathname.replace(/\/+$/, ''),
        isMirror: true,
        verify: !this.isInsecure(mirror.url.host),
        ...(username && {
          credentials: { username: decodeURIComponent(username), password: decodeURIComponent(password) },
        }),
      });
    }
    const isInsecure = this.isInsecure(host);
    const own: Endpoint[] = [{ base: `https://${host}`, isMirror: false, verify: !isInsecure }];
    if (isInsecure) own.push({ base: `http://${host}`, isMirror: false, verify: false });
    if (this.#plainHosts.has(host)) own.reverse();
    return [...list, ...own];
  }

  /** Remembers which way a host answers, so that the next question begins there. */
  answered(endpoint: Endpoint): void {
    const { protocol, host } = new URL(endpoint.base);
    if (endpoint.isMirror) return;
    if (protocol === 'https:') this.#plainHosts.delete(host);
    else if (this.isInsecure(host)) this.#plainHosts.add(host);
  }

  /** May this `host[:port]` be asked without TLS, or with a certificate that nobody vouches for? */
  isInsecure(host: string): boolean {
    if (this.#insecureHosts.has(host.toLowerCase())) return true;
    const name = hostName(host);
    if (name === 'localhost') return true;
    const family = isIP(name);
    return family !== 0 && this.#insecureAddresses.check(name, family === 4 ? 'ipv4' : 'ipv6');
  }

  #addInsecure(entry: string): void {
    const cidr = /^(.+)\/(\d+)$/.exec(entry);
    if (cidr) {
      const family = isIP(cidr[1] as string);
      if (family !== 0) {
        this.#insecureAddresses.addSubnet(cidr[1] as string, Number(cidr[2]), family === 4 ? 'ipv4' : 'ipv6');
        return;
      }
    }
    if (/^https?:\/\//i.test(entry))
      throw new BerthError('invalid', `insecure registry ${entry} should not contain '://'`);
    if (entry.startsWith('-') || entry.endsWith('-') || !/^[^/?#\s]+$/.test(entry))
      throw new BerthError('invalid', `insecure registry ${entry} is not valid: invalid host "${entry}"`);
    this.#insecureHosts.add(entry.toLowerCase());
  }
}

function hostName(host: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(host);
  return bracketed ? (bracketed[1] as string) : host.replace(/:\d+$/, '').toLowerCase();
}

function readMirror(entry: string): { domain: string; url: URL } {
  const [, domain = defaultDomain, address = entry] = /^([^/=]+)=(.+)$/.exec(entry) ?? [];
  return { domain, url: readMirrorAddress(address) };
}

/** Error: `invalid` in dockerd's words. */
export function readMirrorAddress(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new BerthError('invalid', `invalid mirror: "${address}" is not a valid URI`, { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new BerthError(
      'invalid',
      `invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${address}"`,
    );
  if (url.search !== '' || url.hash !== '')
    throw new BerthError('invalid', `invalid mirror: query or fragment at end of the URI "${address}"`);
  return url;
}
