import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Starts it; one that runs already stays as it is. */
export async function startContainer(client: Client, id: string, options: { detachKeys?: string } = {}): Promise<void> {
  await client.send({
    method: 'POST',
    path: `/containers/${pathName(id)}/start`,
    query: { detachKeys: options.detachKeys },
  });
}
