import type { NetworksPruneReport } from '../../api/types/network.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

/** Removes networks that no container uses. */
export function pruneNetworks(client: Client, filters: Filters = noFilters): Promise<NetworksPruneReport> {
  return client.json({ method: 'POST', path: '/networks/prune', query: { filters: encodeFilters(filters) } });
}
