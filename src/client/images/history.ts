import type { ImageHistoryEntry } from '../../api/types/image.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The newest step first. Error: `not-found`. */
export function imageHistory(
  client: Client,
  image: string,
  options: { platform?: string } = {},
): Promise<ImageHistoryEntry[]> {
  return client.json({
    method: 'GET',
    path: `/images/${pathName(image)}/history`,
    query: { platform: options.platform },
  });
}
