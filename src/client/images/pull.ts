import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';

export interface PullOptions {
  /** Repository, with registry where it is not the default one. */
  image: string;
  /** Tag or digest; empty: every tag. */
  tag: string;
  platform?: string;
  /** `X-Registry-Auth`: base64url JSON. */
  registryAuth?: string;
}

/** The progress stream; read it with `finishWork` or `readMessages`. */
export function pullImage(client: Client, options: PullOptions): Promise<MessageStream<ProgressMessage>> {
  const headers: Record<string, string> = options.registryAuth ? { 'X-Registry-Auth': options.registryAuth } : {};
  const query = { fromImage: options.image, tag: options.tag, platform: options.platform };
  return client.request({ method: 'POST', path: '/images/create', query, headers });
}
