import { BerthError } from '../api/errors.ts';
import type { Endpoint } from './transport/transport.ts';

const defaultTcpPort = 2375;

/**
 * Reads a host as `-H` and DOCKER_HOST give it: `unix://PATH`, `tcp://HOST[:PORT]`, `http://HOST[:PORT]`.
 * Error: `invalid` for anything else.
 */
export function parseEndpoint(host: string): Endpoint {
  const separator = host.indexOf('://');
  const scheme = separator < 0 ? '' : host.slice(0, separator);
  const rest = host.slice(separator + 3);
  if (scheme === 'unix' && rest !== '') return { kind: 'unix', path: rest };
  if (scheme === 'tcp' || scheme === 'http') return parseAddress(host, rest);
  if (scheme === 'ssh' || scheme === 'https' || scheme === 'fd' || scheme === 'npipe')
    throw new BerthError('not-implemented', `unable to connect to ${host}: ${scheme}:// is not supported yet`);
  throw new BerthError('invalid', `unable to parse docker host \`${host}\``);
}

function parseAddress(host: string, rest: string): Endpoint {
  const address = rest.replace(/\/.*$/, '');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(address);
  const port = Number(match?.[2] ?? defaultTcpPort);
  if (!match || port > 65535) throw new BerthError('invalid', `unable to parse docker host \`${host}\``);
  const name = (match[1] as string).replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host: name === '' ? '127.0.0.1' : name, port };
}
