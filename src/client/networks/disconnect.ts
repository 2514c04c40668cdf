import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

export async function disconnectNetwork(
  client: Client,
  network: string,
  body: { Container: string; Force?: boolean },
): Promise<void> {
  await client.send({ method: 'POST', path: `/networks/${pathName(network)}/disconnect`, json: body });
}
