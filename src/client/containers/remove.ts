import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

export interface RemoveContainerOptions {
  /** Kill it first. */
  force?: boolean;
  /** Its anonymous volumes too. */
  volumes?: boolean;
  /** Remove a link instead of the container. */
  link?: boolean;
}

/** Errors: `not-found`; `conflict` where it runs. */
export async function removeContainer(client: Client, id: string, options: RemoveContainerOptions = {}): Promise<void> {
  const query = { v: options.volumes || undefined, link: options.link || undefined, force: options.force || undefined };
  await client.send({ method: 'DELETE', path: `/containers/${pathName(id)}`, query });
}
