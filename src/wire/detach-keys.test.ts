import { describe, expect, test } from 'bun:test';
import { DetachFilter, parseDetachKeys } from './detach-keys.ts';

describe('detach keys', () => {
  test('as they are written', () => {
    expect([...parseDetachKeys('')]).toEqual([16, 17]);
    expect([...parseDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
    expect([...parseDetachKeys('a,ctrl-@,ctrl-[,ctrl-_,DEL,CTRL-C')]).toEqual([97, 0, 27, 31, 127, 3]);
    for (const text of ['ctrl-', 'foo', 'ctrl-1', 'a,,b'])
      expect(() => parseDetachKeys(text)).toThrow('Unknown character');
  });

  function typed(...chunks: string[]): [string, boolean] {
    const filter = new DetachFilter(Uint8Array.of(16, 17));
    let passed = '';
    for (const chunk of chunks) {
      const { pass, detached } = filter.push(Buffer.from(chunk));
      passed += Buffer.from(pass).toString();
      if (detached) return [passed, true];
    }
    return [passed, false];
  }

  for (const [name, chunks, expected] of [
    ['nothing of them', ['abc', 'def'], ['abcdef', false]],
    ['in one chunk', ['ab\x10\x11cd'], ['ab', true]],
    ['in two chunks', ['ab\x10', '\x11cd'], ['ab', true]],
    ['the first alone is passed on later', ['ab\x10', 'cd'], ['ab\x10cd', false]],
    ['the first twice', ['\x10\x10\x11'], ['\x10', true]],
    ['the second alone', ['\x11\x11'], ['\x11\x11', false]],
  ] as const)
    test(name, () => expect(typed(...chunks)).toEqual([expected[0], expected[1]]));
});
