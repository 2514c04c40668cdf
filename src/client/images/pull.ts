import type { Answer, Client } from '../client.ts';

export interface PullOptions {
  /** Repository, with registry where it is not the default one. */
  image: string;
  /** Tag or digest; empty: every tag. */
  tag: string;
  platform?: string;
  /** `X-Registry-Auth`: base64url JSON. */
  registryAuth?: string;
}

/** The progress stream; read it with `readProgress`. */
export function pullImage(client: Client, options: PullOptions): Promise<Answer> {
  const headers: Record<string, string> = options.registryAuth ? { 'X-Registry-Auth': options.registryAuth } : {};
  const query = { fromImage: options.image, tag: options.tag, platform: options.platform };
  return client.request({ method: 'POST', path: '/images/create', query, headers });
}
