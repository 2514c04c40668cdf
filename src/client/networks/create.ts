import type { NetworkCreateRequest, NetworkCreateResponse } from '../../api/types/network.ts';
import type { Client } from '../client.ts';

/** Error: `conflict` for a name in use. */
export function createNetwork(
  client: Client,
  body: Partial<NetworkCreateRequest> & { Name: string },
): Promise<NetworkCreateResponse> {
  return client.json({ method: 'POST', path: '/networks/create', json: body });
}
