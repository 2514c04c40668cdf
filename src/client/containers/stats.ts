import type { Answer, Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Readings, one a second, or one alone. Read them with `readJsonStream<ContainerStats>`. */
export function containerStats(client: Client, id: string, options: { stream: boolean }): Promise<Answer> {
  return client.request({
    method: 'GET',
    path: `/containers/${pathName(id)}/stats`,
    query: { stream: options.stream },
  });
}
