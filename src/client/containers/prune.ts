import type { ContainersPruneReport } from '../../api/types/container.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

/** Removes all stopped containers that pass the filters. */
export function pruneContainers(client: Client, filters: Filters = noFilters): Promise<ContainersPruneReport> {
  return client.json({ method: 'POST', path: '/containers/prune', query: { filters: encodeFilters(filters) } });
}
