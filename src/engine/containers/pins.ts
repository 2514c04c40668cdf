import type { Pin } from '../../supervisor/types.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { sharedMemoryPin, subpathPin } from './spec/mounts.ts';
import { isContainerMode } from './spec/namespaces.ts';

/**
 * What the shim must mount by itself: directories inside volumes, whose paths a container may be changing at this moment, and
 * the shared memory of the container whose IPC namespace is joined. Error: as `pidOfMode`.
 */
export function pinsOf(context: ContainerContext, container: Container): Pin[] {
  const { mounts, hostConfig } = container.record;
  const pins: Pin[] = mounts
    .filter((mount) => mount.type === 'volume' && mount.subpath !== '')
    .map((mount) => ({ name: subpathPin(mount), root: mount.source, path: mount.subpath, process: null }));
  if (isContainerMode(hostConfig.IpcMode))
    pins.push({
      name: sharedMemoryPin,
      root: '/',
      path: 'dev/shm',
      process: context.pidOfMode(hostConfig.IpcMode, 'IPC'),
    });
  return pins;
}
