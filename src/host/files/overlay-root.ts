/**
 * Reads small files of a root file system that is not mounted: its layers are looked through as overlay would, and symbolic
 * links are followed inside of it only (https://docs.kernel.org/filesystems/overlayfs.html).
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isOpaque } from './opaque.ts';

const mostLinks = 40;

/**
 * The bytes of the regular file at `path`, or null where there is none.
 * @param layers directories, the top one first
 * @param limit bytes; a longer file counts as missing, so that a hostile image cannot fill memory
 */
export async function readOverlayFile(layers: readonly string[], path: string, limit: number): Promise<Buffer | null> {
  const found = await resolve(layers, path);
  if (found === null) return null;
  const file = await open(found, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > limit) return null;
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Status of what `path` names in the merged tree, the last component not followed; null: nothing. */
export async function overlayEntry(layers: readonly string[], path: string): Promise<Stats | null> {
  let directories: readonly string[] = layers;
  const parts = path.split('/').filter((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    const entry = await lookUp(directories, part);
    if (entry === null) return null;
    const last = index === parts.length - 1;
    if (last) return lstat(entry.kind === 'directory' ? (entry.parts[0] as string) : entry.path);
    if (entry.kind !== 'directory') return null;
    directories = entry.parts;
  }
  return null;
}

/** The real directories that the merged one at `path` is made of, the top one first; links are not followed. Null: it is none. */
export async function overlayDirectory(layers: readonly string[], path: string): Promise<readonly string[] | null> {
  let directories: readonly string[] = layers;
  for (const part of path.split('/').filter((piece) => piece !== '' && piece !== '.')) {
    const entry = await lookUp(directories, part);
    if (entry?.kind !== 'directory') return null;
    directories = entry.parts;
  }
  return directories;
}

/** Names in the merged directory at `path`; none where it is no directory. */
export async function overlayNames(layers: readonly string[], path: string): Promise<string[]> {
  const directories = (await overlayDirectory(layers, path)) ?? [];
  const names = new Set<string>();
  const hidden = new Set<string>();
  for (const directory of directories)
    for (const name of await readdir(directory)) {
      if (names.has(name) || hidden.has(name)) continue;
      (isWhiteout(await lstat(join(directory, name))) ? hidden : names).add(name);
    }
  return [...names];
}

/** The real path of what `path` names, when that is not a directory. */
async function resolve(layers: readonly string[], path: string): Promise<string | null> {
  const rest = path.split('/').filter((part) => part !== '' && part !== '.');
  // Each level: the real directories that the merged one is made of, the top one first.
  const levels: string[][] = [[...layers]];
  let links = 0;
  while (rest.length > 0) {
    const part = rest.shift() as string;
    if (part === '..') {
      if (levels.length > 1) levels.pop();
      continue;
    }
    const entry = await lookUp(levels.at(-1) as string[], part);
    if (entry === null) return null;
    if (entry.kind === 'directory') {
      levels.push(entry.parts);
      continue;
    }
    if (entry.kind === 'link') {
      if (++links > mostLinks) return null;
      const target = await readlink(entry.path);
      if (target.startsWith('/')) levels.splice(1);
      rest.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
      continue;
    }
    return rest.length === 0 ? entry.path : null;
  }
  return null;
}

type Entry = { kind: 'directory'; parts: string[] } | { kind: 'link'; path: string } | { kind: 'other'; path: string };

async function lookUp(directories: readonly string[], name: string): Promise<Entry | null> {
  const parts: string[] = [];
  for (const directory of directories) {
    const path = join(directory, name);
    const status = await statOrNull(path);
    if (status === null) continue;
    if (!status.isDirectory()) {
      // A file below a directory of a higher layer is hidden by it.
      if (parts.length > 0 || isWhiteout(status)) break;
      return status.isSymbolicLink() ? { kind: 'link', path } : { kind: 'other', path };
    }
    parts.push(path);
    if (isOpaque(path)) break;
  }
  return parts.length > 0 ? { kind: 'directory', parts } : null;
}

function isWhiteout(status: Stats): boolean {
  return status.isCharacterDevice() && status.rdev === 0;
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
