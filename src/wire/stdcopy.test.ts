import { describe, expect, test } from 'bun:test';
import { encodeFrame, StdcopyDecoder, type StreamNumber } from './stdcopy.ts';

function decode(bytes: Uint8Array, size: number): { out: string; pieces: number; clean: boolean } {
  let out = '';
  let pieces = 0;
  const decoder = new StdcopyDecoder((stream, piece) => {
    pieces++;
    for (const byte of piece) out += `${stream}${String.fromCharCode(byte)}`;
  });
  for (let position = 0; position < bytes.length; position += size)
    // A copy, because the decoder moves bytes inside what it gets.
    decoder.push(Uint8Array.from(bytes.subarray(position, position + size)));
  return { out, pieces, clean: decoder.isBetweenFrames };
}

const frames: [StreamNumber, string][] = [
  [1, 'one'],
  [1, 'two'],
  [2, 'err'],
  [1, ''],
  [2, 'more'],
  [1, 'x'.repeat(300)],
  [3, 'engine'],
];
const stream = Buffer.concat(frames.map(([number, text]) => encodeFrame(number, Buffer.from(text))));
const expected = frames.flatMap(([number, text]) => [...text].map((character) => `${number}${character}`)).join('');

describe('StdcopyDecoder', () => {
  for (const size of [1, 2, 7, 8, 9, 11, 100, stream.length])
    test(`in chunks of ${size}`, () => {
      const { out, clean } = decode(stream, size);
      expect(out).toBe(expected);
      expect(clean).toBe(true);
    });

  test('neighbours of one stream come as one piece', () => {
    const lines = Buffer.concat(
      Array.from({ length: 1000 }, (_, index) => encodeFrame(1, Buffer.from(`line ${index}\n`))),
    );
    expect(decode(lines, lines.length).pieces).toBe(1);
  });

  test('a cut inside a frame is known', () => {
    expect(decode(stream.subarray(0, 5), 5).clean).toBe(false);
    expect(decode(stream.subarray(0, 9), 9).clean).toBe(false);
  });

  test('what is no frame is refused', () => {
    expect(() => decode(Buffer.from('HTTP/1.1 200 OK'), 15)).toThrow('Unrecognized input header: 72');
    expect(() => decode(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), 8)).toThrow('Unrecognized input header: 9');
    expect(() => decode(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), 1)).toThrow('Unrecognized input header: 9');
  });

  test('lengths beyond 2^31', () => {
    const decoder = new StdcopyDecoder(() => {});
    decoder.push(Uint8Array.of(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff));
    expect(decoder.isBetweenFrames).toBe(false);
  });
});
