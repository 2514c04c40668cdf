import type { ImageSummary } from '../../api/types/image.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export interface ListImagesOptions {
  all?: boolean;
  digests?: boolean;
  filters?: Filters;
}

/** Image summaries, the newest first. */
export function listImages(client: Client, options: ListImagesOptions = {}): Promise<ImageSummary[]> {
  const { all, digests, filters } = options;
  const query = { all: all || undefined, digests: digests || undefined, filters: encodeFilters(filters ?? noFilters) };
  return client.json({ method: 'GET', path: '/images/json', query });
}
