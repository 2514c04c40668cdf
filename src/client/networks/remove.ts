import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Errors: `not-found`; `forbidden` for a predefined network or one in use. */
export async function removeNetwork(client: Client, name: string): Promise<void> {
  await client.send({ method: 'DELETE', path: `/networks/${pathName(name)}` });
}
