import type { Answer, Client } from '../client.ts';
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

/** The progress stream; read it with `readProgress`. */
export function pushImage(client: Client, options: PushOptions): Promise<Answer> {
  // The engine wants the header, empty credentials where there are none.
  const headers = { 'X-Registry-Auth': options.registryAuth || 'e30=' };
  const query = { tag: options.tag, platform: options.platform };
  return client.request({ method: 'POST', path: `/images/${pathName(options.image)}/push`, query, headers });
}
