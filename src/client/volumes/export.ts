import type { Answer, Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The volume's contents as a tar. Error: `not-found`. */
export function exportVolume(client: Client, name: string): Promise<Answer> {
  return client.request({ method: 'GET', path: `/berth/v1/volumes/${pathName(name)}/export` });
}
