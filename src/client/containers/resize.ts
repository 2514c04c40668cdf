import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Tells the container's terminal its size in characters. */
export async function resizeContainer(
  client: Client,
  id: string,
  size: { columns: number; rows: number },
): Promise<void> {
  const query = { h: size.rows, w: size.columns };
  await client.send({ method: 'POST', path: `/containers/${pathName(id)}/resize`, query });
}
