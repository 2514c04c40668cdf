import type { EventMessage } from '../../api/types/events.ts';
import { encodeFilters, type Filters, noFilters } from '../../wire/filters.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';

export interface EventsOptions {
  /** Unix seconds with fraction, as text; the past is replayed from there. */
  since?: string;
  /** The stream ends there. */
  until?: string;
  filters?: Filters;
}

/** The stream of events; read it with `readMessages`. */
export function engineEvents(client: Client, options: EventsOptions = {}): Promise<MessageStream<EventMessage>> {
  const { since, until, filters } = options;
  return client.request({
    method: 'GET',
    path: '/events',
    query: { since, until, filters: encodeFilters(filters ?? noFilters) },
  });
}
