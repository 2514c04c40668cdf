import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Lets frozen processes go on. Error: `conflict` where it is not paused. */
export async function unpauseContainer(client: Client, id: string): Promise<void> {
  await client.send({ method: 'POST', path: `/containers/${pathName(id)}/unpause` });
}
