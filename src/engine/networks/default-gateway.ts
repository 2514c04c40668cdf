import type { Endpoint } from './endpoint-table.ts';
import type { Network } from './network-table.ts';
import { gatewayOf } from './sandbox-shapes.ts';

/** A container's place on a network. */
export interface Joined {
  endpoint: Endpoint;
  network: Network;
}

/** The places that give a container its default routes. Null: none leads out in that family. */
export interface Leads {
  4: Joined | null;
  6: Joined | null;
}

export const versions = [4, 6] as const;

/**
 * The first place that leads out in both families has both; else each has the first that leads out in it. First is that of the highest
 * priority, among equals the first by the network's name. dockerd's rule.
 */
export function leadsOf(joined: readonly Joined[]): Leads {
  const before = (a: Joined, b: Joined): number =>
    b.endpoint.gatewayPriority - a.endpoint.gatewayPriority || (a.network.name < b.network.name ? -1 : 1);
  const sorted = [...joined].sort(before);
  const leadsOut = ({ network }: Joined, version: 4 | 6): boolean => gatewayOf(network, version) !== null;
  const both = sorted.find((one) => leadsOut(one, 4) && leadsOut(one, 6));
  const first = (version: 4 | 6): Joined | null => both ?? sorted.find((one) => leadsOut(one, version)) ?? null;
  return { 4: first(4), 6: first(6) };
}

/** The place whose address published ports of the host lead to: those at addresses of IPv6 to one of IPv4 where there is no other. */
export function publisherOf(leads: Leads, version: 4 | 6): Joined | null {
  return leads[version] ?? (version === 6 ? leads[4] : null);
}

/** The addresses of the default routes that a place gives. */
export function gatewaysOf({ endpoint, network }: Joined, leads: Leads, of: readonly (4 | 6)[] = versions): string[] {
  return of.flatMap((version) => (leads[version]?.endpoint === endpoint ? (gatewayOf(network, version) ?? []) : []));
}
