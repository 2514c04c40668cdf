import type { EndpointSettings } from '../../api/types/network.ts';
import type { EndpointRequest, SandboxRequest } from '../networks/types.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isContainerMode } from './spec/namespaces.ts';
import { wantedNetworks } from './wanted-networks.ts';

/** What the container asks of the network. Error: dockerd's words for a network to join that is not there. */
export function sandboxRequest(context: ContainerContext, container: Container): SandboxRequest {
  const { record } = container;
  const { config, hostConfig } = record;
  const { settings } = context.dependencies;
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
    endpoints: isContainerMode(mode) ? [] : endpointRequests(wantedNetworks(record)),
    joinPid: isContainerMode(mode) ? context.pidOfMode(mode, 'network') : null,
    macAddress: endpoint?.MacAddress || config.MacAddress || null,
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    portBindings: hostConfig.PortBindings ?? {},
    publishAllPorts: hostConfig.PublishAllPorts,
    dns: orDefault(hostConfig.Dns, settings.dns),
    dnsOptions: orDefault(hostConfig.DnsOptions, settings.dnsOptions),
    dnsSearch: orDefault(hostConfig.DnsSearch, settings.dnsSearch),
    extraHosts: hostConfig.ExtraHosts ?? [],
  };
}

function endpointRequests(wanted: Record<string, EndpointSettings>): EndpointRequest[] {
  return Object.entries(wanted).map(([network, settings]) => ({
    network,
    address: settings.IPAMConfig?.IPv4Address || null,
    macAddress: settings.MacAddress || null,
    aliases: settings.Aliases ?? [],
  }));
}

function orDefault(own: string[] | null, fallback: readonly string[]): string[] {
  return own?.length ? own : [...fallback];
}
