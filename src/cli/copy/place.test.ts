import { describe, expect, test } from 'bun:test';
import { placeCopy, splitPath } from './place.ts';

test.each([
  ['/a/b', '/a', 'b'],
  ['/a/b/', '/a', 'b'],
  ['/a/b/.', '/a/b', '.'],
  ['/b', '/', 'b'],
  ['b', '.', 'b'],
  ['/', '/', '.'],
  ['', '/', '.'],
])('%p is %p and %p', (path, directory, base) => {
  expect(splitPath(path)).toEqual({ directory, base });
});

describe('a copy ends up', () => {
  const file = { base: 'f', shown: 'f', isDirectory: false };
  const directory = { base: 'd', shown: 'd', isDirectory: true };
  const existing = (path: string, isDirectory: boolean) => ({ path, exists: true, isDirectory });
  const missing = (path: string) => ({ path, exists: false, isDirectory: false });

  test('in a directory under its own name', () => {
    expect(placeCopy(file, existing('/x', true))).toEqual({ directory: '/x', name: 'f' });
    expect(placeCopy(directory, existing('/x', true))).toEqual({ directory: '/x', name: 'd' });
    expect(placeCopy({ ...directory, base: '.', shown: '.' }, existing('/x', true))).toEqual({
      directory: '/x',
      name: '.',
    });
  });

  test('under the name of the link that was followed', () => {
    expect(placeCopy({ base: 'target', shown: 'link', isDirectory: false }, existing('/x', true)).name).toBe('link');
  });

  test('under a new name, or over a file', () => {
    expect(placeCopy(file, missing('/x/new'))).toEqual({ directory: '/x', name: 'new' });
    expect(placeCopy(directory, missing('/x/new/'))).toEqual({ directory: '/x', name: 'new' });
    expect(placeCopy(file, existing('/x/old', false))).toEqual({ directory: '/x', name: 'old' });
  });

  test('nowhere', () => {
    expect(() => placeCopy(directory, existing('/x/old', false))).toThrow('cannot copy directory');
    expect(() => placeCopy(file, missing('/x/new/'))).toThrow('no such directory');
  });
});
