import type { ContainerTopResponse } from '../../api/types/container.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** @param psArguments for `ps`; empty: `-ef` */
export function topContainer(client: Client, id: string, psArguments = ''): Promise<ContainerTopResponse> {
  return client.json({ method: 'GET', path: `/containers/${pathName(id)}/top`, query: { ps_args: psArguments } });
}
