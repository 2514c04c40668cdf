/** One-layer images from a directory tree: built-in ones and those made from the host's packages. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../oci/digest.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { ImageStoreInterface, Lease } from '../../store/types.ts';

export interface ImageFromTreeOptions {
  /** Fills the empty directory that becomes the image's root. */
  fill: (directory: string, lease: Lease) => Promise<void>;
  /** Canonical names for the image. */
  references: string[];
  config: ContainerDefaults;
  /** Date (RFC 3339) and the history's one line; asked for when the tree is filled. */
  history: () => { created: string; createdBy: string };
  signal?: AbortSignal;
}

/** Makes the image; gives its id. What fails half way leaves nothing. */
export async function imageFromTree(
  store: Pick<ImageStoreInterface, 'lease' | 'ingestLayer' | 'commitImage'>,
  options: ImageFromTreeOptions,
): Promise<string> {
  const lease = await store.lease('image from tree');
  try {
    const tree = join(lease.directory, 'tree');
    await mkdir(tree, { mode: 0o755 });
    await options.fill(tree, lease);
    options.signal?.throwIfAborted();
    const layer = await store.ingestLayer({
      source: { kind: 'tree', path: tree },
      lease,
      digest: null,
      size: null,
      diffId: null,
      signal: options.signal,
    });
    const { architecture, os } = hostPlatform();
    const { created, createdBy } = options.history();
    const config = new TextEncoder().encode(
      JSON.stringify({
        architecture,
        os,
        created,
        config: options.config,
        rootfs: { type: 'layers', diff_ids: [layer.diffId] },
        history: [{ created, created_by: createdBy }],
      }),
    );
    lease.hold(sha256(config));
    const image = await store.commitImage({ config, references: options.references, lease });
    return image.id;
  } finally {
    await lease.release();
  }
}
