import type { Volume } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Containers that do not run keep the volume. Errors: `not-found`; `conflict` for a name that is taken, or while one runs with it. */
export function renameVolume(client: Client, name: string, to: string): Promise<Volume> {
  return client.json({ method: 'POST', path: `/berth/v1/volumes/${pathName(name)}/rename`, query: { to } });
}
