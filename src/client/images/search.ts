import type { ImageSearchResult } from '../../api/types/image.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export interface SearchOptions {
  /** At most so many; absent: the engine's default. */
  limit?: number;
  filters?: Filters;
}

/** Images of a registry by a word of their names. */
export function searchImages(client: Client, term: string, options: SearchOptions = {}): Promise<ImageSearchResult[]> {
  const { limit, filters } = options;
  const query = { term, limit, filters: encodeFilters(filters ?? noFilters) };
  return client.json({ method: 'GET', path: '/images/search', query });
}
