import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFile } from './file-lock.ts';

test('one holder at a time, and no child keeps it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-lock-'));
  const path = join(folder, 'lock');
  const free = lockFile(path);
  expect(free).not.toBeNull();
  expect(lockFile(path)).toBeNull();
  const child = Bun.spawn(['cat'], { stdin: 'pipe' });
  free?.();
  // Between its fork and its exec the child still has the descriptor.
  let again: ReturnType<typeof lockFile> = null;
  while (again === null) again = lockFile(path);
  again();
  child.kill();
  await child.exited;
  rmSync(folder, { recursive: true });
});
