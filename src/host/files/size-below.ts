import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all regular files below a directory; what goes away meanwhile counts as nothing. */
export async function sizeBelow(directory: string): Promise<number> {
  let total = 0;
  // What cannot be read, or is gone, has no size to tell.
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) total += await sizeBelow(path);
    else if (entry.isFile()) total += (await lstat(path).catch(() => null))?.size ?? 0;
  }
  return total;
}
