/** Managed plugins: there are none, and lists say so. */
import { BerthError } from '../../../api/errors.ts';
import type { Handlers } from '../../handler.ts';

export function pluginHandlers(): Handlers {
  return {
    pluginList(_request, reply) {
      reply.json(200, []);
    },
    pluginInspect(request) {
      throw new BerthError('not-found', `plugin ${JSON.stringify(request.parameter('name'))} not found`);
    },
  };
}
