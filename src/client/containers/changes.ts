import type { FilesystemChange } from '../../api/types/container.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** What differs from the image; null: nothing. */
export function containerChanges(client: Client, id: string): Promise<FilesystemChange[] | null> {
  return client.json({ method: 'GET', path: `/containers/${pathName(id)}/changes` });
}
