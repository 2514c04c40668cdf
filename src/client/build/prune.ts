import type { BuildPruneReport } from '../../api/types/image.ts';
import { encodeFilters, type Filters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

/** Removes what the build cache keeps and no image has; with `all` everything. */
export function pruneBuilds(
  client: Client,
  options: { all: boolean; keepStorage: number; filters: Filters },
): Promise<BuildPruneReport> {
  const query = {
    all: options.all,
    'keep-storage': options.keepStorage || undefined,
    filters: encodeFilters(options.filters),
  };
  return client.json({ method: 'POST', path: '/build/prune', query });
}
