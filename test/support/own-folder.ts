import { afterAll } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder for the test file that calls this; it goes when the file's tests are over. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
