import type { Volume } from '../../api/types/volume.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The engine's own text. Error: `not-found`. */
export function inspectVolumeText(client: Client, name: string): Promise<string> {
  return client.text({ method: 'GET', path: `/volumes/${pathName(name)}` });
}

/** The same, read. */
export function inspectVolume(client: Client, name: string): Promise<Volume> {
  return client.json({ method: 'GET', path: `/volumes/${pathName(name)}` });
}
