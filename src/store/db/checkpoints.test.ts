import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './checkpoint-job.ts';
import { BerthDatabase } from './database.ts';

test('the log begins again after a checkpoint, and nothing is lost', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-checkpoints-'));
  const path = join(directory, 'berth.db');
  const database = new BerthDatabase(path);
  const write = (rounds: number): void => {
    for (let i = 0; i < rounds; i++) database.setMeta(`key ${i}`, 'x'.repeat(1000));
  };
  const before = database.changes();
  write(1000);
  expect(database.changes() - before).toBe(1000);
  const size = statSync(`${path}-wal`).size;
  await run({ path });
  write(500);
  // The same pages of the log were written again.
  expect(statSync(`${path}-wal`).size).toBe(size);
  expect(database.meta('key 999')).toBe('x'.repeat(1000));
  database.close();
  rmSync(directory, { recursive: true });
});
