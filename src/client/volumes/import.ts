import type { Volume } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** A volume out of a tar, packed or not. Errors: `invalid` for a bad archive; `conflict` for a volume that is not empty. */
export function importVolume(client: Client, name: string, archive: AsyncIterable<Uint8Array>): Promise<Volume> {
  return client.json({ method: 'POST', path: `/berth/v1/volumes/${pathName(name)}/import`, upload: archive });
}
