/** Which events a client wants; filters that Docker does not know are ignored here, as dockerd ignores them. */
import type { EventMessage } from '../../../api/types/events.ts';
import { type Filters, matchesExactly, matchesLabels } from '../../../wire/filters.ts';

/** Filters that name an object: its id or name, or the beginning of one. */
const objectFilters = ['container', 'plugin', 'volume', 'network', 'node', 'service', 'secret', 'config'];

/** Actions with a detail after a colon; a filter without one takes them all. */
const detailedActions = new Set(['health_status', 'exec_create', 'exec_start']);

export function eventFilter(filters: Filters): (event: EventMessage) => boolean {
  if (filters.size === 0) return () => true;
  return (event) =>
    matchesAction(filters, event.Action) &&
    matchesExactly(filters, 'type', event.Type) &&
    matchesExactly(filters, 'scope', event.scope) &&
    matchesDaemon(filters, event) &&
    objectFilters.every((type) => matchesObject(filters, type, event)) &&
    matchesImage(filters, event) &&
    matchesLabels(filters, event.Actor.Attributes);
}

function matchesAction(filters: Filters, action: string): boolean {
  const wanted = filters.get('event');
  if (!wanted || wanted.length === 0) return true;
  if (wanted.some((name) => detailedActions.has(name))) return wanted.some((name) => action.startsWith(name));
  return wanted.includes(action);
}

function startsAny(filters: Filters, key: string, value: string | undefined): boolean {
  const wanted = filters.get(key);
  if (!wanted || wanted.length === 0) return true;
  return value !== undefined && wanted.some((start) => value.startsWith(start));
}

function matchesObject(filters: Filters, type: string, { Actor: actor }: EventMessage): boolean {
  return startsAny(filters, type, actor.ID) || startsAny(filters, type, actor.Attributes['name']);
}

function matchesDaemon(filters: Filters, event: EventMessage): boolean {
  if (!filters.get('daemon')?.length) return true;
  return event.Type === 'daemon' && matchesObject(filters, 'daemon', event);
}

function matchesImage(filters: Filters, { Type: type, Actor: actor }: EventMessage): boolean {
  if (!filters.get('image')?.length) return true;
  const name = actor.Attributes[type === 'container' ? 'image' : 'name'];
  return [actor.ID, name].some(
    (value) =>
      value !== undefined &&
      (matchesExactly(filters, 'image', value) || matchesExactly(filters, 'image', withoutTag(value))),
  );
}

function withoutTag(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
