import { afterAll } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Makes a folder for the test file that calls this; it goes when the file's tests are over. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Gives a maker of folders with these files, by path, for one test file; they go when its tests are over. */
export function contextFolders(): (files: Readonly<Record<string, string>>) => string {
  const root = ownFolder();
  return (files) => {
    const folder = mkdtempSync(join(root, 'context-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  };
}
