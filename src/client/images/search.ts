import type { ImageSearchResult } from '../../api/types/image.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export interface SearchOptions {
  /** At most so many; absent: the engine's default. */
  limit?: number;
  filters?: Filters;
  /** `X-Registry-Auth`: base64url JSON. */
  registryAuth?: string;
}

/** Images of a registry by a word of their names. */
export function searchImages(client: Client, term: string, options: SearchOptions = {}): Promise<ImageSearchResult[]> {
  const { limit, filters, registryAuth } = options;
  const headers = registryAuth ? { 'X-Registry-Auth': registryAuth } : undefined;
  const query = { term, limit, filters: encodeFilters(filters ?? noFilters) };
  return client.json({ method: 'GET', path: '/images/search', query, headers });
}
