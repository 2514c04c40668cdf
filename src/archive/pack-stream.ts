import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { Compression } from '../oci/media-types.ts';
import { type ByteSource, chunksOf } from './byte-source.ts';
import { gzipBlocks } from './gzip-blocks.ts';

/** A layer's tar, packed; the same bytes each time. Whoever stops reading closes the source. */
export async function* packStream(tar: ByteSource, compression: Compression): AsyncGenerator<Uint8Array> {
  if (compression === 'gzip') {
    yield* gzipBlocks(tar);
  } else if (compression === 'zstd') {
    const packing = createZstdCompress({ chunkSize: 256 * 1024 });
    // Its error is the reader's.
    pipeline(Readable.from(chunksOf(tar), { objectMode: false }), packing).catch(() => undefined);
    yield* packing as AsyncIterable<Uint8Array>;
  } else {
    yield* chunksOf(tar);
  }
}
