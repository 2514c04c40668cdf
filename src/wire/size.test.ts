import { describe, expect, test } from 'bun:test';
import { binarySize, humanSize, parseBinarySize, parseDecimalSize } from './size.ts';

describe('sizes', () => {
  for (const [bytes, text] of [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [2_065_225, '2.065MB'],
    [123_456_789, '123.5MB'],
    [1e15, '1PB'],
  ] as const)
    test(text, () => expect(humanSize(bytes)).toBe(text));

  test('other bases and precisions', () => {
    expect(humanSize(2_065_225, 3)).toBe('2.07MB');
    expect(humanSize(999_999, 3)).toBe('1000kB');
    expect(binarySize(2 * 1024 ** 3)).toBe('2GiB');
    expect(binarySize(516_096)).toBe('504KiB');
  });

  for (const [text, bytes] of [
    ['1024', 1024],
    ['64m', 64 * 1024 ** 2],
    ['64M', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['2GiB', 2 * 1024 ** 3],
    ['2 gb', 2 * 1024 ** 3],
    ['5b', 5],
  ] as const)
    test(text, () => expect(parseBinarySize(text)).toBe(bytes));

  test('in powers of ten', () => expect(parseDecimalSize('10m')).toBe(10_000_000));

  for (const [text, message] of [
    ['', "invalid size: ''"],
    ['abc', "invalid size: 'abc'"],
    ['-5', "invalid size: '-5'"],
    ['5x', "invalid suffix: 'x'"],
    ['5mx', "invalid suffix: 'mx'"],
  ] as const)
    test(`${JSON.stringify(text)} is refused`, () => expect(() => parseBinarySize(text)).toThrow(message));
});
