import type { ManifestPush, ManifestPushed, RemoteManifest } from '../../api/types/manifest.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

interface RegistryOptions {
  /** `X-Registry-Auth`: base64url JSON. */
  registryAuth?: string;
}

function headersOf({ registryAuth }: RegistryOptions): Record<string, string> | undefined {
  return registryAuth ? { 'X-Registry-Auth': registryAuth } : undefined;
}

/** A manifest or an index as its registry has it; only Berth's engine knows this. */
export function inspectManifest(client: Client, name: string, options: RegistryOptions = {}): Promise<RemoteManifest> {
  const path = `/berth/v1/manifests/${pathName(name)}`;
  return client.json({ method: 'GET', path, headers: headersOf(options) });
}

/** Stores an index at a registry. */
export function pushManifest(
  client: Client,
  name: string,
  body: ManifestPush,
  options: RegistryOptions = {},
): Promise<ManifestPushed> {
  const path = `/berth/v1/manifests/${pathName(name)}`;
  return client.json({ method: 'PUT', path, json: body, headers: headersOf(options) });
}
