/**
 * Proxies from the environment by Go's rules (https://pkg.go.dev/golang.org/x/net/http/httpproxy), because people set them up for
 * dockerd: loopback is never proxied, `NO_PROXY` knows CIDRs, domains with and without a leading dot, and ports.
 */
import { BlockList, isIP } from 'node:net';

type Environment = Record<string, string | undefined>;

const pick = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || '';

/** The proxy for `url`, or null for a direct connection. */
export function proxyFor(url: URL, environment: Environment = process.env): string | null {
  const proxy = pick(environment, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '' || bypasses(url, pick(environment, 'NO_PROXY'))) return null;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function bypasses(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const family = isIP(host);
  if (host === 'localhost' || (family !== 0 && isInside(host, family === 4 ? '127.0.0.0/8' : '::1/128'))) return true;
  for (const part of list.split(',')) {
    const entry = part.trim().toLowerCase();
    if (entry === '') continue;
    if (entry === '*') return true;
    if (entry.includes('/')) {
      if (family !== 0 && isInside(host, entry)) return true;
      continue;
    }
    const [, name = entry, wantedPort] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.test(entry)
      ? (/^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [])
      : [];
    if (wantedPort && wantedPort !== port) continue;
    const plain = name.replace(/^\[|\]$/g, '').replace(/^\*/, '');
    if (plain === host) return true;
    if (family === 0 && host.endsWith(plain.startsWith('.') ? plain : `.${plain}`)) return true;
  }
  return false;
}

function isInside(address: string, cidr: string): boolean {
  const [base = '', bits = ''] = cidr.split('/');
  const family = isIP(base);
  if (family === 0 || family !== isIP(address) || !/^\d{1,3}$/.test(bits)) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(base, Math.min(Number(bits), family === 4 ? 32 : 128), kind);
  return list.check(address, kind);
}

/**
 * Bun's fetch reads the same variables by simpler rules and cannot be told "no proxy" for one request, so a host that goes
 * directly joins `NO_PROXY` of this process.
 */
export function keepDirect(url: URL): void {
  const environment = process.env;
  if (pick(environment, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') === '') return;
  const host = url.hostname;
  const current = pick(environment, 'NO_PROXY');
  if (current === '*' || current.split(',').includes(host)) return;
  const next = current === '' ? host : `${current},${host}`;
  environment.NO_PROXY = next;
  if (environment.no_proxy !== undefined) environment.no_proxy = next;
}
