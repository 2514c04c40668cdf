import { expect, test } from 'bun:test';
import { nearestWords } from './suggest.ts';
import { parseInteger, parseNanoCpus, splitCsv } from './values.ts';

test.each([
  ['1.5', 1_500_000_000],
  ['0.000000001', 1],
  ['1/4', 250_000_000],
  ['2', 2_000_000_000],
  ['.5', 500_000_000],
])('%p CPUs', (text, nano) => {
  expect(parseNanoCpus(text as string)).toBe(nano as number);
});

test.each(['x', '', '1.2.3', 'NaN', 'Infinity'])('%p is no number of CPUs', (text) => {
  expect(() => parseNanoCpus(text)).toThrow(`failed to parse ${text} as a rational number`);
});

test('CPUs finer than the kernel counts', () => {
  expect(() => parseNanoCpus('0.0000000001')).toThrow('value is too precise');
});

test.each([
  ['a,b', ['a', 'b']],
  ['', ['']],
  ['a,', ['a', '']],
  ['"a,b",c', ['a,b', 'c']],
  ['"a""b"', ['a"b']],
])('csv %p', (line, fields) => {
  expect(splitCsv(line as string)).toEqual(fields as string[]);
});

test.each(['"a', 'a"b', '"a"b'])('csv refused: %p', (line) => {
  expect(() => splitCsv(line)).toThrow('parse error on line 1');
});

test('integers in other bases', () => {
  expect(parseInteger('0x10')).toBe(16);
  expect(parseInteger('-0b11')).toBe(-3);
  expect(parseInteger('010')).toBe(8);
});

test('the nearest word', () => {
  const known = ['ps', 'pause', 'pull', 'push', 'run', 'rename', 'images', 'inspect'];
  expect(nearestWords('pss', known)).toEqual(['ps']);
  expect(nearestWords('rnu', known)).toEqual(['run']);
  expect(nearestWords('imagse', known)).toEqual(['images']);
  expect(nearestWords('ins', known)).toEqual(['inspect']);
  expect(nearestWords('xyzzy', known)).toEqual([]);
});
