import type { ImageDeleteItem } from '../../api/types/image.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** What was untagged and deleted. Errors: `not-found`; `conflict` where a container uses it. */
export function removeImage(
  client: Client,
  image: string,
  options: { force?: boolean; noPrune?: boolean; platforms?: readonly string[] } = {},
): Promise<ImageDeleteItem[]> {
  const query = {
    force: options.force || undefined,
    noprune: options.noPrune || undefined,
    platforms: options.platforms,
  };
  return client.json({ method: 'DELETE', path: `/images/${pathName(image)}`, query });
}
