import type { EndpointSettings } from '../../api/types/network.ts';
import type { ContainerRecord } from './record.ts';
import { isContainerMode } from './spec/namespaces.ts';

/** The networks that a container joins when it starts, by the name or id that the user gave; that of its network mode first. */
export function wantedNetworks(record: ContainerRecord): Record<string, EndpointSettings> {
  if (record.networks) return record.networks;
  const mode = record.config.NetworkDisabled ? 'none' : record.hostConfig.NetworkMode;
  if (isContainerMode(mode)) return {};
  const { [mode]: own, default: byDefault, ...others } = record.endpoints;
  return { [mode]: { ...idleEndpoint(), ...wishes(own ?? byDefault) }, ...mapValues(others) };
}

function mapValues(endpoints: Record<string, EndpointSettings>): Record<string, EndpointSettings> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => [name, { ...idleEndpoint(), ...wishes(endpoint) }]),
  );
}

/** What of a request is a wish: the rest is what a client echoes of an earlier state. */
function wishes(endpoint: EndpointSettings | null | undefined): Partial<EndpointSettings> {
  if (!endpoint) return {};
  const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, MacAddress } = endpoint;
  return { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, MacAddress };
}

/** A network of a container that does not run. */
function idleEndpoint(): EndpointSettings {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: '',
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}
