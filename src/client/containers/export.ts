import type { Answer, Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The container's whole file system as a tar. */
export function exportContainer(client: Client, id: string): Promise<Answer> {
  return client.request({ method: 'GET', path: `/containers/${pathName(id)}/export` });
}
