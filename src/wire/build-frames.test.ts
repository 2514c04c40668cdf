import { expect, test } from 'bun:test';
import {
  BuildFrameDecoder,
  buildFrame,
  contextLine,
  decodeBuildJson,
  encodeBuildFrame,
  encodeBuildJson,
  parseContextLine,
} from './build-frames.ts';

test.each([1, 2, 3, 7, 10_000])('frames come whole, cut into pieces of %d', (size) => {
  const whole = Buffer.concat([
    encodeBuildJson(buildFrame.event, 0, { a: 'b' }),
    encodeBuildFrame(buildFrame.data, 7, new Uint8Array(300).fill(5)),
    encodeBuildFrame(buildFrame.end, 7, new Uint8Array(0)),
  ]);
  const decoder = new BuildFrameDecoder();
  const seen: string[] = [];
  for (let at = 0; at < whole.length; at += size)
    for (const frame of decoder.push(whole.subarray(at, at + size)))
      seen.push(
        frame.kind === buildFrame.event
          ? JSON.stringify(decodeBuildJson(frame))
          : `${frame.kind} ${frame.channel} ${frame.payload.length}`,
      );
  expect(seen).toEqual(['{"a":"b"}', '3 7 300', '4 7 0']);
});

test('a frame that is too long is refused', () => {
  const head = new Uint8Array(9);
  new DataView(head.buffer).setUint32(5, 2 ** 31);
  expect(() => [...new BuildFrameDecoder().push(head)]).toThrow('too long');
});

test.each(['plain', 'with\ttab', 'with\nline', 'back\\slash', '\xff\xfe', 'd/e f'])('an entry called %j', (path) => {
  const entry = { type: 'file' as const, path, mode: 0o4755, size: 12, mtime: '1700000000123456789', link: '' };
  expect(parseContextLine(contextLine(entry))).toEqual(entry);
});

test.each(['file', 'directory', 'symlink', 'pipe', 'character', 'block'] as const)('an entry that is a %s', (type) => {
  const entry = { type, path: 'a', mode: 0o644, size: 259, mtime: '-1', link: 'b' };
  expect(parseContextLine(contextLine(entry))).toEqual(entry);
});

test.each([
  '',
  'x\t1\t2\t3\ta\t',
  'f\t644\t-1\t0\ta\t',
  'f\t644\t1\t0\t../a\t',
  'f\t644\t1\t0\t/a\t',
  'f\t644\t1\tx\ta\t',
])('no entry: %j', (line) => {
  expect(() => parseContextLine(line)).toThrow('cannot be read');
});
