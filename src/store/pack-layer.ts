import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { gzipBlocks } from '../archive/gzip-blocks.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { type Compression, mediaTypes } from '../oci/media-types.ts';
import type { ImageStoreInterface } from './types.ts';

const types: Record<Compression, string> = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/**
 * Writes a layer's tar to a file, packed; the same bytes each time. Gives the blob's descriptor, in Docker's media types where they have one. Errors:
 * `not-found` for a layer that the store has not, the system's, the signal's reason.
 */
export async function packLayer(
  store: Pick<ImageStoreInterface, 'layerTar'>,
  layer: { diffId: string; compression: Compression },
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<Descriptor> {
  const hash = createHash('sha256');
  let size = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const tar = store.layerTar(layer.diffId);
  const file = createWriteStream(path, { mode: 0o600 });
  if (layer.compression === 'gzip') await pipeline(tar, gzipBlocks, counting, file, { signal });
  else if (layer.compression === 'zstd') await pipeline(tar, createZstdCompress(), counting, file, { signal });
  else await pipeline(tar, counting, file, { signal });
  return { mediaType: types[layer.compression], digest: `sha256:${hash.digest('hex')}`, size };
}
