import { expect, test } from 'bun:test';
import { globExpression, IgnoreRules, parseIgnoreFile } from './ignore-patterns.ts';

test.each([
  ['a', 'a', true],
  ['a', 'b/a', false],
  ['a', 'a/b', true],
  ['/a/', 'a', true],
  ['./a', 'a', true],
  ['*', 'anything', true],
  ['*.md', 'x.md', true],
  ['*.md', 'd/x.md', false],
  ['**/*.md', 'd/e/x.md', true],
  ['**/*.md', 'x.md', true],
  ['d/**', 'd/e/f', true],
  ['d/**/f', 'd/f', true],
  ['?x', 'ax', true],
  ['?x', '/x', false],
  ['[a-c]', 'b', true],
  ['[^a-c]', 'b', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a.b', 'axb', false],
])('%s and %s: %p', (pattern, path, ignored) => {
  expect(new IgnoreRules([pattern]).ignores(path)).toBe(ignored);
});

test('the last pattern that matches decides', () => {
  const rules = new IgnoreRules(parseIgnoreFile('# no\n\n*\n!keep\n!d/*.txt\nd/secret.txt\n'));
  expect(['x', 'keep', 'd/a.txt', 'd/secret.txt', 'd/b'].filter((path) => !rules.ignores(path))).toEqual([
    'keep',
    'd/a.txt',
  ]);
  expect(rules.isFinal).toBe(false);
});

test('a class without an end is an error', () => {
  expect(() => globExpression('[a')).toThrow('syntax error in pattern');
});
