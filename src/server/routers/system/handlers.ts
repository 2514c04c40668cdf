/** Ping, version, info, events, disk usage and credentials. */
import { shapeEvent } from '../../../api/compat/events.ts';
import { shapeDiskUsage, shapeInfo } from '../../../api/compat/system.ts';
import { BerthError } from '../../../api/errors.ts';
import { authConfig } from '../../../api/schemas/other.ts';
import type { EventMessage } from '../../../api/types/events.ts';
import type { DiskUsageType } from '../../../api/types/system.ts';
import { parseFilters } from '../../../wire/filters.ts';
import { stringifyJson } from '../../../wire/json.ts';
import type { Handler, Handlers } from '../../handler.ts';
import type { ApiRequest } from '../../request.ts';
import type { EventsBackend, SystemBackend } from './backend.ts';
import { eventFilter } from './event-filter.ts';

const diskUsageTypes: readonly string[] = ['container', 'image', 'volume', 'build-cache'] satisfies DiskUsageType[];

export function systemHandlers(
  system: SystemBackend,
  events: EventsBackend,
  options: { builderVersion: string },
): Handlers {
  const pingHeaders = {
    'Builder-Version': options.builderVersion,
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
  };
  return {
    ping: (_request, reply) => reply.http.send(200, pingHeaders, 'OK'),
    pingHead: (_request, reply) => reply.http.send(200, pingHeaders),
    async version(_request, reply) {
      reply.json(200, await system.version());
    },
    async info(request, reply) {
      reply.json(200, shapeInfo(await system.info(), request.version));
    },
    async diskUsage(request, reply) {
      const types = diskUsageTypesOf(request);
      const verbose = request.query.has('verbose') ? request.flag('verbose') : null;
      reply.json(200, shapeDiskUsage(await system.diskUsage(types), request.version, verbose));
    },
    async authenticate(request, reply) {
      reply.json(200, await system.authenticate(await request.json(authConfig)));
    },
    events: eventsHandler(events),
  };
}

function diskUsageTypesOf(request: ApiRequest): Set<DiskUsageType> {
  const asked = request.version >= 42 ? request.query.getAll('type') : [];
  for (const type of asked)
    if (!diskUsageTypes.includes(type)) throw new BerthError('invalid', `unknown object type: ${type}`);
  return new Set((asked.length === 0 ? diskUsageTypes : asked) as DiskUsageType[]);
}

/** A client that lags so many events behind is cut off: it cannot get them all any more. */
const maximumBacklog = 10_000;

function eventsHandler(events: EventsBackend): Handler {
  return async (request, reply) => {
    const since = request.moment('since');
    const until = request.moment('until');
    if (since !== null && until !== null && since > until)
      throw new BerthError(
        'invalid',
        `\`since\` time (${request.text('since')}) cannot be after \`until\` time (${request.text('until')})`,
      );
    const wanted = eventFilter(parseFilters(request.query.get('filters')));
    // Images made here are told of since 1.46.
    const matches = (event: EventMessage): boolean =>
      (request.version >= 46 || event.Type !== 'image' || event.Action !== 'create') && wanted(event);
    const type = eventStreamType(request);
    const { signal } = request;
    const queue: EventMessage[] = [];
    let wake: (() => void) | null = null;
    let over = signal.aborted;
    const awaken = (): void => {
      wake?.();
      wake = null;
    };
    const { past, stop } = events.subscribe((event) => {
      if (!matches(event)) return;
      queue.push(event);
      if (queue.length > maximumBacklog) over = true;
      awaken();
    });
    const end = (): void => {
      over = true;
      awaken();
    };
    signal.addEventListener('abort', end);
    const timer = until === null ? null : endAt(until, end);
    reply.http.start(200, { 'Content-Type': type });
    try {
      const replayed = since !== null || until !== null ? past.filter(matches) : [];
      queue.unshift(...replayed.filter((event) => inside(event, since, until)));
      while (true) {
        const batch = queue.splice(0, 100);
        for (const event of batch)
          if (!reply.http.write(eventLine(event, request.version, type))) await reply.http.drained();
        if (reply.http.closed) break;
        if (queue.length > 0 && queue.length <= maximumBacklog) continue;
        if (over) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      stop();
      timer?.();
      signal.removeEventListener('abort', end);
    }
    reply.http.end();
  };
}

const sequenceType = 'application/json-seq';
const linesType = 'application/x-ndjson';

/** Since 1.52 a client may ask for the true names of what is sent; all others hear the old one. */
function eventStreamType(request: ApiRequest): string {
  const accepted = request.version < 52 ? '' : (request.http.headers.get('accept') ?? '');
  const offers = accepted.split(',').map((offer) => (offer.split(';')[0] as string).trim().toLowerCase());
  return offers.find((offer) => offer === sequenceType || offer === linesType) ?? 'application/json';
}

/** One event; a sequence (RFC 7464) has a record separator before each. */
function eventLine(event: EventMessage, version: number, type: string): string {
  return `${type === sequenceType ? '\x1e' : ''}${stringifyJson(shapeEvent(event, version))}\n`;
}

function inside(event: EventMessage, since: bigint | null, until: bigint | null): boolean {
  return (since === null || event.timeNano >= since) && (until === null || event.timeNano <= until);
}

/** @returns how to forget it */
function endAt(until: bigint, end: () => void): () => void {
  const remaining = Number(until / 1_000_000n) - Date.now();
  if (remaining <= 0) {
    end();
    return () => {};
  }
  // Timers hold 31 bits; what lies further than three weeks ahead is not waited for in one go.
  const timer = setTimeout(() => (remaining > 2 ** 31 - 1 ? undefined : end()), Math.min(remaining, 2 ** 31 - 1));
  return () => clearTimeout(timer);
}
