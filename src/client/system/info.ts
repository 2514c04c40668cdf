import type { SystemInfo } from '../../api/types/system.ts';
import type { Client } from '../client.ts';

export function engineInfo(client: Client): Promise<SystemInfo> {
  return client.json({ method: 'GET', path: '/info' });
}
