import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Freezes all processes. Error: `conflict` where it does not run. */
export async function pauseContainer(client: Client, id: string): Promise<void> {
  await client.send({ method: 'POST', path: `/containers/${pathName(id)}/pause` });
}
