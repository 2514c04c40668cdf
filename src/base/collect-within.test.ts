import { expect, test } from 'bun:test';
import { collectWithin } from './collect-within.ts';

test('all of it, or the error as soon as there is more', async () => {
  let ended = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const text of ['ab', 'cd', 'ef']) yield Buffer.from(text);
    } finally {
      ended++;
    }
  }
  expect((await collectWithin(chunks(), 6, () => new Error('long'))).toString()).toBe('abcdef');
  await expect(collectWithin(chunks(), 3, () => new Error('long'))).rejects.toThrow('long');
  expect(ended).toBe(2);
});
