import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Tells of each volume that a container begins or ceases to use. */
export function publishVolumes(context: ContainerContext, container: Container, action: 'mount' | 'unmount'): void {
  for (const mount of container.record.mounts) {
    if (mount.type !== 'volume') continue;
    const attributes: Record<string, string> = { container: container.id, driver: mount.driver };
    if (action === 'mount') {
      attributes['destination'] = mount.destination;
      attributes['propagation'] = mount.propagation;
      attributes['read/write'] = String(mount.writable);
    }
    context.dependencies.events.publish('volume', action, mount.name, attributes);
  }
}
