import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

export interface StopOptions {
  /** Sent first; empty: the container's own. */
  signal?: string;
  /** Seconds until SIGKILL; −1: never; absent: the container's own. */
  timeout?: number;
}

/** Stops it; one that does not run stays as it is. */
export async function stopContainer(client: Client, id: string, options: StopOptions = {}): Promise<void> {
  await client.send({
    method: 'POST',
    path: `/containers/${pathName(id)}/stop`,
    query: { signal: options.signal, t: options.timeout },
  });
}
