import { describe, expect, test } from 'bun:test';
import { parseJson, stringifyJson } from './json.ts';
import { JsonStreamDecoder } from './json-lines.ts';

describe('64-bit integers', () => {
  const edges = [
    ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
    ...[-(2n ** 53n) + 1n, -(2n ** 53n), -(2n ** 53n) - 1n, -(2n ** 63n)],
  ];
  for (const value of edges)
    test(String(value), () => {
      const text = `{"a":[${value}],"b":"${value}"}`;
      const parsed = parseJson(text) as { a: [number | bigint]; b: string };
      expect(BigInt(parsed.a[0])).toBe(value);
      expect(parsed.b).toBe(String(value));
      expect(stringifyJson(parsed)).toBe(text);
    });

  test('any of them, many times', () => {
    const random = new BigUint64Array(1000);
    crypto.getRandomValues(random);
    const text = `[${random.join(',')}]`;
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  test('fractions and exponents stay numbers', () => {
    expect(parseJson('[1.5,1e3,1234567890123456.5,1e300]')).toEqual([1.5, 1000, 1234567890123456.5, 1e300]);
  });

  test('other failures of JSON.stringify are not hidden', () => {
    const ring: Record<string, unknown> = {};
    ring['self'] = ring;
    expect(() => stringifyJson(ring)).toThrow(TypeError);
  });
});

describe('JsonStreamDecoder', () => {
  const objects = [{ a: 1 }, { b: '}{"\\' }, { c: { d: [{}] } }, { e: 'ü€😀' }, { f: 9007199254740993n }];

  for (const [name, separator] of [
    ['lines', '\n'],
    ['CR LF', '\r\n'],
    ['nothing between', ''],
  ] as const)
    test(`${name}, cut anywhere`, () => {
      const bytes = new TextEncoder().encode(objects.map((object) => stringifyJson(object) + separator).join(''));
      for (const size of [1, 2, 3, 7, bytes.length]) {
        const seen: unknown[] = [];
        const decoder = new JsonStreamDecoder((value) => seen.push(value));
        for (let position = 0; position < bytes.length; position += size)
          decoder.push(bytes.subarray(position, position + size));
        decoder.end();
        expect(seen).toEqual(objects);
      }
    });

  test('an end inside an object is an error', () => {
    const decoder = new JsonStreamDecoder(() => {});
    decoder.push(new TextEncoder().encode('{"a":'));
    expect(() => decoder.end()).toThrow('unexpected EOF');
  });
});
