import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';
import { pathName } from '../path.ts';

export interface PushOptions {
  /** Repository, with registry where it is not the default one. */
  image: string;
  /** Empty: every tag. */
  tag: string;
  platform?: string;
  /** `X-Registry-Auth`: base64url JSON. */
  registryAuth?: string;
}

/** The progress stream; read it with `finishWork` or `readMessages`. */
export function pushImage(client: Client, options: PushOptions): Promise<MessageStream<ProgressMessage>> {
  // The engine wants the header, empty credentials where there are none.
  const headers = { 'X-Registry-Auth': options.registryAuth || 'e30=' };
  const query = { tag: options.tag, platform: options.platform };
  return client.request({ method: 'POST', path: `/images/${pathName(options.image)}/push`, query, headers });
}
