import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemChange } from '../../api/types/container.ts';
import { isOpaque } from '../../host/files/opaque.ts';
import { overlayEntry, overlayNames } from '../../host/files/overlay-root.ts';
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

/** Walks a directory of the container's own layer. True where something below it differs from the image. */
async function walk(state: Walk, directory: string): Promise<boolean> {
  const names = await readdir(join(state.upper, directory)).catch((error: NodeJS.ErrnoException) => {
    // Not started yet, or taken away while it was walked.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const before = state.changes.length;
  // A directory that was removed and made again: of the image's nothing shows any more.
  if (isOpaque(join(state.upper, directory))) await addDeleted(state, directory, new Set(names));
  for (const name of names) await compare(state, `${directory}/${name}`);
  return state.changes.length > before;
}

async function compare(state: Walk, path: string): Promise<void> {
  const status = await lstat(join(state.upper, path)).catch(() => null);
  if (!status) return;
  const below = await overlayEntry(state.lower, path);
  if (status.isCharacterDevice() && status.rdev === 0) {
    if (below) state.changes.push({ Path: path, Kind: deleted });
    return;
  }
  if (!below) state.changes.push({ Path: path, Kind: added });
  const isDifferent = below !== null && !isSame(status, below);
  if (status.isDirectory()) {
    // One that is only there to hold a change is one itself.
    if (((await walk(state, path)) || isDifferent) && below) state.changes.push({ Path: path, Kind: modified });
    return;
  }
  if (isDifferent) state.changes.push({ Path: path, Kind: modified });
  if (below?.isDirectory()) await addDeleted(state, path, new Set());
}

/** What the image has in a directory and the container has not. */
async function addDeleted(state: Walk, directory: string, present: ReadonlySet<string>): Promise<void> {
  for (const name of await overlayNames(state.lower, directory))
    if (!present.has(name)) state.changes.push({ Path: `${directory}/${name}`, Kind: deleted });
}

/** As Docker compares: a directory's size and time say nothing. */
function isSame(a: Stats, b: Stats): boolean {
  const isSameObject = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.rdev === b.rdev;
  return isSameObject && (a.isDirectory() || (a.size === b.size && a.mtimeMs === b.mtimeMs));
}
