/** `Berth-Merge-Frames: 1`: the same bytes in fewer frames, for clients that ask for it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { StdcopyDecoder } from '../../src/wire/stdcopy.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok(
    'run',
    '--name',
    'both',
    'busybox',
    'sh',
    '-c',
    'seq 5000; echo bad >&2; seq 3; echo worse >&2; printf end',
  );
});
afterAll(() => engine.cleanUp());

async function read(
  headers: Record<string, string>,
  query = '',
): Promise<{ frames: number; pieces: [number, string][] }> {
  const answer = await engine.request('GET', `/containers/both/logs?stdout=1&stderr=1${query}`, undefined, headers);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  let frames = 0;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8 + view.getUint32(at + 4)) frames++;
  const pieces: [number, string][] = [];
  const decoder = new StdcopyDecoder((stream, payload) => pieces.push([stream, new TextDecoder().decode(payload)]));
  decoder.push(bytes);
  expect(decoder.isBetweenFrames).toBe(true);
  return { frames, pieces };
}

test.each(['', '&timestamps=1', '&tail=7'])('the same bytes in the same order (%p)', async (query) => {
  const plain = await read({}, query);
  const merged = await read({ 'Berth-Merge-Frames': '1' }, query);
  expect(merged.pieces).toEqual(plain.pieces);
  expect(merged.frames).toBeLessThan(plain.frames);
});

test('one frame for each run of a stream, as far as a buffer goes', async () => {
  const plain = await read({});
  expect(plain.frames).toBe(5000 + 1 + 3 + 1 + 1);
  // The order between the streams is the container's and the shim's, so the runs are counted.
  const runs = plain.pieces.filter(([stream], index) => stream !== plain.pieces[index - 1]?.[0]).length;
  expect((await read({ 'Berth-Merge-Frames': '1' })).frames).toBe(runs);
});
