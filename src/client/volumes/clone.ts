import type { Volume } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** A new volume with the same contents. Errors: `not-found`; `conflict` for a name that is taken. */
export function cloneVolume(client: Client, name: string, to: string): Promise<Volume> {
  return client.json({ method: 'POST', path: `/berth/v1/volumes/${pathName(name)}/clone`, query: { to } });
}
