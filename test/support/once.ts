/** What costs minutes is made once on a machine, however many tests want it at the same time. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Calls `make` where nothing is at `path` yet, and puts what it made there. Who comes meanwhile waits, in whatever process.
 * @param make gets the path at which to make it
 */
export async function once(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  // The kernel frees the lock when the holder is gone, and the holder goes when its input ends: at the latest with this process.
  const holder = Bun.spawn(['flock', `${path}.lock`, 'sh', '-c', 'echo; exec cat'], { stdin: 'pipe', stdout: 'pipe' });
  try {
    await holder.stdout.getReader().read();
    if (existsSync(path)) return;
    const unfinished = `${path}.unfinished`;
    // Of one that was killed.
    rmSync(unfinished, { recursive: true, force: true });
    await make(unfinished);
    renameSync(unfinished, path);
  } finally {
    await holder.stdin.end();
    await holder.exited;
  }
}
