/** `shim write-back`: what a step writes reaches the disk before anybody syncs. */
import { expect, test } from 'bun:test';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { NativeHelper } from '../../src/store/native-helper.ts';
import { helperProgram, scratch } from '../support/native-helper.ts';
import { until } from '../support/until.ts';

const helper = new NativeHelper(helperProgram());

/** Piece by piece: a file that is written whole gets its place at once. */
function fill(path: string, megabytes: number): void {
  const file = openSync(path, 'w');
  for (let written = 0; written < megabytes; written++) writeSync(file, new Uint8Array(1 << 20));
  closeSync(file);
}

/** Places on the disk are chosen when a file is written back, not when it is written. */
function waitsForPlace(path: string): boolean {
  const { stdout } = Bun.spawnSync(['filefrag', '-v', path]);
  return stdout.toString().includes('delalloc');
}

test('files go to disk while the step runs', async () => {
  using directory = scratch('write-back');
  const writeBack = helper.writeBack(directory.path);
  const file = join(directory.path, 'big');
  fill(file, 20);
  await until('the file on its way to disk', () => !waitsForPlace(file));
  writeBack.finish();
  await writeBack.ended;
});

test('at the end smaller ones go too', async () => {
  using directory = scratch('write-back');
  const below = join(directory.path, 'below');
  mkdirSync(below);
  const file = join(below, 'middle');
  fill(file, 2);
  const writeBack = helper.writeBack(directory.path);
  writeBack.finish();
  await writeBack.ended;
  expect(waitsForPlace(file)).toBe(false);
});

test('a tree that is gone is no trouble, nor is one that is not wanted any more', async () => {
  using directory = scratch('write-back');
  const gone = helper.writeBack(join(directory.path, 'nothing'));
  gone.finish();
  await gone.ended;
  const stopped = helper.writeBack(directory.path);
  stopped.stop();
  await stopped.ended;
});
