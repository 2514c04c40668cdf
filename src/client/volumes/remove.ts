import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Errors: `not-found`; `conflict` where a container uses it. */
export async function removeVolume(client: Client, name: string, options: { force?: boolean } = {}): Promise<void> {
  await client.send({
    method: 'DELETE',
    path: `/volumes/${pathName(name)}`,
    query: { force: options.force || undefined },
  });
}
