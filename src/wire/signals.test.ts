import { describe, expect, test } from 'bun:test';
import { parseSignal } from './signals.ts';

describe('signals', () => {
  const cases: [string, number][] = [
    ['TERM', 15],
    ['SIGKILL', 9],
    ['sigint', 2],
    ['64', 64],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
  ];
  for (const [text, number] of cases) test(text, () => expect(parseSignal(text)).toBe(number));
  for (const text of ['FOO', '0', '65', '-1', ''])
    test(`'${text}' is none`, () => expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`));
});
