import { BerthError } from '../../api/errors.ts';
import type { ContainerSummary, PortSummary } from '../../api/types/container.ts';
import type { ContainerListOptions } from '../../api/types/container-requests.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import { goBoolean } from '../../base/go-boolean.ts';
import { type Filters, matchesExactly, matchesLabels, matchesPattern } from '../../wire/filters.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { mountPoint, networksOf } from './inspect.ts';
import { linkNames } from './links.ts';
import { containerStates, isRunning } from './states.ts';
import { statusText } from './status-text.ts';

/** The newest first. Takes no lock. Errors: `invalid` for filter values that cannot be, `not-found` for before and since. */
export function listContainers(context: ContainerContext, options: ContainerListOptions): ContainerSummary[] {
  const now = Date.now();
  const links = linkNames(context.index);
  return selectContainers(context, options).map((container) => {
    const summary = summarize(container, now);
    return { ...summary, Names: [...summary.Names, ...(links.get(container) ?? [])] };
  });
}

/** The containers that a list with these options shows. */
function selectContainers(context: ContainerContext, options: Omit<ContainerListOptions, 'size'>): Container[] {
  const { filters } = options;
  checkValues(filters);
  let newest = [...context.index.all()].reverse();
  const before = edge(context, filters, 'before');
  if (before) newest = newest.slice(newest.indexOf(before) + 1);
  const since = edge(context, filters, 'since');
  if (since) newest = newest.slice(0, newest.indexOf(since));
  const everyState = options.all || options.limit > 0 || filters.has('status');
  const found = newest.filter(
    (container) => (everyState || isRunning(container.state)) && matches(context, container, filters),
  );
  return options.limit > 0 ? found.slice(0, options.limit) : found;
}

function edge(context: ContainerContext, filters: Filters, key: string): Container | null {
  const reference = filters.get(key)?.[0];
  return reference === undefined ? null : context.index.find(reference);
}

const healthWords = ['none', 'starting', 'healthy', 'unhealthy'];

function wrongValue(key: string, value: string, why: string): BerthError {
  return new BerthError('invalid', `invalid filter '${key}=${value}': ${why}`);
}

function checkValues(filters: Filters): void {
  for (const status of filters.get('status') ?? []) {
    if (!(containerStates as readonly string[]).includes(status))
      throw wrongValue(
        'status',
        status,
        `invalid value for state (${status}): must be one of ${containerStates.join(', ')}`,
      );
  }
  for (const code of filters.get('exited') ?? []) {
    if (!/^-?\d+$/.test(code))
      throw wrongValue('exited', code, `strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`);
  }
  for (const key of ['publish', 'expose']) for (const value of filters.get(key) ?? []) portRange(key, value);
  const isTask = filters.get('is-task') ?? [];
  if (isTask.some((text) => goBoolean(text) === null))
    throw new BerthError('invalid', `invalid filter 'is-task=[${isTask.join(' ')}]'`);
  for (const health of filters.get('health') ?? []) {
    if (!healthWords.includes(health))
      throw wrongValue(
        'health',
        health,
        `invalid value for health (${health}): must be one of ${healthWords.join(', ')}`,
      );
  }
}

function matches(context: ContainerContext, container: Container, filters: Filters): boolean {
  if (filters.size === 0) return true;
  const { record } = container;
  if (!matchesPattern(filters, 'id', record.id) && !hasPrefix(filters, record.id)) return false;
  if (!matchesPattern(filters, 'name', record.name) && !matchesPattern(filters, 'name', `/${record.name}`))
    return false;
  if (!matchesLabels(filters, record.config.Labels)) return false;
  if (!matchesExactly(filters, 'status', record.state)) return false;
  if (!matchesExactly(filters, 'health', record.health?.Status ?? 'none')) return false;
  if (filters.has('exited') && (isRunning(record.state) || !matchesExactly(filters, 'exited', String(record.exitCode))))
    return false;
  if (filters.get('is-task')?.some((text) => goBoolean(text))) return false;
  return (
    matchesAncestor(context, container, filters) &&
    matchesVolume(container, filters) &&
    matchesNetwork(container, filters) &&
    matchesPorts(container, filters, 'publish') &&
    matchesPorts(container, filters, 'expose')
  );
}

function hasPrefix(filters: Filters, id: string): boolean {
  return (filters.get('id') ?? []).some((value) => id.startsWith(value));
}

