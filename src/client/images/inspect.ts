import type { ImageInspect } from '../../api/types/image.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The engine's own text, every digit kept. Error: `not-found`. */
export function inspectImageText(client: Client, image: string, options: { platform?: string } = {}): Promise<string> {
  return client.text({ method: 'GET', path: `/images/${pathName(image)}/json`, query: { platform: options.platform } });
}

/** The same, read. */
export function inspectImage(
  client: Client,
  image: string,
  options: { platform?: string } = {},
): Promise<ImageInspect> {
  return client.json({ method: 'GET', path: `/images/${pathName(image)}/json`, query: { platform: options.platform } });
}
