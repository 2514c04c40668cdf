import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sourceOf } from '../archive/byte-source.ts';
import { packStream } from '../archive/pack-stream.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { type Compression, packedTypes } from '../oci/media-types.ts';
import type { ImageStoreInterface } from './types.ts';

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
  const packed = packStream(sourceOf(store.layerTar(layer.diffId)), layer.compression);
  await pipeline(packed, counting, createWriteStream(path, { mode: 0o600 }), { signal });
  return { mediaType: packedTypes[layer.compression], digest: `sha256:${hash.digest('hex')}`, size };
}
