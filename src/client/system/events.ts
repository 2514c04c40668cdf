import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Answer, Client } from '../client.ts';

export interface EventsOptions {
  /** Unix seconds with fraction, as text; the past is replayed from there. */
  since?: string;
  /** The stream ends there. */
  until?: string;
  filters?: Filters;
}

/** The stream of events; read it with `readJsonStream<EventMessage>`. */
export function engineEvents(client: Client, options: EventsOptions = {}): Promise<Answer> {
  const { since, until, filters } = options;
  return client.request({
    method: 'GET',
    path: '/events',
    query: { since, until, filters: encodeFilters(filters ?? noFilters) },
  });
}
