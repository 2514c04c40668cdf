import { describe, expect, test } from 'bun:test';
import { checkLogOptions, logBufferSize, logFileLimits } from './log-options.ts';
import { expandTag } from './log-tag.ts';

describe('what is known when the container is made', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['nope', {}, 'error looking up logging plugin nope: plugin "nope" not found'],
    ['syslog', {}, 'log driver syslog is not supported by Berth yet: use json-file, local or none'],
    ['json-file', { foo: 'x' }, "unknown log opt 'foo' for json-file log driver"],
    ['local', { foo: 'x' }, "unknown log opt 'foo' for log driver local"],
    ['local', { labels: 'x' }, "unknown log opt 'labels' for log driver local"],
    ['json-file', { mode: 'x' }, 'logger: logging mode not supported: x'],
    ['local', { 'max-buffer-size': '1k' }, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
    [
      ...(['json-file', { mode: 'non-blocking', 'max-buffer-size': 'x' }] as const),
      "error parsing option max-buffer-size: invalid size: 'x'",
    ],
  ];
  for (const [driver, options, message] of cases)
    test(message, () => expect(() => checkLogOptions(driver, options)).toThrow(message));
  test('the rest passes', () => {
    checkLogOptions('none', { foo: 'x' });
    checkLogOptions('local', { 'max-size': '1m', mode: 'non-blocking', 'max-buffer-size': '4m' });
    checkLogOptions('json-file', { 'labels-regex': '^a', tag: 'x', mode: '', 'cache-disabled': 'true' });
  });
});

test('a buffer is for those that must not wait', () => {
  expect(logBufferSize({})).toBe(0);
  expect(logBufferSize({ mode: 'blocking' })).toBe(0);
  expect(logBufferSize({ mode: 'non-blocking' })).toBe(1_048_576);
  expect(logBufferSize({ mode: 'non-blocking', 'max-buffer-size': '4m' })).toBe(4_194_304);
});

describe('files', () => {
  const good: [string, Record<string, string>, [number, number, boolean]][] = [
    ['json-file', {}, [20e6, 5, false]],
    ['json-file', { 'max-size': '10k' }, [10_000, 1, false]],
    ['json-file', { 'max-size': '-1' }, [-1, 1, false]],
    ['json-file', { 'max-file': '2', compress: '1' }, [20e6, 2, true]],
    ['local', {}, [20e6, 5, true]],
    ['local', { 'max-size': '0' }, [-1, 5, true]],
    ['local', { 'max-file': '0', compress: 'false' }, [20e6, 1, false]],
  ];
  for (const [driver, options, [maxSize, maxFile, compress]] of good)
    test(`${driver} ${JSON.stringify(options)}`, () =>
      expect(logFileLimits(driver, options)).toEqual({ maxSize, maxFile, compress }));
  const bad: [string, Record<string, string>, string][] = [
    ['json-file', { 'max-size': 'x' }, "invalid size: 'x'"],
    ['json-file', { 'max-size': '0' }, 'max-size must be a positive number'],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    ['json-file', { 'max-file': 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['json-file', { compress: 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    ['json-file', { compress: 'true', 'max-size': '1m' }, 'compress cannot be true when max-file is less than 2'],
    ['local', { 'max-size': '-1' }, "invalid value for max-size: -1: invalid size: '-1'"],
    ['local', { 'max-file': 'x' }, 'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax'],
    ['local', { 'max-file': '-1' }, 'max file count cannot be less than 0'],
    ['local', { 'max-file': '1' }, 'compression cannot be enabled when max file count is 1'],
    ['local', { compress: 'x' }, 'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax'],
  ];
  for (const [driver, options, message] of bad)
    test(`${driver}: ${message}`, () => expect(() => logFileLimits(driver, options)).toThrow(message));
});

describe('tags', () => {
  const fields = { Name: 'web', ID: '0123' };
  test('fields', () => {
    expect(expandTag('{{.Name}}/{{ .ID }}!', fields)).toBe('web/0123!');
    expect(expandTag('a {{- .Name -}} b', fields)).toBe('awebb');
    expect(expandTag('plain', fields)).toBe('plain');
  });
  test('mistakes', () => {
    expect(() => expandTag('{{', fields)).toThrow('template: log-tag:1: unclosed action');
    expect(() => expandTag('{{.Foo}}', fields)).toThrow(
      'template: log-tag:1:2: executing "log-tag" at <.Foo>: can\'t evaluate field Foo in type *logger.Info',
    );
    expect(() => expandTag('{{upper .Name}}', fields)).toThrow('only fields are supported');
  });
});
