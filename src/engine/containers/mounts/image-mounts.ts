import { posix } from 'node:path';
import { BerthError } from '../../../api/errors.ts';
import type { RuntimeMount } from '../../../oci/runtime-spec.ts';
import type { Container } from '../container.ts';
import type { ContainerContext } from '../context.ts';

/**
 * Images that a container sees as directories, by destination. The runtime mounts them read-only out of their layers, so that nothing of
 * them is on the host. Errors: `not-found` for an image or a directory in it that is not there.
 */
export async function imageMounts(context: ContainerContext, container: Container): Promise<Map<string, RuntimeMount>> {
  const mounts = new Map<string, RuntimeMount>();
  const { images, files } = context.dependencies;
  for (const mount of container.record.mounts) {
    if (mount.type !== 'image') continue;
    const image = images.resolve(mount.source);
    const lower = [await files.initLayer(image.id, image.lower), ...image.lower];
    const parts = await files.mergedDirectory(lower, mount.subpath);
    if (parts === null)
      throw new BerthError(
        'not-found',
        `cannot access path ${posix.join('/', mount.subpath)} of image ${mount.name}: no such directory`,
      );
    mounts.set(mount.destination, {
      destination: mount.destination,
      type: 'overlay',
      source: 'overlay',
      options: ['ro', `lowerdir=${parts.map(escaped).join(':')}`],
    });
  }
  return mounts;
}

/** What overlayfs would take for a separator. */
function escaped(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}
