import { describe, expect, test } from 'bun:test';
import { BodyDecoder } from './body-decoder.ts';

/** Feeds `text` in pieces, as a connection does, and gives body and rest. */
function decode(text: string, size: number): { body: string; rest: string; done: boolean; pieces: number } {
  const decoder = new BodyDecoder({ kind: 'chunked' });
  const all = Buffer.from(text, 'latin1');
  let pending = Buffer.alloc(0);
  let body = '';
  let pieces = 0;
  for (let position = 0; position < all.length; position += size) {
    pending = Buffer.concat([pending, all.subarray(position, position + size)]);
    while (!decoder.done) {
      const { bytes, used } = decoder.take(pending);
      if (bytes) {
        body += bytes.toString('latin1');
        pieces++;
      }
      pending = pending.subarray(used);
      if (used === 0) break;
    }
  }
  return { body, rest: pending.toString('latin1'), done: decoder.done, pieces };
}

describe('a chunked body', () => {
  const text = '3\r\nabc\r\nA;x=y\r\n0123456789\r\n1\r\nz\r\n0\r\nTrailer: t\r\n\r\nGET /next';
  for (const size of [1, 2, 3, 5, 8, 13, 100])
    test(`in pieces of ${size}`, () => {
      expect(decode(text, size)).toMatchObject({ body: 'abc0123456789z', rest: 'GET /next', done: true });
    });

  test('neighbouring chunks come as one piece', () => {
    expect(decode(text, 100).pieces).toBe(1);
  });

  test('lines without an end are refused', () => {
    expect(() => decode('f'.repeat(10_000), 1000)).toThrow('malformed chunked encoding');
    expect(() => decode('xyz\r\n', 100)).toThrow('malformed chunked encoding');
    expect(() => decode('1\r\nab\r\n', 100)).toThrow('malformed chunked encoding');
  });
});
