import type { Volume, VolumeCreateRequest } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';

/** A volume of that name that is there already stays as it is. */
export function createVolume(client: Client, body: Partial<VolumeCreateRequest>): Promise<Volume> {
  return client.json({ method: 'POST', path: '/volumes/create', json: body });
}
