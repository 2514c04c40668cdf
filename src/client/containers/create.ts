import type { ContainerConfig, ContainerCreateResponse, HostConfig } from '../../api/types/container.ts';
import type { EndpointSettings } from '../../api/types/network.ts';
import type { Client } from '../client.ts';

export interface CreateContainerOptions {
  /** Empty: the engine makes one. */
  name?: string;
  /** `os/arch[/variant]` */
  platform?: string;
  body: ContainerCreateBody;
}

/** What may be left out is left to the engine. */
export type ContainerCreateBody = Partial<ContainerConfig> & {
  Image: string;
  HostConfig?: Partial<HostConfig>;
  NetworkingConfig?: { EndpointsConfig: Record<string, Partial<EndpointSettings>> };
};

/** Errors: `not-found` without the image, `conflict` for a name in use. */
export function createContainer(client: Client, options: CreateContainerOptions): Promise<ContainerCreateResponse> {
  const { name, platform, body } = options;
  return client.json({ method: 'POST', path: '/containers/create', query: { name, platform }, json: body });
}
