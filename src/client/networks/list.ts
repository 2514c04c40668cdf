import type { NetworkInspect } from '../../api/types/network.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export function listNetworks(client: Client, filters: Filters = noFilters): Promise<NetworkInspect[]> {
  return client.json({ method: 'GET', path: '/networks', query: { filters: encodeFilters(filters) } });
}
