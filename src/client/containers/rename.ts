import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Error: `conflict` for a name in use. */
export async function renameContainer(client: Client, id: string, name: string): Promise<void> {
  await client.send({ method: 'POST', path: `/containers/${pathName(id)}/rename`, query: { name } });
}
