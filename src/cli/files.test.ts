import { afterAll, beforeAll, expect, test } from 'bun:test';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteReader } from '../client/transport/transport.ts';
import { outputPlace, writeToFile } from './files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync('/tmp/berth-files-');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reading(text: string): ByteReader {
  const parts = [new TextEncoder().encode(text)];
  return { read: () => Promise.resolve(parts.shift() ?? null) } as unknown as ByteReader;
}

test('what links lead to is written, and the links stay', async () => {
  const real = join(folder, 'real');
  const link = join(folder, 'link');
  writeFileSync(real, 'old');
  symlinkSync(real, link);
  await writeToFile(await outputPlace(link, 'save image'), reading('new'));
  expect(readFileSync(real, 'utf8')).toBe('new');
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test('a pipe is written into, and stays one', async () => {
  const pipe = join(folder, 'pipe');
  Bun.spawnSync(['mkfifo', pipe]);
  const cat = Bun.spawn(['cat', pipe], { stdout: 'pipe' });
  const place = await outputPlace(pipe, 'save image');
  expect(place.isFile).toBe(false);
  await writeToFile(place, reading('through'));
  expect(await new Response(cat.stdout).text()).toBe('through');
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

test('/dev/null takes everything', async () => {
  expect(await outputPlace('/dev/null', 'save image')).toEqual({ path: '/dev/null', isFile: false });
});

test('where nothing can be put is said before anything is asked', async () => {
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  await expect(outputPlace(directory, 'save image')).rejects.toThrow(
    'failed to save image: cannot write to a directory',
  );
  await expect(outputPlace(join(folder, 'no', 'x'), 'export container')).rejects.toThrow(
    `failed to export container: invalid output path: stat ${join(folder, 'no')}: no such file or directory`,
  );
  writeFileSync(join(folder, 'file'), '');
  await expect(outputPlace(join(folder, 'file', 'x'), 'save image')).rejects.toThrow(
    `failed to save image: invalid output path: stat ${join(folder, 'file')}: not a directory`,
  );
});
