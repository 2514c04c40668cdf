import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Tells of each network that the container joined or left; proxies watch for these. */
export function publishNetworks(
  context: ContainerContext,
  container: Container,
  action: 'connect' | 'disconnect',
): void {
  for (const [name, endpoint] of Object.entries(container.record.sandbox?.networks ?? {})) {
    const type = name === 'none' ? 'null' : name === 'host' ? 'host' : 'bridge';
    context.dependencies.events.publish('network', action, endpoint.NetworkID, { container: container.id, name, type });
  }
}
