/** The volume routes. */

import { BerthError } from '../../../api/errors.ts';
import { volumeCreateRequest } from '../../../api/schemas/other.ts';
import type { Filters } from '../../../wire/filters.ts';
import type { Handlers } from '../../handler.ts';
import type { ApiRequest } from '../../request.ts';
import type { VolumeBackend } from './backend.ts';

const listFilters = ['dangling', 'driver', 'label', 'name'];
const pruneFilters = ['all', 'label', 'label!'];

export function volumeHandlers(backend: VolumeBackend): Handlers {
  return {
    async volumeList(request, reply) {
      reply.json(200, await backend.list(listFiltersOf(request)));
    },
    async volumeInspect(request, reply) {
      reply.json(200, await backend.inspect(request.parameter('name')));
    },
    async volumeCreate(request, reply) {
      const body = await request.json(volumeCreateRequest);
      reply.json(201, await backend.create(body));
    },
    async volumeRemove(request, reply) {
      await backend.remove(request.parameter('name'), request.flag('force'));
      reply.empty(204);
    },
    async volumePrune(request, reply) {
      let filters = request.filters(pruneFilters);
      // Before 1.42 named volumes went too.
      if (request.version < 42) filters = new Map([...filters, ['all', ['true']]]);
      reply.json(200, await backend.prune(filters));
    },
    async berthVolumeSizes(request, reply) {
      reply.json(200, await backend.sizes(request.query.getAll('name')));
    },
    async berthVolumeRename(request, reply) {
      reply.json(200, await backend.rename(request.parameter('name'), targetOf(request)));
    },
    async berthVolumeClone(request, reply) {
      reply.json(201, await backend.copies.clone(request.parameter('name'), targetOf(request), request.signal));
    },
    async berthVolumeExport(request, reply) {
      const content = await backend.copies.export(request.parameter('name'));
      reply.http.start(200, { 'Content-Type': 'application/x-tar' });
      await reply.http.pipe(content);
    },
    async berthVolumeImport(request, reply) {
      reply.json(201, await backend.copies.import(request.parameter('name'), request.http.stream()));
    },
  };
}

/** The new name. Error: `invalid` where there is none. */
function targetOf(request: ApiRequest): string {
  const to = request.text('to');
  if (to === '') throw new BerthError('invalid', 'bad parameter: to cannot be empty');
  return to;
}

/** Error: `invalid`, with dockerd's words before those of other lists where the text is no filter at all. */
function listFiltersOf(request: ApiRequest): Filters {
  try {
    return request.filters(listFilters);
  } catch (cause) {
    if (cause instanceof BerthError && cause.message === 'invalid filter')
      throw new BerthError('invalid', `error reading volume filters: ${cause.message}`, { cause });
    throw cause;
  }
}
