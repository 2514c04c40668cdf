import type { ContainerStats } from '../../api/types/stats.ts';
import type { Client } from '../client.ts';
import type { MessageStream } from '../messages.ts';
import { pathName } from '../path.ts';

/** Readings, one a second, or one alone; read them with `readMessages`. */
export function containerStats(
  client: Client,
  id: string,
  options: { stream: boolean },
): Promise<MessageStream<ContainerStats>> {
  return client.request({
    method: 'GET',
    path: `/containers/${pathName(id)}/stats`,
    query: { stream: options.stream },
  });
}
