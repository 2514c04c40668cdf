import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemChange } from '../../api/types/container.ts';
import { overlayEntry } from '../../host/files/overlay-root.ts';
import type { ContainerContext } from './context.ts';

const modified = 0;
const added = 1;
const deleted = 2;

/**
 * What the container's own layer holds against its image, in the order of paths. Names that are not UTF-8 appear with
 * replacement characters. Error: `not-found`.
 */
export async function containerChanges(context: ContainerContext, reference: string): Promise<FilesystemChange[]> {
  const container = context.index.find(reference);
  const { paths } = context.dependencies;
  const { record } = container;
  const lower = await context.lowerLayers(container);
  const changes: FilesystemChange[] = [];
  await walk({ upper: paths.container(record.id).upper, lower, changes }, '');
  return changes.sort((a, b) => (a.Path < b.Path ? -1 : 1));
}

interface Walk {
  upper: string;
  lower: readonly string[];
  changes: FilesystemChange[];
}

async function walk(state: Walk, directory: string): Promise<void> {
  const names = await readdir(join(state.upper, directory)).catch((error: NodeJS.ErrnoException) => {
    // Not started yet, or taken away while it was walked.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  for (const name of names) {
    const path = `${directory}/${name}`;
    const status = await lstat(join(state.upper, path)).catch(() => null);
    if (!status) continue;
    const below = await overlayEntry(state.lower, path);
    if (status.isCharacterDevice() && status.rdev === 0) {
      if (below) state.changes.push({ Path: path, Kind: deleted });
      continue;
    }
    if (!below) state.changes.push({ Path: path, Kind: added });
    else if (!isSame(status, below)) state.changes.push({ Path: path, Kind: modified });
    if (status.isDirectory()) await walk(state, path);
  }
}

/** A directory that overlay copied up only to hold a change below is one as well, as Docker counts. */
function isSame(a: Stats, b: Stats): boolean {
  return (
    !a.isDirectory() &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.size === b.size &&
    a.rdev === b.rdev &&
    a.mtimeMs === b.mtimeMs
  );
}
