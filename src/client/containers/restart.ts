import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

import type { StopOptions } from './stop.ts';

/** Stops it where it runs, and starts it. */
export async function restartContainer(client: Client, id: string, options: StopOptions = {}): Promise<void> {
  await client.send({
    method: 'POST',
    path: `/containers/${pathName(id)}/restart`,
    query: { signal: options.signal, t: options.timeout },
  });
}
