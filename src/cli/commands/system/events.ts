import type { EventMessage } from '../../../api/types/events.ts';
import { readMessages } from '../../../client/messages.ts';
import { engineEvents } from '../../../client/system/events.ts';
import { defineCommand } from '../../command.ts';
import { checkFilter, collectFilters } from '../../filters.ts';
import { parseMomentOption } from '../../moments.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    filter: {
      kind: 'list',
      short: 'f',
      value: 'filter',
      help: 'Only those that the condition (key=value) holds for',
      check: checkFilter,
    },
    format: { kind: 'string', help: `How to print: 'json', or a Go template` },
    since: { kind: 'string', help: 'From this time on, or from this long ago' },
    until: { kind: 'string', help: 'Up to this time' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const render = options.format === '' ? eventLine : await formatter(options.format);
    const answer = await engineEvents(cli.client, {
      since: parseMomentOption(options.since),
      until: parseMomentOption(options.until),
      filters: collectFilters(options.filter),
    });
    for await (const event of readMessages(answer)) await cli.out.write(render(event));
    return 0;
  },
});

async function formatter(format: string): Promise<(event: EventMessage) => string> {
  const { renderObject } = await import('../../render/object.ts');
  // Lower-case names are those of the wire; templates know the type's own names too.
  const named = (event: EventMessage): unknown =>
    format === 'json'
      ? { ...event, Actor: { ...event.Actor, Attributes: sorted(event.Actor.Attributes ?? {}) } }
      : {
          ...event,
          Scope: event.scope,
          Time: event.time,
          TimeNano: event.timeNano,
          Status: event.Action,
          ID: event.Actor.ID,
          From: event.Actor.Attributes['image'] ?? '',
        };
  return (event) => renderObject(named(event), format);
}

/** As Go writes maps. */
function sorted(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function eventLine(event: EventMessage): string {
  const attributes = Object.keys(event.Actor.Attributes ?? {})
    .sort()
    .map((key) => `${key}=${event.Actor.Attributes[key]}`);
  const details = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${timeText(BigInt(event.timeNano))} ${event.Type} ${event.Action} ${event.Actor.ID}${details}\n`;
}

/** RFC 3339 in local time with all nine digits of the nanoseconds. */
function timeText(nanoseconds: bigint): string {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  const minutes = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const zone =
    minutes === 0 ? 'Z' : `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return `${local}.${(nanoseconds % 1_000_000_000n).toString().padStart(9, '0')}${zone}`;
}
