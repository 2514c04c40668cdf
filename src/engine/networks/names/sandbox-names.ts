import type { Endpoint } from '../endpoint-table.ts';
import { isPredefined } from '../network-filters.ts';
import type { NetworkState } from '../network-state.ts';
import { addressesOf, namesOf } from '../sandbox-shapes.ts';
import type { EndpointNames, SandboxNames } from './name-book.ts';

/** What the resolver has to know of a container; null: it does not serve it. */
export function sandboxNames(state: NetworkState, id: string): SandboxNames | null {
  const endpoints = state.endpoints.of(id);
  const dns = endpoints[0]?.dns;
  if (!dns) return null;
  const leadsOut = ({ network }: Endpoint): boolean => !state.networks.find(network).internal;
  return {
    id,
    endpoints: endpoints.flatMap((one) => endpointNames(state, one)),
    forwards: endpoints.some(leadsOut),
    ...dns,
  };
}

function endpointNames(state: NetworkState, endpoint: Endpoint): EndpointNames[] {
  const network = state.networks.find(endpoint.network);
  if (isPredefined(network) || endpoint.interfaceName === '') return [];
  return [
    {
      network: network.id,
      networkName: network.name,
      addresses: addressesOf(endpoint),
      names: namesOf(endpoint),
      links: endpoint.links,
    },
  ];
}
