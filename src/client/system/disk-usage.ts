import type { DiskUsage } from '../../api/types/system.ts';
import type { Client } from '../client.ts';

/** How much room things take, in the shape of API versions up to 1.51 and the lists of later ones. */
export function diskUsage(client: Client): Promise<DiskUsage> {
  return client.json({ method: 'GET', path: '/system/df' });
}
