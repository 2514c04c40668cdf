/** gzip (RFC 1952) of a stream, block by block on all processors. */
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const blockSize = 1024 * 1024;
/** As everybody's. */
const level = 6;
/** How much of a block is tried before all of it is compressed. */
const sampleSize = 16 * 1024;
/** Deflate, no flags, no time, no file system: the same bytes for the same content on every machine. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty last block: those before it are each ended by a flush, at a byte's border, and know nothing of each other. */
const lastBlock = Buffer.from([3, 0]);
const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);

/**
 * One gzip member of all of the source; the same for the same bytes, however they come in pieces. What cannot be compressed further
 * (archives, pictures) is stored. Keeps two blocks of 1 MiB in memory for each processor.
 */
export async function* gzipBlocks(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const running: Promise<Buffer>[] = [];
  const most = availableParallelism() * 2;
  let sum = 0;
  let length = 0;
  try {
    yield header;
    for await (const block of inBlocks(source)) {
      sum = crc32(block, sum);
      length += block.length;
      running.push(compress(block));
      if (running.length >= most) yield (await running.shift()) as Buffer;
    }
    while (running.length > 0) yield (await running.shift()) as Buffer;
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(sum, 0);
    trailer.writeUInt32LE(length % 2 ** 32, 4);
    yield Buffer.concat([lastBlock, trailer]);
  } finally {
    // Whoever stops reading leaves nothing behind that fails with nobody to hear it.
    await Promise.allSettled(running);
  }
}

async function compress(block: Uint8Array): Promise<Buffer> {
  const sample = sampleOf(block);
  const isCompressible = (await deflateBlock(sample, { level: 1 })).length < sample.length * 0.97;
  return await deflateBlock(block, { level: isCompressible ? level : 0, finishFlush: constants.Z_SYNC_FLUSH });
}

/** Out of the middle: at the front stands a tar header. */
function sampleOf(block: Uint8Array): Uint8Array {
  const start = Math.max(0, (block.length - sampleSize) >> 1);
  return block.subarray(start, start + sampleSize);
}

/** The same bytes in blocks of one size; the last one may be shorter. */
async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let block = Buffer.allocUnsafe(blockSize);
  let filled = 0;
  for await (let piece of source) {
    while (piece.length > 0) {
      const taken = Math.min(piece.length, blockSize - filled);
      block.set(piece.subarray(0, taken), filled);
      filled += taken;
      piece = piece.subarray(taken);
      if (filled < blockSize) continue;
      yield block;
      block = Buffer.allocUnsafe(blockSize);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
