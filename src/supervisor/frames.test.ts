import { describe, expect, test } from 'bun:test';
import { decodeId, decodeTime, encodeFrame, encodeId, FrameReader } from './frames.ts';
import { protocol } from './protocol.ts';

describe('frames', () => {
  const stream = Buffer.concat([
    encodeFrame(1, Buffer.from('first')),
    encodeFrame(2, Buffer.alloc(0), 65535),
    encodeFrame(3, Buffer.from('third'), 7),
  ]);
  const expected = [
    { type: 1, request: 0, payload: Buffer.from('first') },
    { type: 2, request: 65535, payload: Buffer.alloc(0) },
    { type: 3, request: 7, payload: Buffer.from('third') },
  ];

  test('come out whole however the bytes are cut', () => {
    for (let size = 1; size <= stream.length; size++) {
      const reader = new FrameReader();
      const frames = [];
      for (let start = 0; start < stream.length; start += size) {
        frames.push(...reader.push(Buffer.from(stream.subarray(start, start + size))));
      }
      expect(frames).toEqual(expected);
    }
  });

  test('longer than the protocol allows are refused', () => {
    const head = Buffer.alloc(protocol.headerSize);
    head.writeUInt32LE(protocol.maxPayload + 1, 0);
    expect(() => new FrameReader().push(head)).toThrow('payload');
  });

  test('ids are 64 bytes, padded', () => {
    const id = 'ab'.repeat(32);
    expect(decodeId(encodeId(id))).toBe(id);
    expect(decodeId(encodeId('short'))).toBe('short');
    expect(decodeId(encodeId(null))).toBe('');
    expect(encodeId('short')).toHaveLength(protocol.idSize);
  });

  test('a time is nanoseconds, shown in milliseconds', () => {
    const payload = Buffer.alloc(9);
    payload.writeBigUInt64LE(1_700_000_000_123_999_999n, 1);
    expect(decodeTime(payload, 1)).toEqual(new Date(1_700_000_000_123));
  });
});
