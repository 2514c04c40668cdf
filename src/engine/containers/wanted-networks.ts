import type { EndpointSettings } from '../../api/types/network.ts';
import { wished } from '../networks/membership.ts';
import type { ContainerRecord } from './record.ts';
import { isContainerMode } from './spec/namespaces.ts';

/** The networks that a container joins when it starts, by the name or id that the user gave; that of its network mode first. */
export function wantedNetworks(record: ContainerRecord): Record<string, EndpointSettings> {
  if (record.networks) return record.networks;
  const mode = record.config.NetworkDisabled ? 'none' : record.hostConfig.NetworkMode;
  if (isContainerMode(mode)) return {};
  const { [mode]: own, default: byDefault, ...others } = record.endpoints;
  return { [mode]: wished(own ?? byDefault ?? null), ...mapValues(others) };
}

function mapValues(endpoints: Record<string, EndpointSettings>): Record<string, EndpointSettings> {
  return Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, wished(endpoint)]));
}
