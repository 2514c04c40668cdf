import { rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { namesIn } from '../../base/names-in.ts';

/** Forgets the log of a container that does not run: its rotated files go, the current one is cut to nothing. What is not there is fine. */
export async function clearLog(path: string): Promise<void> {
  const rotated = new RegExp(`^${RegExp.escape(basename(path))}\\.\\d+(\\.gz)?$`);
  const directory = dirname(path);
  for (const name of await namesIn(directory)) if (rotated.test(name)) await rm(join(directory, name), { force: true });
  await truncate(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
