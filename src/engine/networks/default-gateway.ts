import type { Endpoint } from './endpoint-table.ts';
import type { Network } from './network-table.ts';
import { gatewayOf } from './sandbox-shapes.ts';

/** A container's place on a network. */
export interface Joined {
  endpoint: Endpoint;
  network: Network;
}

/**
 * The place that gives a container its default route, and with it published ports: that of the highest priority, among equals the
 * first by the network's name. Null: none leads out.
 */
export function leadingOf(joined: readonly Joined[]): Joined | null {
  const before = (a: Joined, b: Joined): number =>
    b.endpoint.gatewayPriority - a.endpoint.gatewayPriority || (a.network.name < b.network.name ? -1 : 1);
  return joined.filter(({ network }) => gatewayOf(network) !== null).sort(before)[0] ?? null;
}
