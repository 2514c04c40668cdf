/** Streams of answers, taken apart as they come. */
import { describe, expect, test } from 'bun:test';
import { encodeFrame } from '../wire/stdcopy.ts';
import type { Answer } from './client.ts';
import { finishWork, readMessages } from './messages.ts';
import { outputText, readOutput } from './output.ts';

const encoder = new TextEncoder();
const multiplexed = 'application/vnd.docker.multiplexed-stream';

/** An answer whose body comes in these chunks; `closed` counts. */
function answer(type: string, ...chunks: Uint8Array[]): Answer & { closed: number } {
  return {
    closed: 0,
    status: 200,
    headers: { 'content-type': type },
    body: { complete: false, take: () => undefined, read: async () => chunks.shift() ?? null },
    close() {
      this.closed++;
    },
  };
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe('output', () => {
  const frames = join(encodeFrame(1, encoder.encode('out')), encodeFrame(2, encoder.encode('err')));

  test.each([1, 3, 8, 11, 22])('frames in chunks of %p bytes', async (size) => {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < frames.length; at += size) chunks.push(frames.slice(at, at + size));
    const source = answer(multiplexed, ...chunks);
    expect(await outputText(source)).toEqual({ stdout: 'out', stderr: 'err' });
    expect(source.closed).toBe(1);
  });

  test('pieces come before the end', async () => {
    const never = new Promise<null>(() => undefined);
    const source = answer(multiplexed);
    const reads = [Promise.resolve(frames), never];
    source.body = { complete: false, take: () => undefined, read: () => reads.shift() as Promise<Uint8Array | null> };
    const pieces = readOutput(source);
    expect((await pieces.next()).value).toMatchObject({ stream: 'stdout' });
    expect((await pieces.next()).value).toMatchObject({ stream: 'stderr' });
  });

  test('who leaves early ends the connection', async () => {
    const source = answer(multiplexed, frames, frames);
    for await (const _piece of readOutput(source)) break;
    expect(source.closed).toBe(1);
  });

  test('a terminal is one raw stream', async () => {
    const raw = answer('application/vnd.docker.raw-stream', encoder.encode('\x01\x00'), encoder.encode('text'));
    expect(await outputText(raw)).toEqual({ stdout: '\x01\x00text', stderr: '' });
  });

  test('a stream that breaks off, and what the engine says of one', async () => {
    await expect(outputText(answer(multiplexed, frames.slice(0, 9)))).rejects.toMatchObject({ kind: 'unavailable' });
    const failure = answer(multiplexed, encodeFrame(3, encoder.encode('the log is gone')));
    await expect(outputText(failure)).rejects.toMatchObject({ kind: 'internal', message: 'the log is gone' });
  });
});

describe('messages', () => {
  test('objects wherever chunks fall, with every digit', async () => {
    const text = encoder.encode('{"timeNano":1700000000000000001}\n{"a":"}{"}');
    const source = answer('application/json', text.slice(0, 5), text.slice(5, 40), text.slice(40));
    const seen: unknown[] = [];
    for await (const message of readMessages<unknown>(source)) seen.push(message);
    expect(seen).toEqual([{ timeNano: 1700000000000000001n }, { a: '}{' }]);
    expect(source.closed).toBe(1);
  });

  test('work that fails half way is an error', async () => {
    const source = answer(
      'application/json',
      encoder.encode('{"status":"Pulling"}{"errorDetail":{"message":"gone"},"error":"gone"}'),
    );
    const told: unknown[] = [];
    await expect(finishWork(source, (message) => told.push(message.status))).rejects.toMatchObject({ message: 'gone' });
    expect(told).toEqual(['Pulling']);
  });
});
