import type { ContainerInspect } from '../../api/types/container.ts';
import type { Client } from '../client.ts';
import { pathName } from '../path.ts';

/** Errors: `not-found`, `conflict` for an ambiguous prefix. */
export function inspectContainer(client: Client, id: string): Promise<ContainerInspect> {
  return client.json({ method: 'GET', path: `/containers/${pathName(id)}/json` });
}

/** The same as the engine's own text, every digit kept. */
export function inspectContainerText(client: Client, id: string, options: { size?: boolean } = {}): Promise<string> {
  return client.text({
    method: 'GET',
    path: `/containers/${pathName(id)}/json`,
    query: { size: options.size || undefined },
  });
}
