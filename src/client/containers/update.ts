import type { ContainerUpdateRequest, ContainerUpdateResponse } from '../../api/types/container.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Changes limits and restart policy; what is absent stays as it is. */
export function updateContainer(
  client: Client,
  id: string,
  body: Partial<ContainerUpdateRequest>,
): Promise<ContainerUpdateResponse> {
  return client.json({ method: 'POST', path: `/containers/${pathName(id)}/update`, json: body });
}
