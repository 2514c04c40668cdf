/** `POST /containers/create`. */
import { upgradeCreateRequest } from '../../../api/compat/container-create.ts';
import { BerthError } from '../../../api/errors.ts';
import { containerCreateRequest } from '../../../api/schemas/container.ts';
import { endpointSettings } from '../../../api/schemas/network.ts';
import type { EndpointSettings } from '../../../api/types/network.ts';
import type { Handler } from '../../handler.ts';
import type { ContainerLifecycle } from './backend.ts';

export function createHandler(lifecycle: ContainerLifecycle, options: { cgroup2: boolean }): Handler {
  return async (request, reply) => {
    const body = await request.jsonOrNull(containerCreateRequest, 'empty-is-error');
    if (!body) throw new BerthError('invalid', 'config cannot be empty in order to create a container');
    const platform = request.version >= 41 ? request.platform() : null;
    const { HostConfig: hostConfig, NetworkingConfig: networking, Runtime: runtime, ...config } = body;
    // docker-py puts it here, where dockerd does not look: whoever names a runtime means it.
    hostConfig.Runtime ||= runtime ?? '';
    const endpoints: Record<string, EndpointSettings> = {};
    for (const [name, endpoint] of Object.entries(networking?.EndpointsConfig ?? {}))
      endpoints[name] = endpoint ?? endpointSettings.zero();
    const create = { name: request.text('name').replace(/^\//, ''), platform, config, hostConfig, endpoints };
    const warnings = upgradeCreateRequest(create, request.version, options);
    const created = await lifecycle.create(create);
    reply.json(201, { ...created, Warnings: [...created.Warnings, ...warnings] });
  };
}
