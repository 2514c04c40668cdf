import { BerthError } from '../api/errors.ts';
import type { Endpoint, TlsSettings } from './transport/transport.ts';

const defaultPort = { clear: 2375, tls: 2376 };

/**
 * Reads a host as `-H` and DOCKER_HOST give it: `unix://PATH`, `tcp://HOST[:PORT]`, `http://HOST[:PORT]`,
 * `https://HOST[:PORT]`.
 * @param tls for what goes over TCP
 * Error: `invalid` for anything else.
 */
export function parseEndpoint(host: string, tls?: TlsSettings): Endpoint {
  const separator = host.indexOf('://');
  const scheme = separator < 0 ? '' : host.slice(0, separator);
  const rest = host.slice(separator + 3);
  if (scheme === 'unix' && rest !== '') return { kind: 'unix', path: rest };
  if (scheme === 'tcp' || scheme === 'http') return parseAddress(host, rest, tls);
  if (scheme === 'https') return parseAddress(host, rest, tls ?? {});
  if (scheme === 'ssh' || scheme === 'fd' || scheme === 'npipe')
    throw new BerthError('not-implemented', `unable to connect to ${host}: ${scheme}:// is not supported yet`);
  throw new BerthError('invalid', `unable to parse docker host \`${host}\``);
}

function parseAddress(host: string, rest: string, tls: TlsSettings | undefined): Endpoint {
  const address = rest.replace(/\/.*$/, '');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(address);
  const port = Number(match?.[2] ?? (tls ? defaultPort.tls : defaultPort.clear));
  if (!match || port > 65535) throw new BerthError('invalid', `unable to parse docker host \`${host}\``);
  const name = (match[1] as string).replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host: name === '' ? '127.0.0.1' : name, port, tls };
}
