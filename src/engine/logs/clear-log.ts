import { readdir, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Forgets the log of a container that does not run: its rotated files go, the current one is cut to nothing. What is not there is fine. */
export async function clearLog(path: string): Promise<void> {
  const rotated = new RegExp(`^${RegExp.escape(basename(path))}\\.\\d+(\\.gz)?$`);
  const names = await readdir(dirname(path)).catch(nothingThere);
  for (const name of names ?? []) if (rotated.test(name)) await rm(join(dirname(path), name), { force: true });
  await truncate(path).catch(nothingThere);
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
