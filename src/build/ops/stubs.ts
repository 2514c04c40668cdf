import { lstat, rm, rmdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { StepMount } from '../graph/operations.ts';

/** Below these the runtime mounts file systems of its own. */
const elsewhere = /^\/(?:dev|proc|sys)(?:\/|$)/;

/** Paths that the runtime makes only to mount something there, the deepest first. */
export async function stubsOf(lower: readonly string[], mounts: readonly StepMount[]): Promise<string[]> {
  const paths = new Set<string>();
  for (const { target } of mounts) {
    if (target === '' || elsewhere.test(target)) continue;
    for (
      let path = posix.normalize(target).replace(/\/$/, '');
      path !== '/' && path !== '';
      path = posix.dirname(path)
    ) {
      if (await existsIn(lower, path)) break;
      paths.add(path);
    }
  }
  return [...paths].sort((a, b) => b.length - a.length);
}

/** Takes the empty ones away again, so that a mount is no part of the layer. */
export async function removeStubs(upper: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const place = join(upper, path);
    const status = await lstat(place).catch(() => null);
    if (status?.isDirectory())
      await rmdir(place).catch(() => undefined); // the step has put something there
    else if (status?.isFile() && status.size === 0) await rm(place);
  }
}

async function existsIn(lower: readonly string[], path: string): Promise<boolean> {
  for (const layer of lower) if (await lstat(join(layer, path)).catch(() => null)) return true;
  return false;
}
