/** The network routes. */
import { BerthError } from '../../../api/errors.ts';
import { networkConnectRequest, networkCreateRequest, networkDisconnectRequest } from '../../../api/schemas/network.ts';
import type { Handler, Handlers } from '../../handler.ts';
import type { NetworkBackend, NetworkChanges } from './backend.ts';

const listFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const pruneFilters = ['label', 'label!', 'until'];

export function networkHandlers({ queries, changes }: NetworkBackend): Handlers {
  const list: Handler = async (request, reply) => {
    const networks = await queries.list(request.filters(listFilters));
    reply.json(
      200,
      // Since 1.28 who is connected is only told by inspect.
      networks.map((network) => (request.version < 28 ? network : { ...network, Containers: {} })),
    );
  };
  return {
    networkList: list,
    networkListSlash: list,
    async networkInspect(request, reply) {
      const network = await queries.inspect(request.parameter('id'));
      const scope = request.text('scope');
      if (scope !== '' && scope !== network.Scope)
        throw new BerthError('not-found', `network ${request.parameter('id')} not found`);
      reply.json(200, network);
    },
    ...(changes ? changeHandlers(changes) : {}),
  };
}

function changeHandlers(changes: NetworkChanges): Handlers {
  return {
    async networkCreate(request, reply) {
      const body = await request.json(networkCreateRequest);
      if (body.Name === '') throw new BerthError('invalid', 'invalid name: name is empty');
      if (request.version < 48) body.EnableIPv4 = null;
      reply.json(201, await changes.create(body));
    },
    async networkRemove(request, reply) {
      await changes.remove(request.parameter('id'));
      reply.empty(204);
    },
    async networkConnect(request, reply) {
      const body = await request.json(networkConnectRequest);
      // An endpoint had no address of its own before.
      await changes.connect(request.parameter('id'), body.Container, body.EndpointConfig);
      reply.empty(200);
    },
    async networkDisconnect(request, reply) {
      const body = await request.json(networkDisconnectRequest);
      await changes.disconnect(request.parameter('id'), body.Container, body.Force);
      reply.empty(200);
    },
    async networkPrune(request, reply) {
      reply.json(200, await changes.prune(request.filters(pruneFilters)));
    },
  };
}
