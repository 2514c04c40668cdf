import { describe, expect, test } from 'bun:test';
import { goFileMode, goTime, parsePathStat } from './path-stat.ts';

describe('the stat header', () => {
  // What dockerd 28.5 says of a directory, a link, a file, and what Go's documentation says of the rest.
  test.each([
    [0o040755, 2147484141],
    [0o120777, 134218239],
    [0o100644, 420],
    [0o104755, 2 ** 23 + 0o755],
    [0o102755, 2 ** 22 + 0o755],
    [0o041777, 2 ** 31 + 2 ** 20 + 0o777],
    [0o020666, 2 ** 26 + 2 ** 21 + 0o666],
    [0o060660, 2 ** 26 + 0o660],
    [0o010644, 2 ** 25 + 0o644],
    [0o140755, 2 ** 24 + 0o755],
  ])('mode %o', (mode, go) => {
    expect(goFileMode(mode)).toBe(go);
  });

  test('times', () => {
    expect(goTime(1_795_260_121, 641_271_788)).toBe('2026-11-21T11:22:01.641271788Z');
    expect(goTime(1_700_000_000, 0)).toBe('2023-11-14T22:13:20Z');
    expect(goTime(1_700_000_000, 120_000_000)).toBe('2023-11-14T22:13:20.12Z');
    expect(goTime(-1, 5)).toBe('1969-12-31T23:59:59.000000005Z');
  });

  test('is whole or not there', () => {
    const bytes = Buffer.from('41471 4 1700000000 0 5\n/é/xtar');
    for (let end = 0; end < bytes.length - 3; end++) expect(parsePathStat(bytes.subarray(0, end), '/l')).toBeNull();
    expect(parsePathStat(bytes, '/l')).toEqual({
      stat: { name: 'l', size: 4, mode: 134218239, mtime: '2023-11-14T22:13:20Z', linkTarget: '/é/x' },
      length: bytes.length - 3,
    });
  });

  test.each([
    ['/', '/'],
    ['/d/', 'd'],
    ['/d/.', '.'],
    ['/a/b', 'b'],
  ])('the name of %s is %s', (path, name) => {
    expect(parsePathStat(Buffer.from('33188 3 0 0 0\n'), path)?.stat.name).toBe(name);
  });
});
