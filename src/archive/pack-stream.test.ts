import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { until } from '../../test/support/until.ts';
import { chunksOf, sourceOf } from './byte-source.ts';
import { packStream } from './pack-stream.ts';

const bytes = Buffer.concat([randomBytes(1_500_000), Buffer.alloc(2_000_000, 'text '), randomBytes(10)]);

async function* pieces(size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const unpack = { none: (packed: Buffer) => packed, gzip: gunzipSync, zstd: zstdDecompressSync };

test.each(['none', 'gzip', 'zstd'] as const)(
  '%s: the same bytes each time, and they come back',
  async (compression) => {
    const [one, other] = await Promise.all(
      [70_001, 1 << 20].map(async (size) =>
        Buffer.concat(await Array.fromAsync(packStream(sourceOf(pieces(size)), compression))),
      ),
    );
    expect(one?.equals(other as Buffer)).toBe(true);
    expect(Buffer.compare(unpack[compression](one as Buffer), bytes)).toBe(0);
  },
);

test.each(['none', 'gzip', 'zstd'] as const)('%s: whoever stops reading closes the source', async (compression) => {
  let isClosed = false;
  const source = sourceOf(pieces(1000));
  const close = (): void => {
    isClosed = true;
  };
  const packed = packStream({ read: (target) => source.read(target), close }, compression);
  await packed.next();
  await packed.next();
  await packed.return(undefined);
  await until('the source to be closed', () => isClosed);
});

test('chunks of any size become chunks of one', async () => {
  const sizes: number[] = [];
  for await (const chunk of chunksOf(sourceOf(pieces(300_000)), 100_000)) sizes.push(chunk.length);
  expect(new Set(sizes.slice(0, 30))).toEqual(new Set([100_000]));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length);
});
