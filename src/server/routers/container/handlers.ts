/** The container routes, except streams and files. */
import { shapeContainerInspect, shapeContainerSummary, shapeStats } from '../../../api/compat/container.ts';
import { BerthError, errorMessage } from '../../../api/errors.ts';
import { containerUpdateRequest } from '../../../api/schemas/container.ts';
import type { ContainerStopOptions, WaitCondition } from '../../../api/types/container-requests.ts';
import type { Filters } from '../../../wire/filters.ts';
import type { Handlers } from '../../handler.ts';
import type { ApiRequest } from '../../request.ts';
import { archiveHandlers } from './archive-handlers.ts';
import type { ContainerBackend } from './backend.ts';
import { createHandler } from './create-handler.ts';
import { streamHandlers } from './stream-handlers.ts';

const listFilters = [
  ...['ancestor', 'before', 'exited', 'expose', 'health', 'id', 'is-task', 'isolation', 'label', 'name', 'network'],
  ...['publish', 'since', 'status', 'volume'],
];
const pruneFilters = ['label', 'label!', 'until'];
const waitConditions = new Set<string>(['not-running', 'next-exit', 'removed']);

export function containerHandlers(backend: ContainerBackend, options: { cgroup2: boolean }): Handlers {
  return {
    containerCreate: createHandler(backend.lifecycle, options),
    ...lifecycleHandlers(backend),
    ...stateHandlers(backend),
    ...queryHandlers(backend),
    ...streamHandlers(backend),
    ...archiveHandlers(backend.archive),
  };
}

function stopOptions(request: ApiRequest): ContainerStopOptions {
  return { signal: request.version >= 42 ? request.text('signal') : '', timeout: request.integer('t') };
}

function lifecycleHandlers({ lifecycle }: ContainerBackend): Handlers {
  return {
    async containerStart(request, reply) {
      // Up to seven bytes are an empty JSON value of some old client.
      const { framing } = request.http;
      if (framing.kind === 'chunked' || (framing.kind === 'length' && framing.length > 7))
        throw new BerthError(
          'invalid',
          'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
        );
      if (request.text('checkpoint') !== '')
        throw new BerthError('not-implemented', 'checkpoints are not supported by this engine');
      await lifecycle.start(request.parameter('id'));
      reply.empty(204);
    },
    async containerStop(request, reply) {
      await lifecycle.stop(request.parameter('id'), stopOptions(request));
      reply.empty(204);
    },
    async containerRestart(request, reply) {
      await lifecycle.restart(request.parameter('id'), stopOptions(request));
      reply.empty(204);
    },
    async containerKill(request, reply) {
      const id = request.parameter('id');
      try {
        await lifecycle.kill(id, request.text('signal'));
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        throw new BerthError(error.kind, `cannot kill container: ${id}: ${error.message}`, { cause: error });
      }
      reply.empty(204);
    },
    async containerPause(request, reply) {
      await lifecycle.pause(request.parameter('id'));
      reply.empty(204);
    },
    async containerUnpause(request, reply) {
      await lifecycle.unpause(request.parameter('id'));
      reply.empty(204);
    },
    async containerRemove(request, reply) {
      await lifecycle.remove(request.parameter('id'), {
        force: request.flag('force'),
        removeVolumes: request.flag('v'),
        removeLink: request.flag('link'),
      });
      reply.empty(204);
    },
  };
}

function stateHandlers({ state }: ContainerBackend): Handlers {
  return {
    async containerRename(request, reply) {
      const name = request.text('name').replace(/^\//, '');
      if (name === '') throw new BerthError('invalid', 'Neither old nor new names may be empty');
      await state.rename(request.parameter('id'), name);
      reply.empty(204);
    },
    async containerUpdate(request, reply) {
      const update = await request.json(containerUpdateRequest);
      if (request.version < 40) update.PidsLimit = null;
      // 0, −1 and (historically) every negative number are no limit.
      if (update.PidsLimit !== null && update.PidsLimit <= 0) update.PidsLimit = 0;
      reply.json(200, await state.update(request.parameter('id'), update));
    },
    async containerResize(request, reply) {
      const size = request.size();
      await state.resize(request.parameter('id'), size);
      reply.empty(200);
    },
    async containerWait(request, reply) {
      // Before 1.30 there was one condition, and the head came with the result.
      const early = request.version >= 30;
      const condition = (early && request.text('condition')) || 'not-running';
      if (!waitConditions.has(condition))
        throw new BerthError('invalid', `invalid condition: ${JSON.stringify(condition)}`);
      const { signal } = request;
      const { exit } = await state.wait(request.parameter('id'), condition as WaitCondition, signal);
      // The subscription stands; now the client may start the container.
      if (early) reply.startJsonStream();
      try {
        const result = await exit;
        if (!early) reply.json(200, result);
        else await reply.jsonLine(result);
      } catch (error) {
        if (signal.aborted || !early) throw error;
        await reply.jsonLine({ StatusCode: -1, Error: { Message: errorMessage(error) } });
      }
      reply.http.end();
    },
    async containerPrune(request, reply) {
      reply.json(200, await state.prune(request.filters(pruneFilters)));
    },
  };
}

function queryHandlers({ queries }: ContainerBackend): Handlers {
  return {
    async containerList(request, reply) {
      const list = await queries.list({
        all: request.flag('all'),
        limit: Math.max(0, request.integer('limit') ?? 0),
        size: request.flag('size'),
        filters: withNeighbours(request),
      });
      reply.json(
        200,
        list.map((summary) => shapeContainerSummary(summary, request.version)),
      );
    },
    async containerInspect(request, reply) {
      const inspect = await queries.inspect(request.parameter('id'), { size: request.flag('size') });
      reply.json(200, shapeContainerInspect(inspect, request.version));
    },
    async containerTop(request, reply) {
      reply.json(200, await queries.top(request.parameter('id'), request.text('ps_args')));
    },
    async containerChanges(request, reply) {
      const changes = await queries.changes(request.parameter('id'));
      reply.json(200, changes.length === 0 ? null : changes);
    },
    async containerStats(request, reply) {
      const stream = request.flag('stream', true);
      const oneShot = request.version >= 41 && request.flag('one-shot');
      const { signal } = request;
      const readings = await queries.stats(request.parameter('id'), { stream, oneShot }, signal);
      if (stream) reply.startJsonStream();
      for await (const reading of readings) {
        if (!stream) {
          reply.json(200, shapeStats(reading, request.version));
          return;
        }
        if (signal.aborted || reply.http.closed) break;
        await reply.jsonLine(shapeStats(reading, request.version));
      }
      if (!reply.http.started) reply.startJsonStream();
      reply.http.end();
    },
  };
}

/** The filters of a list, with the `since` and `before` parameters of old clients among them. */
function withNeighbours(request: ApiRequest): Filters {
  const filters = request.filters(listFilters);
  const extra = ['since', 'before'].filter((key) => request.text(key) !== '');
  if (extra.length === 0) return filters;
  return new Map([...filters, ...extra.map((key) => [key, [request.text(key)]] as const)]);
}
