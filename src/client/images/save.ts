import type { Answer, Client } from '../client.ts';

/** A docker-archive of the images, as a stream of bytes. */
export function saveImages(
  client: Client,
  names: readonly string[],
  options: { platform?: string } = {},
): Promise<Answer> {
  return client.request({ method: 'GET', path: '/images/get', query: { names, platform: options.platform } });
}
