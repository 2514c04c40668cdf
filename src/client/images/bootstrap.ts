import type { Answer, Client } from '../client.ts';

/**
 * Makes a base image out of the host's Debian packages; only Berth has this. The progress stream.
 * @param name `busybox`, `debian` or `debian:<suite>`
 */
export function bootstrapImage(client: Client, name: string): Promise<Answer> {
  return client.request({ method: 'POST', path: '/berth/v1/images/bootstrap', query: { name } });
}
