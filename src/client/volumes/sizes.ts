import type { VolumeSize } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';

/** What volumes take of the disk; all of them where no name is given. Error: `not-found`. */
export function volumeSizes(client: Client, names: readonly string[] = []): Promise<VolumeSize[]> {
  return client.json({ method: 'GET', path: '/berth/v1/volumes/sizes', query: { name: names } });
}
