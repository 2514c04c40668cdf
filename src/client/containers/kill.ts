import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Sends a signal, SIGKILL where none is named. Error: `conflict` where it does not run. */
export async function killContainer(client: Client, id: string, options: { signal?: string } = {}): Promise<void> {
  await client.send({ method: 'POST', path: `/containers/${pathName(id)}/kill`, query: { signal: options.signal } });
}
