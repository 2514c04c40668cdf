/** Published ports in one line, neighbours joined: `0.0.0.0:8000-8002->80-82/tcp`. */
import type { PortSummary } from '../../api/types/container.ts';

interface Range {
  first: number;
  last: number;
}

export function formatPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(comparePorts);
  const groups = new Map<string, Range>();
  const joined: string[] = [];
  const singles: string[] = [];
  for (const port of sorted) {
    const address = port.IP ?? '';
    const publicPort = port.PublicPort ?? 0;
    // Only a port that is published under its own number can be part of a range.
    if (address !== '' && publicPort !== port.PrivatePort) {
      singles.push(`${joinAddress(address, publicPort)}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const key = address === '' ? port.Type : `${address}/${port.Type}`;
    const group = groups.get(key);
    if (group && port.PrivatePort === group.last + 1) {
      group.last = port.PrivatePort;
      continue;
    }
    if (group) joined.push(formatRange(key, group));
    groups.set(key, { first: port.PrivatePort, last: port.PrivatePort });
  }
  for (const [key, group] of groups) joined.push(formatRange(key, group));
  return [...joined, ...singles].join(', ');
}

function formatRange(key: string, { first, last }: Range): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  const slash = key.lastIndexOf('/');
  if (slash < 0) return `${range}/${key}`;
  return `${joinAddress(key.slice(0, slash), range)}->${range}/${key.slice(slash + 1)}`;
}

/** IPv6 addresses stand in brackets. */
export function joinAddress(address: string, port: string | number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  if (a.PrivatePort !== b.PrivatePort) return a.PrivatePort - b.PrivatePort;
  const [left, right] = [a.IP ?? '', b.IP ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  if (a.PublicPort !== b.PublicPort) return (a.PublicPort ?? 0) - (b.PublicPort ?? 0);
  return a.Type < b.Type ? -1 : a.Type > b.Type ? 1 : 0;
}
