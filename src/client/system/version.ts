import type { VersionInfo } from '../../api/types/system.ts';
import type { Client } from '../client.ts';

export function engineVersion(client: Client): Promise<VersionInfo> {
  return client.json({ method: 'GET', path: '/version' });
}
