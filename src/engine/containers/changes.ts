import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemChange } from '../../api/types/container.ts';
import { isOpaque } from '../../host/files/opaque.ts';
import { overlayDirectory, overlayEntry, overlayNames } from '../../host/files/overlay-root.ts';
import type { ContainerContext } from './context.ts';

const modified = 0;
const added = 1;
const deleted = 2;

/** Names of a directory that are looked at together. */
const atOnce = 64;

/**
 * What the container's own layer holds against its image, in the order of paths. Names that are not UTF-8 appear with
 * replacement characters. Error: `not-found`.
 */
export async function containerChanges(context: ContainerContext, reference: string): Promise<FilesystemChange[]> {
  const container = context.index.find(reference);
  const { upper } = context.dependencies.paths.container(container.record.id);
  const changes = await changesBelow({ path: '', upper, lower: await context.lowerLayers(container) });
  return changes.sort((a, b) => (a.Path < b.Path ? -1 : 1));
}

/** A directory of the container's own layer. */
interface Place {
  /** In the container. */
  path: string;
  upper: string;
  /** The image's directories at this path, the top one first; none: it has no directory there. */
  lower: readonly string[];
}

async function changesBelow(place: Place): Promise<FilesystemChange[]> {
  const names = await readdir(place.upper).catch((error: NodeJS.ErrnoException) => {
    // Not started yet, or taken away while it was walked.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  // A directory that was removed and made again: of the image's nothing shows any more.
  const found = isOpaque(place.upper) ? [await missing(place, new Set(names))] : [];
  for (let first = 0; first < names.length; first += atOnce)
    found.push(...(await Promise.all(names.slice(first, first + atOnce).map((name) => compare(place, name)))));
  return found.flat();
}

async function compare(parent: Place, name: string): Promise<FilesystemChange[]> {
  const path = `${parent.path}/${name}`;
  const upper = join(parent.upper, name);
  const status = await lstat(upper).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null; // taken away while it was walked
    throw error;
  });
  if (!status) return [];
  const below = await overlayEntry(parent.lower, name);
  if (status.isCharacterDevice() && status.rdev === 0) return below ? [{ Path: path, Kind: deleted }] : [];
  const isDifferent = below !== null && !isSame(status, below);
  const lower = below?.isDirectory() ? ((await overlayDirectory(parent.lower, name)) ?? []) : [];
  const inside = status.isDirectory()
    ? await changesBelow({ path, upper, lower })
    : await missing({ path, upper, lower }, new Set());
  if (below === null) return [{ Path: path, Kind: added }, ...inside];
  // A directory that is only there to hold a change is one itself.
  const isModified = isDifferent || (status.isDirectory() && inside.length > 0);
  return isModified ? [{ Path: path, Kind: modified }, ...inside] : inside;
}

/** What the image has in a directory and the container has not. */
async function missing({ path, lower }: Place, present: ReadonlySet<string>): Promise<FilesystemChange[]> {
  const names = await overlayNames(lower, '');
  return names.filter((name) => !present.has(name)).map((name) => ({ Path: `${path}/${name}`, Kind: deleted }));
}

/** As Docker compares: a directory's size and time say nothing. */
function isSame(a: Stats, b: Stats): boolean {
  const isSameObject = a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.rdev === b.rdev;
  return isSameObject && (a.isDirectory() || (a.size === b.size && a.mtimeMs === b.mtimeMs));
}
