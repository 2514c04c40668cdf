import type { ImagesPruneReport } from '../../api/types/image.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

/** Removes dangling images; with the filter `dangling=false` all that no container uses. */
export function pruneImages(client: Client, filters: Filters = noFilters): Promise<ImagesPruneReport> {
  return client.json({ method: 'POST', path: '/images/prune', query: { filters: encodeFilters(filters) } });
}
