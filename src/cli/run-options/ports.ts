/** `-p` and `--expose`. Errors in Docker's words. */
import type { PortMap } from '../../api/types/host-config.ts';
import { splitCsv } from '../grammar/values.ts';
import { isAddress } from './texts.ts';

export interface Ports {
  exposed: Record<string, Record<string, never>>;
  bindings: PortMap;
}

interface Range {
  first: number;
  last: number;
}

const protocols = new Set(['tcp', 'udp', 'sctp']);

export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} };
  for (const text of publish) addPublished(ports, text.includes('=') ? longForm(text) : text);
  for (const text of expose) addExposed(ports, text);
  return ports;
}

function addExposed(ports: Ports, text: string): void {
  if (text.includes(':')) throw new Error(`invalid port format for --expose: ${text}`);
  const [numbers, protocol] = splitProtocol(text);
  const range = parseRange(numbers, () => `invalid range format for --expose: ${text}, error: Invalid empty string`);
  if (!range) throw new Error(`invalid range format for --expose: ${numbers}, error: ${badPort(numbers)}`);
  for (let port = range.first; port <= range.last; port++) ports.exposed[`${port}/${protocol}`] = {};
}

/** `[[IP:]HOST_PORT:]PORT[/PROTO]`, ports may be ranges. */
function addPublished(ports: Ports, text: string): void {
  const { address, hostPort, containerPort } = splitParts(text);
  const [numbers, protocol] = splitProtocol(containerPort);
  if (address !== '' && !isAddress(address)) throw new Error(`invalid IP address: ${address}`);
  if (numbers === '') throw new Error(`no port specified: ${text}<empty>`);
  const inside = parseRange(numbers);
  if (!inside) throw new Error(`invalid containerPort: ${numbers}`);
  const outside = hostPort === '' ? undefined : parseRange(hostPort);
  if (hostPort !== '' && !outside) throw new Error(`invalid hostPort: ${hostPort}`);
  if (!protocols.has(protocol)) throw new Error(`invalid proto: ${protocol}`);
  const many = inside.last - inside.first;
  // One port inside may take any free one out of a range of the host.
  const anyOf = outside && many === 0 && outside.last > outside.first;
  if (outside && !anyOf && outside.last - outside.first !== many)
    throw new Error(`invalid ranges specified for container and host Ports: ${numbers} and ${hostPort}`);
  for (let offset = 0; offset <= many; offset++) {
    const key = `${inside.first + offset}/${protocol}`;
    ports.exposed[key] = {};
    const HostPort = !outside ? '' : anyOf ? `${outside.first}-${outside.last}` : String(outside.first + offset);
    ports.bindings[key] = [...(ports.bindings[key] ?? []), { HostIp: address, HostPort }];
  }
}

/** From the right, because an IPv6 address has colons of its own. */
function splitParts(text: string): { address: string; hostPort: string; containerPort: string } {
  const parts = text.split(':');
  const containerPort = parts.at(-1) as string;
  if (parts.length === 1) return { address: '', hostPort: '', containerPort };
  const hostPort = parts.at(-2) as string;
  const address = parts.slice(0, -2).join(':');
  if (parts.length > 3 && !/^\[.*\]$/.test(address) && !isAddress(address))
    throw new Error(`invalid IP address: ${address}`);
  return { address: address.replace(/^\[(.*)\]$/, '$1'), hostPort, containerPort };
}

function splitProtocol(text: string): [string, string] {
  const slash = text.indexOf('/');
  if (slash < 0) return [text, 'tcp'];
  return [text.slice(0, slash), text.slice(slash + 1).toLowerCase() || 'tcp'];
}

function parseRange(text: string, empty?: () => string): Range | undefined {
  if (text === '' && empty) throw new Error(empty());
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

function badPort(text: string): string {
  return `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${/^\d+$/.test(text) ? 'value out of range' : 'invalid syntax'}`;
}

/** `published=8080,target=80,protocol=tcp` in the short form. */
function longForm(text: string): string {
  const fields: Record<string, string> = { protocol: 'tcp', published: '' };
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const key = field.slice(0, Math.max(0, equals)).toLowerCase();
    const value = field.slice(equals + 1);
    if (equals <= 0 || value === '') throw new Error(`invalid field ${field}`);
    if (!['protocol', 'mode', 'target', 'published'].includes(key)) throw new Error(`invalid field key ${key}`);
    if (key === 'protocol' && !protocols.has(value)) throw new Error(`invalid protocol value ${value}`);
    if (key === 'mode' && value !== 'host' && value !== 'ingress')
      throw new Error(`invalid publish mode value ${value}`);
    fields[key] = value;
  }
  if (!fields['target']) throw new Error('missing mandatory field "target"');
  return `${fields['published'] ? `${fields['published']}:` : ''}${fields['target']}/${fields['protocol']}`;
}
