/** Shapes events for the API version that a client asked for. */
import type { EventMessage } from '../types/events.ts';

/** Before 1.52 container and image events carried their main facts twice. */
export function shapeEvent(event: EventMessage, version: number): unknown {
  if (version >= 52 || (event.Type !== 'container' && event.Type !== 'image')) return event;
  const from = event.Type === 'container' ? event.Actor.Attributes['image'] : undefined;
  return { status: event.Action, id: event.Actor.ID, ...(from ? { from } : {}), ...event };
}
