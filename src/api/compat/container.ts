/** Shapes container replies for the API version that a client asked for. The engine gives today's types. */
import type { ContainerInspect, ContainerSummary } from '../types/container.ts';
import type { EndpointSettings } from '../types/network.ts';
import type { ContainerStats } from '../types/stats.ts';

/** Networks that are not a user's own have neither aliases nor names. */
const builtinModes = new Set(['default', 'bridge', 'host', 'none']);

export function shapeContainerInspect(inspect: ContainerInspect, version: number): unknown {
  const networks = shapeAliases(inspect, version);
  const settings = { ...inspect.NetworkSettings, Networks: networks };
  if (version >= 52) return { ...inspect, Config: withoutEmptyTriggers(inspect), NetworkSettings: settings };
  const first = networks['bridge'] ?? null;
  return {
    ...inspect,
    NetworkSettings: {
      Bridge: '',
      SandboxID: settings.SandboxID,
      SandboxKey: settings.SandboxKey,
      Ports: settings.Ports,
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      ...defaultBridgeFields(first),
      Networks: networks,
    },
  };
}

/** Since 1.52 an empty `OnBuild` is left out. */
function withoutEmptyTriggers({ Config: config }: ContainerInspect): object {
  const { OnBuild: triggers, ...rest } = config;
  return triggers?.length ? config : rest;
}

/** What stood at the top while there was one network: the default bridge's values. */
function defaultBridgeFields(endpoint: EndpointSettings | null) {
  return {
    EndpointID: endpoint?.EndpointID ?? '',
    Gateway: endpoint?.Gateway ?? '',
    GlobalIPv6Address: endpoint?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: endpoint?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: endpoint?.IPAddress ?? '',
    IPPrefixLen: endpoint?.IPPrefixLen ?? 0,
    IPv6Gateway: endpoint?.IPv6Gateway ?? '',
    MacAddress: endpoint?.MacAddress ?? '',
  };
}

/** Before 1.45 the short id was an alias on user-defined networks. */
function shapeAliases(inspect: ContainerInspect, version: number): Record<string, EndpointSettings> {
  const networks = inspect.NetworkSettings.Networks;
  if (version >= 45) return networks;
  const shaped: Record<string, EndpointSettings> = {};
  for (const [name, endpoint] of Object.entries(networks)) {
    const own = builtinModes.has(name)
      ? endpoint.Aliases
      : [...new Set([...(endpoint.Aliases ?? []), inspect.Id.slice(0, 12), inspect.Config.Hostname])];
    shaped[name] = { ...endpoint, Aliases: own };
  }
  return shaped;
}

export function shapeContainerSummary(summary: ContainerSummary, version: number): unknown {
  if (version >= 52) return summary;
  const { Health: _health, ...rest } = summary;
  if (version >= 46) return rest;
  return { ...rest, HostConfig: { NetworkMode: summary.HostConfig.NetworkMode } };
}

/** Since 1.52 a reading says of which kind of system it is. */
export function shapeStats(stats: ContainerStats, version: number): unknown {
  return version >= 52 ? { ...stats, os_type: 'linux' } : stats;
}
