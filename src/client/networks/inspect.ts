import type { NetworkInspect } from '../../api/types/network.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** The engine's own text, every digit kept. Error: `not-found`. */
export function inspectNetworkText(
  client: Client,
  network: string,
  options: { verbose?: boolean } = {},
): Promise<string> {
  return client.text({
    method: 'GET',
    path: `/networks/${pathName(network)}`,
    query: { verbose: options.verbose || undefined },
  });
}

/** The same, read. */
export function inspectNetwork(client: Client, network: string): Promise<NetworkInspect> {
  return client.json({ method: 'GET', path: `/networks/${pathName(network)}` });
}
