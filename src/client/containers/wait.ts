import type { ContainerWaitResponse } from '../../api/types/container.ts';
import type { Client } from '../client.ts';
import { readText } from '../http/read-all.ts';
import { pathName } from '../path.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface Waiting {
  /** Resolves at the exit. */
  result: Promise<ContainerWaitResponse>;
  /** Stops waiting. */
  close(): void;
}

/** Resolves once the engine watches: an exit from then on is not missed. */
export async function waitContainer(
  client: Client,
  id: string,
  options: { condition: WaitCondition },
): Promise<Waiting> {
  const answer = await client.request({
    method: 'POST',
    path: `/containers/${pathName(id)}/wait`,
    query: { condition: options.condition },
  });
  const read = async (): Promise<ContainerWaitResponse> => {
    const text = await readText(answer.body);
    answer.close();
    return JSON.parse(text) as ContainerWaitResponse;
  };
  const result = read();
  // An engine that goes away is told to whoever waits for the result, also when that is later.
  result.catch(() => undefined);
  return { result, close: () => answer.close() };
}
