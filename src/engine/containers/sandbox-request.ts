import { endpointRequest } from '../networks/endpoint-wishes.ts';
import type { DnsWishes, SandboxRequest } from '../networks/types.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { linkedHosts } from './links.ts';
import { isContainerMode } from './spec/namespaces.ts';
import { wantedNetworks } from './wanted-networks.ts';

/** What the container asks of the network. Error: dockerd's words for a network to join that is not there. */
export function sandboxRequest(context: ContainerContext, container: Container): SandboxRequest {
  const { record } = container;
  const { config, hostConfig } = record;
  const endpoint =
    record.endpoints[hostConfig.NetworkMode] ?? record.endpoints['default'] ?? Object.values(record.endpoints)[0];
  const hasLeftAll = record.networks !== undefined && Object.keys(record.networks).length === 0;
  const mode = config.NetworkDisabled || hasLeftAll ? 'none' : hostConfig.NetworkMode;
  return {
    containerId: record.id,
    containerName: record.name,
    hostname: config.Hostname,
    domainname: config.Domainname,
    networkMode: mode,
    endpoints: isContainerMode(mode)
      ? []
      : Object.entries(wantedNetworks(record)).map(([name, wish]) => endpointRequest(name, wish)),
    joinPid: isContainerMode(mode) ? context.pidOfMode(mode, 'network') : null,
    macAddress: endpoint?.MacAddress || config.MacAddress || null,
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    portBindings: hostConfig.PortBindings ?? {},
    publishAllPorts: hostConfig.PublishAllPorts,
    ...dnsWishes(context, container),
    extraHosts: hostConfig.ExtraHosts ?? [],
    links: linkedHosts(container, context.index),
  };
}

/** What its resolv.conf is to say; the engine's settings where the container has no wishes. */
export function dnsWishes(context: ContainerContext, { record: { hostConfig } }: Pick<Container, 'record'>): DnsWishes {
  const { settings } = context.dependencies;
  return {
    dns: orDefault(hostConfig.Dns, settings.dns),
    dnsOptions: orDefault(hostConfig.DnsOptions, settings.dnsOptions),
    dnsSearch: orDefault(hostConfig.DnsSearch, settings.dnsSearch),
  };
}

function orDefault(own: string[] | null, fallback: readonly string[]): string[] {
  return own?.length ? own : [...fallback];
}
