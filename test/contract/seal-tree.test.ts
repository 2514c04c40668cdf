/** A layer's digest is that of the tar which is made of it later, whatever way the bytes of its files took to the hash. */
import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { sealTree } from '../../src/store/layers/seal-tree.ts';
import { helper, helperProgram, scratch } from '../support/native-helper.ts';

const megabyte = 1 << 20;

/** Bytes that differ from place to place, and from one seed to another. */
function bytes(length: number, seed: number): Uint8Array {
  const data = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0, state = seed; index < data.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[index] = state;
  }
  return new Uint8Array(data.buffer, 0, length);
}

function put(path: string, pieces: readonly { at: number; length: number }[]): void {
  const file = openSync(path, 'w');
  for (const { at, length } of pieces) writeSync(file, bytes(length, at + length), 0, length, at);
  closeSync(file);
}

const digestOf = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

test('a seal is the digest of the tar, for files of every length and shape', async () => {
  using directory = scratch('seal');
  const tree = join(directory.path, 'diff');
  mkdirSync(join(tree, 'below'), { recursive: true });
  // Around what is mapped at once, and what is worth it.
  for (const length of [
    0,
    1,
    511,
    4 * megabyte,
    16 * megabyte - 1,
    16 * megabyte,
    16 * megabyte + 1,
    21 * megabyte + 513,
  ])
    put(join(tree, `f${length}`), [{ at: 0, length }]);
  // Holes, with data that begins on a page of its own and ends anywhere.
  put(join(tree, 'below/sparse'), [
    { at: 3 * megabyte + 4096, length: 17 * megabyte + 77 },
    { at: 30 * megabyte, length: 5 },
  ]);
  linkSync(join(tree, `f${16 * megabyte}`), join(tree, 'below/linked'));
  symlinkSync('sparse', join(tree, 'below/link'));
  const sealed = await sealTree({ helper: helperProgram(), directory: directory.path, latest: null });
  const packed = await helper(['pack', tree]);
  expect(packed.message).toBe('');
  expect(sealed.diffId).toBe(digestOf(packed.stdout));
  expect(sealed.tarSize).toBe(packed.stdout.length);
  const recipe = zstdDecompressSync(readFileSync(join(directory.path, 'recipe.zst')));
  const again = await helper(['pack', '--recipe', directory.path], { input: recipe });
  expect(again.message).toBe('');
  expect(again.stdout.equals(packed.stdout)).toBe(true);
});

test('sync: trees of a few and of many entries are on disk, and what is missing is an error', async () => {
  using directory = scratch('sync');
  for (const count of [1, 7, 300]) {
    const tree = join(directory.path, `tree${count}`);
    for (let number = 0; number < count; number++) {
      const below = join(tree, `d${number % 9}`);
      mkdirSync(below, { recursive: true });
      put(join(below, `f${number}`), [{ at: 0, length: 3000 }]);
    }
    const done = await helper(['sync', tree]);
    expect(done.message).toBe('');
    expect(done.code).toBe(0);
    const { stdout } = Bun.spawnSync(['sh', '-c', `find ${tree} -type f -exec filefrag -v {} +`]);
    // Places on the disk are chosen when a file is written back.
    expect(stdout.toString()).not.toContain('delalloc');
  }
  expect((await helper(['sync', join(directory.path, 'nothing')])).code).not.toBe(0);
});
