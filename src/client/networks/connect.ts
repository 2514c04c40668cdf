import type { EndpointSettings } from '../../api/types/network.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Joins a container to a network. */
export async function connectNetwork(
  client: Client,
  network: string,
  body: { Container: string; EndpointConfig?: Partial<EndpointSettings> },
): Promise<void> {
  await client.send({ method: 'POST', path: `/networks/${pathName(network)}/connect`, json: body });
}
