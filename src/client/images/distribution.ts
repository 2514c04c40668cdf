import type { DistributionInspect } from '../../api/types/image.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/**
 * Asks an image's registry about it; nothing is pulled.
 * @param registryAuth `X-Registry-Auth`: base64url JSON
 */
export function inspectDistribution(client: Client, image: string, registryAuth = ''): Promise<DistributionInspect> {
  const headers: Record<string, string> = registryAuth ? { 'X-Registry-Auth': registryAuth } : {};
  return client.json({ method: 'GET', path: `/distribution/${pathName(image)}/json`, headers });
}
