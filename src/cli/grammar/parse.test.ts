import { describe, expect, test } from 'bun:test';
import { defineOptions } from './options.ts';
import { parseArguments } from './parse.ts';

const table = defineOptions({
  detach: { kind: 'bool', short: 'd', help: '' },
  env: { kind: 'list', short: 'e', help: '' },
  interactive: { kind: 'bool', short: 'i', help: '' },
  memory: { kind: 'bytes', short: 'm', help: '' },
  old: { kind: 'string', hidden: true, refused: 'not supported yet', help: '' },
  name: { kind: 'string', help: '' },
  period: { kind: 'duration', help: '' },
  platform: { kind: 'csv', help: '' },
  progress: { kind: 'string', alone: 'plain', help: '' },
  publish: { kind: 'list', short: 'p', help: '' },
  retries: { kind: 'int', short: 'n', default: '-1', help: '' },
  'sig-proxy': { kind: 'bool', default: 'true', help: '' },
  tty: { kind: 'bool', short: 't', help: '' },
  weight: { kind: 'uint16', help: '' },
});

const parse = (...argv: string[]) => parseArguments(table, argv, { interspersed: true });
const parseRun = (...argv: string[]) => parseArguments(table, argv, { interspersed: false });

describe('accepted', () => {
  test('defaults', () => {
    expect(parse().options).toEqual({
      detach: false,
      env: [],
      interactive: false,
      memory: 0,
      old: '',
      name: '',
      period: 0,
      platform: [],
      progress: '',
      publish: [],
      retries: -1,
      'sig-proxy': true,
      tty: false,
      weight: 0,
    });
  });

  test.each([
    [['-it'], { interactive: true, tty: true }],
    [['-p8080:80'], { publish: ['8080:80'] }],
    [['-p', '8080:80', '-p=1:2'], { publish: ['8080:80', '1:2'] }],
    [['-itp8080:80'], { interactive: true, tty: true, publish: ['8080:80'] }],
    [['-ite', 'A=1'], { interactive: true, tty: true, env: ['A=1'] }],
    [['--name=x'], { name: 'x' }],
    [['--name='], { name: '' }],
    [['--name', '-x'], { name: '-x' }],
    [['--detach=false'], { detach: false }],
    [['-d=0'], { detach: false }],
    [['--sig-proxy=false'], { 'sig-proxy': false }],
    [['-n', '-5'], { retries: -5 }],
    [['-m', '512m'], { memory: 512 << 20 }],
    [['--memory=-1'], { memory: -1 }],
    [['--period', '1m30s'], { period: 90e9 }],
    [['--progress'], { progress: 'plain' }],
    [['--progress=tty'], { progress: 'tty' }],
    [['--platform', 'a,b', '--platform', 'c'], { platform: ['a', 'b', 'c'] }],
    [['--name', 'a', '--name', 'b'], { name: 'b' }],
    [['--weight', '0x10'], { weight: 16 }],
  ])('%p', (argv, expected) => {
    expect(parse(...(argv as string[])).options).toMatchObject(expected as object);
  });

  test('words stand among the options, and behind -- nothing is one', () => {
    expect(parse('a', '-d', 'b', '--', '-x', '--name').words).toEqual(['a', 'b', '-x', '--name']);
    expect(parse('-').words).toEqual(['-']);
  });

  test('the first word ends the options of a command that runs something', () => {
    const { options, words } = parseRun('-d', 'image', 'ls', '-d', '--name=x');
    expect(options.detach).toBe(true);
    expect(options.name).toBe('');
    expect(words).toEqual(['image', 'ls', '-d', '--name=x']);
    expect(parseRun('--', '-d').words).toEqual(['-d']);
  });

  test('what was given is known, a default is not given', () => {
    expect([...parse('--sig-proxy=true', '-e', 'A').given]).toEqual(['sig-proxy', 'env']);
  });

  test('help', () => {
    expect(parse('--help').help).toBe(true);
    expect(parse('-h').help).toBe(true);
    expect(parseRun('image', '--help').help).toBe(false);
  });
});

test.each([
  [['--old=1'], '--old: not supported yet'],
  [['--foo'], 'unknown flag: --foo'],
  [['--foo=1'], 'unknown flag: --foo'],
  [['-z'], "unknown shorthand flag: 'z' in -z"],
  [['-itz'], "unknown shorthand flag: 'z' in -z"],
  [['-zit'], "unknown shorthand flag: 'z' in -zit"],
  [['--name'], 'flag needs an argument: --name'],
  [['-m'], "flag needs an argument: 'm' in -m"],
  [['-itm'], "flag needs an argument: 'm' in -m"],
  [['--=x'], 'bad flag syntax: --=x'],
  [['---x'], 'bad flag syntax: ---x'],
  [
    ['--detach=maybe'],
    'invalid argument "maybe" for "-d, --detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [['-m', 'x'], `invalid argument "x" for "-m, --memory" flag: invalid size: 'x'`],
  [['-n', 'x'], 'invalid argument "x" for "-n, --retries" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [
    ['-n', '9223372036854775808'],
    'invalid argument "9223372036854775808" for "-n, --retries" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
  [['--period', 'x'], 'invalid argument "x" for "--period" flag: time: invalid duration "x"'],
  [
    ['--weight', '70000'],
    'invalid argument "70000" for "--weight" flag: strconv.ParseUint: parsing "70000": value out of range',
  ],
  [['--__proto__=1'], 'unknown flag: --__proto__'],
])('refused: %p', (argv, message) => {
  expect(() => parse(...(argv as string[]))).toThrow(message as string);
});
