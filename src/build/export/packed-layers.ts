/** Layers as a manifest names them: packed, and kept so that what was named can be given away as it is. */
import { join } from 'node:path';
import { magicLength, packedAs } from '../../archive/compression.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { packLayer } from '../../store/pack-layer.ts';
import type { Lease } from '../../store/types.ts';
import { readStart } from '../session/read-file.ts';

export interface PackingWork {
  store: ImageStore;
  lease: Lease;
  signal: AbortSignal;
}

const packedTypes = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd };

/** Descriptors of layers by diff id. What is packed anew is written down with the next image that has the layer. */
export async function packLayers(diffIds: Iterable<string>, work: PackingWork): Promise<Map<string, Descriptor>> {
  const descriptors = new Map<string, Descriptor>();
  for (const diffId of new Set(diffIds)) descriptors.set(diffId, await descriptorOf(diffId, work));
  return descriptors;
}

async function descriptorOf(diffId: string, { store, lease, signal }: PackingWork): Promise<Descriptor> {
  const kept = store.layers.packed(diffId);
  if (kept) {
    const packing = packedAs(await readStart(kept.path, magicLength));
    if (packing === 'gzip' || packing === 'zstd')
      return { mediaType: packedTypes[packing], digest: kept.digest, size: kept.size };
  }
  signal.throwIfAborted();
  const file = join(lease.directory, `packed-${crypto.randomUUID()}`);
  const { digest, size } = await packLayer(store, { diffId, compression: 'gzip' }, { path: file, signal });
  await store.keepPacked(diffId, { digest, size, packing: 'gzip', file });
  return { mediaType: mediaTypes.ociLayerGzip, digest, size };
}
