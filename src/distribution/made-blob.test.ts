import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { sha256 } from '../oci/digest.ts';
import { MadeBlob } from './made-blob.ts';

const bytes = randomBytes(20 * 1024 * 1024 + 7);
const step = 1024 * 1024;

function made(): { blob: MadeBlob; starts: () => number } {
  let starts = 0;
  const blob = new MadeBlob(async function* () {
    starts++;
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  });
  return { blob, starts: () => starts };
}

async function take(source: AsyncGenerator<Uint8Array>, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let taken = 0;
  while (taken < length) {
    const { value, done } = await source.next();
    if (done) break;
    parts.push(value);
    taken += value.length;
  }
  return Buffer.concat(parts);
}

test('all of it, and what it is', async () => {
  const { blob, starts } = made();
  expect(blob.facts).toBeNull();
  expect((await take(blob.from(0), Number.POSITIVE_INFINITY)).equals(bytes)).toBe(true);
  expect(blob.facts).toEqual({ digest: sha256(bytes), size: bytes.length });
  expect(starts()).toBe(1);
});

test('a little back comes from memory, further back it is made again', async () => {
  const { blob, starts } = made();
  const reader = blob.from(0);
  await take(reader, 12 * step);
  await reader.return(undefined);
  const back = await take(blob.from(6 * step + 3), 10 * step);
  expect(back.equals(bytes.subarray(6 * step + 3, 6 * step + 3 + back.length))).toBe(true);
  expect(starts()).toBe(1);
  const again = await take(blob.from(5), Number.POSITIVE_INFINITY);
  expect(again.equals(bytes.subarray(5))).toBe(true);
  expect(starts()).toBe(2);
  expect(blob.facts?.digest).toBe(sha256(bytes));
});

test('from a place that was not made yet', async () => {
  const { blob } = made();
  expect((await take(blob.from(bytes.length - 10), 10)).equals(bytes.subarray(-10))).toBe(true);
  expect(await take(blob.from(bytes.length), 1)).toHaveLength(0);
  expect(await blob.finish()).toEqual({ digest: sha256(bytes), size: bytes.length });
});

test('a reader that was left behind does not go on', async () => {
  const { blob } = made();
  const old = blob.from(0);
  await take(old, step);
  await take(blob.from(0), Number.POSITIVE_INFINITY);
  await expect(old.next()).rejects.toThrow('another reader');
});

test('what changes while it is sent is told', async () => {
  let round = 0;
  const blob = new MadeBlob(async function* () {
    round++;
    for (let at = 0; at < 10; at++) yield new Uint8Array(step).fill(round);
  });
  await blob.finish();
  await expect(take(blob.from(0), Number.POSITIVE_INFINITY)).rejects.toThrow('changed meanwhile');
});

test('an error of the maker is the reader’s; the next one begins again', async () => {
  let fails = true;
  const blob = new MadeBlob(async function* () {
    yield bytes.subarray(0, step);
    if (fails) throw new Error('the disk is gone');
    yield bytes.subarray(step, 2 * step);
  });
  await expect(take(blob.from(0), 2 * step)).rejects.toThrow('the disk is gone');
  fails = false;
  expect(await take(blob.from(step), 2 * step)).toHaveLength(step);
  expect(blob.facts).toEqual({ digest: sha256(bytes.subarray(0, 2 * step)), size: 2 * step });
});