function matchesAncestor(context: ContainerContext, container: Container, filters: Filters): boolean {
  const wanted = filters.get('ancestor');
  if (!wanted?.length) return true;
  return wanted.some((reference) => {
    if (reference === container.record.config.Image || reference === container.record.image) return true;
    try {
      return context.dependencies.images.resolve(reference).id === container.record.image;
    } catch {
      // An image that is not there has no containers; Docker gives an empty list too.
      return false;
    }
  });
}

function matchesVolume(container: Container, filters: Filters): boolean {
  const wanted = filters.get('volume');
  if (!wanted?.length) return true;
  return container.record.mounts.some(
    (mount) => wanted.includes(mount.name || mount.source) || wanted.includes(mount.destination),
  );
}

function matchesNetwork(container: Container, filters: Filters): boolean {
  const wanted = filters.get('network');
  if (!wanted?.length) return true;
  return Object.entries(networksOf(container)).some(
    ([name, endpoint]) =>
      wanted.includes(name) || wanted.some((value) => value !== '' && endpoint.NetworkID.startsWith(value)),
  );
}

/** `publish` looks at ports of the host, `expose` at those of the container. */
function matchesPorts(container: Container, filters: Filters, key: 'publish' | 'expose'): boolean {
  const wanted = filters.get(key);
  if (!wanted?.length) return true;
  const { record } = container;
  const published = Object.entries(record.sandbox?.ports ?? {});
  const have =
    key === 'publish'
      ? published.flatMap(
          ([port, bindings]) => bindings?.map(({ HostPort }) => `${HostPort}/${protocolOf(port)}`) ?? [],
        )
      : [...Object.keys(record.config.ExposedPorts ?? {}), ...published.map(([port]) => port)];
  return wanted.some((value) => {
    const { first, last, protocol } = portRange(key, value);
    return have.some(
      (port) =>
        protocolOf(port) === protocol && Number.parseInt(port, 10) >= first && Number.parseInt(port, 10) <= last,
    );
  });
}

function protocolOf(port: string): string {
  return port.split('/')[1] ?? 'tcp';
}

/** `80`, `80-90`, `80/udp`. Error: `invalid` in dockerd's words. */
function portRange(key: string, value: string): { first: number; last: number; protocol: string } {
  const [range = '', protocol = 'tcp'] = value.split('/');
  const [first = '', last = first] = range.split('-');
  for (const text of [first, last]) {
    const problem = /^\d+$/.test(text) ? (Number(text) > 65_535 ? 'value out of range' : null) : 'invalid syntax';
    if (problem)
      throw new BerthError(
        'invalid',
        `error while looking up for ${key} ${value}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`,
      );
  }
  return { first: Number(first), last: Number(last), protocol };
}

function summarize(container: Container, now: number): ContainerSummary {
  const { record } = container;
  const { Annotations, NetworkMode } = record.hostConfig;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.config.Image || record.image,
    ImageID: record.image,
    Command: commandText(record.path, record.arguments),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: portsOf(container),
    Labels: record.config.Labels ?? {},
    State: record.state,
    Status: statusText(record, now),
    Health: { Status: record.health?.Status ?? 'none', FailingStreak: record.health?.FailingStreak ?? 0 },
    HostConfig: Annotations ? { NetworkMode, Annotations } : { NetworkMode },
    NetworkSettings: { Networks: namelessNetworks(container) },
    Mounts: record.mounts.filter((mount) => mount.type !== 'tmpfs').map(mountPoint),
  };
}

/** The list tells addresses, and leaves the names to inspect. */
function namelessNetworks(container: Container): Record<string, EndpointSettings> {
  const networks = Object.entries(networksOf(container));
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, { ...endpoint, Aliases: null, DNSNames: null }]));
}

/** As Docker joins them: an argument with a blank in it stands in single quotes. */
function commandText(path: string, words: readonly string[]): string {
  if (words.length === 0) return path;
  return [path, ...words.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ');
}

function portsOf(container: Container): PortSummary[] {
  const ports: PortSummary[] = [];
  for (const [port, bindings] of Object.entries(container.record.sandbox?.ports ?? {})) {
    const [number, Type = 'tcp'] = port.split('/');
    const PrivatePort = Number(number);
    if (!bindings?.length) {
      ports.push({ PrivatePort, Type });
      continue;
    }
    for (const binding of bindings)
      ports.push({ IP: binding.HostIp, PrivatePort, PublicPort: Number(binding.HostPort), Type });
  }
  return ports;
}
