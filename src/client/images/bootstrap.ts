import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';

/**
 * Makes a base image out of the host's Debian packages; only Berth has this. The progress stream.
 * @param name `busybox`, `debian` or `debian:<suite>`
 */
export function bootstrapImage(client: Client, name: string): Promise<MessageStream<ProgressMessage>> {
  return client.request({ method: 'POST', path: '/berth/v1/images/bootstrap', query: { name } });
}
