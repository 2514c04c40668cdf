import type { VolumesPruneReport } from '../../api/types/volume.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

/** Removes anonymous volumes that no container uses; with the filter `all=1` named ones too. */
export function pruneVolumes(client: Client, filters: Filters = noFilters): Promise<VolumesPruneReport> {
  return client.json({ method: 'POST', path: '/volumes/prune', query: { filters: encodeFilters(filters) } });
}
