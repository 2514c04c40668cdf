import type { ContainerSummary } from '../../api/types/container.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';

export interface ListContainersOptions {
  /** Stopped ones too. */
  all?: boolean;
  /** The newest only; 0: all. */
  limit?: number;
  size?: boolean;
  filters?: Filters;
}

/** Container summaries, the newest first. */
export function listContainers(client: Client, options: ListContainersOptions = {}): Promise<ContainerSummary[]> {
  const { all, limit, size, filters } = options;
  return client.json({
    method: 'GET',
    path: '/containers/json',
    query: {
      all: all || undefined,
      limit: limit || undefined,
      size: size || undefined,
      filters: encodeFilters(filters ?? noFilters),
    },
  });
}
