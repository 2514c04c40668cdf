// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what is expanded
import { expect, test } from 'bun:test';
import { ShellLexer } from './shell-words.ts';

const variables = new Map([
  ['x', 'foo.tar.gz'],
  ['empty', ''],
  ['glob', '*'],
]);

function expand(text: string, options: { escapeSign?: string; keepUnset?: boolean; raw?: boolean } = {}): string {
  return new ShellLexer({ escapeSign: '\\', ...options }).expand(text, variables).text;
}

test.each([
  ['plain', 'plain'],
  ['$x', 'foo.tar.gz'],
  ['${x}y', 'foo.tar.gzy'],
  ['$xy', ''],
  ["'$x'", '$x'],
  ['"$x"', 'foo.tar.gz'],
  ['"a\\"b"', 'a"b'],
  ['"a\\b"', 'a\\b'],
  ['a\\ b', 'a b'],
  ['\\$x', '$x'],
  ['a\\', 'a'],
  ['$', '$'],
  ['$.', '$.'],
  ['${empty:-d}', 'd'],
  ['${empty-d}', ''],
  ['${none-d}', 'd'],
  ['${none:+d}', ''],
  ['${x:+d}', 'd'],
  ['${none:-${x}}', 'foo.tar.gz'],
  ['${none:-"a b"}', 'a b'],
  ['${x#*.}', 'tar.gz'],
  ['${x##*.}', 'gz'],
  ['${x%.*}', 'foo.tar'],
  ['${x%%.*}', 'foo'],
  ['${x%nope}', 'foo.tar.gz'],
  ['${x/o/0}', 'f0o.tar.gz'],
  ['${x//o/0}', 'f00.tar.gz'],
  ['${x/.tar/}', 'foo.gz'],
  ['${x//"."/-}', 'foo-tar-gz'],
  ['${x/$glob/}', ''],
  ["${x/'*'/}", 'foo.tar.gz'],
  ['日本$x', '日本foo.tar.gz'],
])('%s is %s', (text, expected) => {
  expect(expand(text)).toBe(expected);
});

test.each([
  ['${x', "missing '}'"],
  ['${}', 'bad substitution'],
  ['${:-x}', 'bad substitution'],
  ['${x!y}', 'unsupported modifier (!)'],
  ['${x:!y}', 'unsupported modifier (:!)'],
  ['"a', 'double-quote'],
  ["'a", 'single-quote'],
  ['${none:?gone}', 'none: gone'],
  ['${none?}', 'none: not allowed to be unset'],
])('%s is an error', (text, message) => {
  expect(() => expand(text)).toThrow(message);
});

test('another escape sign', () => {
  expect(expand('a` b\\c', { escapeSign: '`' })).toBe('a b\\c');
});

test('what is not set can stay', () => {
  expect(expand('$none ${none} $x', { keepUnset: true })).toBe('$none ${none} foo.tar.gz');
});

test('words end at blanks outside of quotes', () => {
  const words = new ShellLexer({ escapeSign: '\\' }).words('a "b c"  d\\ e \'\' $empty', variables);
  expect(words).toEqual(['a', 'b c', 'd e', '']);
});

test('names of what was not set', () => {
  expect(new ShellLexer({ escapeSign: '\\' }).expand('$a ${b} $x', variables).unset).toEqual(['a', 'b']);
});
