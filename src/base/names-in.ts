import { readdir } from 'node:fs/promises';

/** Names in a directory; none where it does not exist. Error: the system's, for anything else. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
