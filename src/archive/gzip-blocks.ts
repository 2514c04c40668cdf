/** gzip (RFC 1952) of a stream, block by block on all processors. */
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';

/** RFC 1951, 3.2.4: what one stored block can hold, and what stands before it. */
const partSize = 65_535;
const partHeader = 5;
/** Stored blocks that are worked on together; about a mebibyte. */
const parts = 16;
/** Two percent more than dockerd's gzip makes of a Debian tree, in three quarters of the time of zlib's level 6 (docs/decisions/0019). */
const level = 3;
/** Output is had in one piece, with room for what grows. */
const chunkSize = parts * partSize + 64 * 1024;
/** How much of a block is tried before all of it is compressed: out of the middle of some parts. */
const sampleParts = 4;
const samplePieceSize = 4 * 1024;
/** Deflate, no flags, no time, no file system: the same bytes for the same content on every machine. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty last block: those before it each end at a byte's border, and know nothing of each other. */
const lastBlock = Buffer.from([3, 0]);
const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** Memory of blocks that nobody needs any more: fresh memory costs the kernel as much as reading into it does. */
const spare: Buffer[] = [];
const mostSpare = 8;
const blockMemory = parts * (partHeader + partSize);

/** Takes back what `gzipBlocks` gave, from whoever is done with it; nobody may look at it any more. */
export function reuseBlock({ buffer, byteOffset }: Uint8Array): void {
  if (buffer.byteLength === blockMemory && byteOffset === 0 && spare.length < mostSpare)
    spare.push(Buffer.from(buffer as ArrayBuffer));
}

/**
 * One gzip member of all of the source; the same for the same bytes, however they come in pieces. What cannot be compressed further
 * (archives, pictures) is stored. Keeps two blocks of a mebibyte in memory for each processor. Closes the source.
 */
export async function* gzipBlocks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const running: Promise<Buffer>[] = [];
  const most = availableParallelism() * 2;
  let sum = 0;
  let length = 0;
  try {
    yield header;
    for (;;) {
      const block = await Block.fill(source);
      if (block.length === 0) break;
      for (const part of block.parts()) sum = crc32(part, sum);
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
    source.close();
    // Whoever stops reading leaves nothing behind that fails with nobody to hear it.
    await Promise.allSettled(running);
  }
}

async function compress(block: Block): Promise<Buffer> {
  const sample = block.sample();
  const isCompressible = (await deflateBlock(sample, { level: 1 })).length < sample.length * 0.97;
  if (!isCompressible) return block.stored();
  const plain = block.plain();
  block.free();
  return await deflateBlock(plain, { level, chunkSize, finishFlush: constants.Z_SYNC_FLUSH });
}

/** Bytes with gaps between them, so that what is stored lies as it leaves and is copied no more. */
class Block {
  readonly length: number;
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer, length: number) {
    this.#bytes = bytes;
    this.length = length;
  }

  /** Full, but for the last one of a source. */
  static async fill(source: ByteSource): Promise<Block> {
    const bytes = spare.pop() ?? Buffer.allocUnsafeSlow(blockMemory);
    let length = 0;
    while (length < parts * partSize) {
      const inPart = length % partSize;
      const start = Math.floor(length / partSize) * (partHeader + partSize) + partHeader + inPart;
      const count = await source.read(bytes.subarray(start, start + partSize - inPart));
      if (count === 0) break;
      length += count;
    }
    return new Block(bytes, length);
  }

  *parts(): Generator<Buffer> {
    for (let left = this.length, start = partHeader; left > 0; left -= partSize, start += partHeader + partSize)
      yield this.#bytes.subarray(start, start + Math.min(left, partSize));
  }

  plain(): Buffer {
    return Buffer.concat([...this.parts()]);
  }

  free(): void {
    reuseBlock(this.#bytes);
  }

  sample(): Buffer {
    const all = [...this.parts()];
    const step = Math.max(1, Math.floor(all.length / sampleParts));
    return Buffer.concat(
      all
        .filter((_, index) => index % step === 0)
        .map((part) => {
          // At the front of a part may stand a tar header.
          const start = Math.max(0, (part.length - samplePieceSize) >> 1);
          return part.subarray(start, start + samplePieceSize);
        }),
    );
  }

  /** As it is; zlib would copy it in small pieces, at ten times the cost. */
  stored(): Buffer {
    let end = 0;
    for (const { length } of this.parts()) {
      this.#bytes[end] = 0;
      this.#bytes.writeUInt16LE(length, end + 1);
      this.#bytes.writeUInt16LE(length ^ 0xffff, end + 3);
      end += partHeader + length;
    }
    return this.#bytes.subarray(0, end);
  }
}
