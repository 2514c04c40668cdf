import { describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { decompressor, packedAs } from './compression.ts';
import { ZstdFrames } from './zstd-frames.ts';

const plain = Buffer.concat([randomBytes(300_000), Buffer.alloc(500_000), Buffer.from('end')]);
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('hello')]);

async function unpack(packed: Buffer, size = 1000): Promise<Buffer> {
  const packing = packedAs(packed);
  if (packing === 'none') return packed;
  const chunks: Buffer[] = [];
  const pieces = Array.from({ length: Math.ceil(packed.length / size) }, (_, index) =>
    packed.subarray(index * size, (index + 1) * size),
  );
  for await (const chunk of Readable.from(pieces).pipe(decompressor(packing))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('packed streams', () => {
  const zstd = zstdCompressSync(plain);
  const cases: [string, Buffer][] = [
    ['gzip', gzipSync(plain)],
    ['two gzip members', Buffer.concat([gzipSync(plain.subarray(0, 1000)), gzipSync(plain.subarray(1000))])],
    ['zstd', zstd],
    [
      'two zstd frames',
      Buffer.concat([zstdCompressSync(plain.subarray(0, 1000)), zstdCompressSync(plain.subarray(1000))]),
    ],
    ['a skippable frame first', Buffer.concat([skippable, zstd])],
    ['a skippable frame last', Buffer.concat([zstd, skippable])],
    ['with checksum', zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ];
  test.each(cases)('%s', async (_name, packed) => {
    expect((await unpack(packed)).equals(plain)).toBe(true);
    expect((await unpack(packed, 7777)).equals(plain)).toBe(true);
  });

  test.each(['gzip', 'zstd'])('%s that breaks off is an error, wherever it does', async (name) => {
    const packed = name === 'gzip' ? gzipSync(plain) : zstd;
    for (const length of [6, 9, 20, 1000, packed.length - 5, packed.length - 1])
      await expect(unpack(packed.subarray(0, length))).rejects.toThrow();
  });
});

test('the end of a frame is known in whatever pieces it comes', () => {
  for (const content of [Buffer.alloc(0), Buffer.alloc(100, 'x'), plain]) {
    const packed = Buffer.concat([zstdCompressSync(content), skippable]);
    for (const size of [1, 3, 1024, packed.length]) {
      const frames = new ZstdFrames();
      for (let at = 0; at < packed.length; at += size) {
        if (at > 0 && at < packed.length - skippable.length && frames.isComplete) throw new Error(`complete at ${at}`);
        frames.push(packed.subarray(at, at + size));
      }
      expect(frames.isComplete).toBe(true);
    }
  }
});
