import { describe, expect, test } from 'bun:test';
import {
  checkFilterKeys,
  encodeFilters,
  filterBoolean,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  noFilters,
  parseFilters,
} from './filters.ts';

describe('filters', () => {
  test('lists and the sets of old clients', () => {
    expect(parseFilters('{"a":["x","y","x"]}')).toEqual(new Map([['a', ['x', 'y']]]));
    expect(parseFilters('{"a":{"x":true,"y":false}}')).toEqual(new Map([['a', ['x', 'y']]]));
    for (const text of ['', null, undefined, 'null', '{}']) expect(parseFilters(text).size).toBe(0);
  });

  for (const text of ['x', '[]', '"a"', '5', '{"a":5}', '{"a":[5]}', '{"a":{"x":"y"}}'])
    test(`${text} is refused`, () => expect(() => parseFilters(text)).toThrow('invalid filter'));

  test('unknown keys', () => {
    expect(() => checkFilterKeys(parseFilters('{"a":["x"]}'), ['a'])).not.toThrow();
    expect(() => checkFilterKeys(parseFilters('{"b":["x"]}'), ['a'])).toThrow("invalid filter 'b'");
  });

  test('there and back', () => {
    const text = '{"label":["a=b","c"],"status":["running"]}';
    expect(encodeFilters(parseFilters(text))).toBe(text);
    expect(encodeFilters(noFilters)).toBe('');
  });

  test('yes and no', () => {
    const of = (text: string) => filterBoolean(parseFilters(text), 'dangling', false);
    expect([of(''), of('{"dangling":["1"]}'), of('{"dangling":["true"]}'), of('{"dangling":["false"]}')]).toEqual([
      ...[false, true, true, false],
    ]);
    expect(() => of('{"dangling":["x"]}')).toThrow("invalid filter 'dangling=[x]'");
    expect(() => of('{"dangling":["1","0"]}')).toThrow("invalid filter 'dangling=[1 0]'");
  });

  test('values', () => {
    const filters = parseFilters('{"name":["^a.c$","b["],"id":["12"]}');
    expect(matchesExactly(filters, 'id', '12')).toBe(true);
    expect(matchesExactly(filters, 'id', '123')).toBe(false);
    expect(matchesExactly(filters, 'other', '123')).toBe(true);
    expect(['abc', 'xabc', 'b[', 'ab[c', 'b'].map((name) => matchesPattern(filters, 'name', name))).toEqual([
      ...[true, false, true, true, false],
    ]);
  });

  test('labels', () => {
    const labels = { a: '1', b: '' };
    const matches = (text: string) => matchesLabels(parseFilters(text), labels);
    expect(matches('{"label":["a"]}')).toBe(true);
    expect(matches('{"label":["a=1","b="]}')).toBe(true);
    expect(matches('{"label":["a=2"]}')).toBe(false);
    expect(matches('{"label":["toString"]}')).toBe(false);
    expect(matches('{"label!":["a"]}')).toBe(false);
    expect(matches('{"label!":["c"]}')).toBe(true);
    expect(matchesLabels(parseFilters('{"label":["a"]}'), null)).toBe(false);
  });
});
