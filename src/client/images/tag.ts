import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Gives an image one more name. Error: `not-found`. */
export async function tagImage(
  client: Client,
  image: string,
  name: { repository: string; tag: string },
): Promise<void> {
  await client.send({
    method: 'POST',
    path: `/images/${pathName(image)}/tag`,
    query: { repo: name.repository, tag: name.tag },
  });
}
