import { expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { sourceOf } from './byte-source.ts';
import { gzipBlocks } from './gzip-blocks.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function zipped(bytes: Uint8Array, size: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(gzipBlocks(sourceOf(pieces(bytes, size)))));
}

const text = Buffer.from(Array.from({ length: 400_000 }, (_, line) => `line ${line}\n`).join(''));
const noise = randomBytes(3_000_001);

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('x')],
  ['one block exactly', Buffer.alloc(16 * 65_535, 'ab')],
  ['one stored block and a byte', noise.subarray(0, 16 * 65_535 + 1)],
  ['text', text],
  ['noise', noise],
  ['both', Buffer.concat([text, noise, text])],
])('%s comes back, whatever the pieces', async (_name, bytes) => {
  const whole = await zipped(bytes, 1 << 24);
  expect(createHash('sha256').update(gunzipSync(whole)).digest('hex')).toBe(
    createHash('sha256').update(bytes).digest('hex'),
  );
  expect((await zipped(bytes, 65_537)).equals(whole)).toBe(true);
});

test('other programs read it as one member', async () => {
  const bytes = await zipped(Buffer.concat([text, noise]), 100_000);
  const { stdout, exitCode } = Bun.spawnSync(['gzip', '-dc'], { stdin: bytes });
  expect([exitCode, stdout.length]).toEqual([0, text.length + noise.length]);
});

test('text becomes small, noise hardly larger', async () => {
  expect((await zipped(text, 65_536)).length).toBeLessThan(text.length * 0.3);
  expect((await zipped(noise, 65_536)).length).toBeLessThan(noise.length * 1.001);
});

test('an error of the source is the reader’s', async () => {
  async function* broken(): AsyncIterable<Uint8Array> {
    yield text;
    throw new Error('the disk is gone');
  }
  expect(Array.fromAsync(gzipBlocks(sourceOf(broken())))).rejects.toThrow('the disk is gone');
});
