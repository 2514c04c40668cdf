import type { Client } from '../client.ts';

/** Tells the command's terminal its size in characters. */
export async function resizeExec(client: Client, id: string, size: { columns: number; rows: number }): Promise<void> {
  await client.send({ method: 'POST', path: `/exec/${id}/resize`, query: { h: size.rows, w: size.columns } });
}
