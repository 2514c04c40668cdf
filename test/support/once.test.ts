import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from './once.ts';

test('made once, whole or not at all, whoever wants it at the same time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-once-'));
  const path = join(folder, 'made');
  try {
    await expect(once(path, () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    expect(existsSync(path)).toBe(false);
    mkdirSync(`${path}.unfinished/of-one-that-was-killed`, { recursive: true });
    let made = 0;
    const make = async (unfinished: string): Promise<void> => {
      made++;
      writeFileSync(unfinished, 'whole');
      await Promise.resolve();
    };
    await Promise.all([once(path, make), once(path, make), once(path, make)]);
    expect([made, readFileSync(path, 'utf8')]).toEqual([1, 'whole']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
