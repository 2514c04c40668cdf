import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { type FileEntry, type FileSource, plainDirectory, toPath } from './file-source.ts';
import { readPieces } from './read-file.ts';

/** Attributes of files that the builder looks at. */
export interface TreeAttributes {
  /** Tells whether a directory hides what lower layers have at its place. */
  isOpaque(directory: Buffer): boolean;
  /** What a program may do beyond its user's rights (capabilities(7)), as the kernel keeps it; null: nothing. */
  capability(file: Buffer): Buffer | null;
}

export interface LayeredFilesOptions {
  /** Directories, the top first. */
  layers: readonly string[];
  /** Everything belongs to root, whoever it belongs to on this machine. */
  rootOwned?: boolean;
  identity?: () => Promise<string | null>;
  revision?: string;
  /** Absent: a plain directory of this machine, which has none that count. */
  attributes?: TreeAttributes;
}

type Found = { entry: FileEntry; places: Buffer[] };

const anyExecute = 0o111;
/** Bytes. */
const smallSize = 256 * 1024;

/** A directory, or a stack of them merged as overlay does (https://docs.kernel.org/filesystems/overlayfs.html), without mounting it. */
export class LayeredFiles implements FileSource {
  readonly #options: LayeredFilesOptions;
  readonly #found = new Map<string, Promise<Found | null>>();
  readonly #digests = new Map<string, Promise<string>>();

  constructor(options: LayeredFilesOptions) {
    this.#options = options;
  }

  get revision(): string | undefined {
    return this.#options.revision;
  }

  async entry(path: string): Promise<FileEntry | null> {
    return (await this.#find(path))?.entry ?? null;
  }

  async names(path: string): Promise<string[]> {
    const found = await this.#find(path);
    if (found?.entry.type !== 'directory') return [];
    const lists = await Promise.all(found.places.map((place) => readdir(place, { encoding: 'buffer' })));
    const names = [...new Set(lists.flat().map((name) => name.toString('latin1')))].sort();
    const base = path === '/' ? '' : path;
    const there = await Promise.all(names.map((name) => this.#find(`${base}/${name}`)));
    return names.filter((_name, index) => there[index] !== null);
  }

  digest(path: string): Promise<string> {
    let digest = this.#digests.get(path);
    if (!digest) {
      digest = this.#digest(path);
      this.#digests.set(path, digest);
    }
    return digest;
  }

  async place(path: string): Promise<Buffer> {
    const found = await this.#find(path);
    if (!found) throw new Error(`nothing at ${path}`);
    return found.places[0] as Buffer;
  }

  async places(path: string): Promise<Buffer[]> {
    return (await this.#find(path))?.places ?? [];
  }

  async capability(path: string): Promise<Buffer | null> {
    const { attributes } = this.#options;
    if (!attributes) return null;
    const found = await this.#find(path);
    if (found?.entry.type !== 'file' || (found.entry.mode & anyExecute) === 0) return null;
    return attributes.capability(found.places[0] as Buffer);
  }

  forget(path: string): void {
    this.#found.delete(path);
    this.#digests.delete(path);
  }

  identity(): Promise<string | null> {
    return this.#options.identity?.() ?? Promise.resolve(null);
  }

  async #digest(path: string): Promise<string> {
    const found = await this.#find(path);
    if (!found) throw new Error(`nothing at ${path}`);
    return hashFile(found.places[0] as Buffer, found.entry.size);
  }

  #find(path: string): Promise<Found | null> {
    if (path === '/' || path === '')
      return Promise.resolve({
        entry: plainDirectory,
        places: this.#options.layers.map((layer) => Buffer.from(layer)),
      });
    let found = this.#found.get(path);
    if (!found) {
      found = this.#lookUp(path);
      this.#found.set(path, found);
    }
    return found;
  }

  async #lookUp(path: string): Promise<Found | null> {
    const separator = path.lastIndexOf('/');
    const parent = await this.#find(path.slice(0, separator) || '/');
    if (parent?.entry.type !== 'directory') return null;
    const name = Buffer.from(path.slice(separator), 'latin1');
    const places: Buffer[] = [];
    let top: BigIntStats | null = null;
    for (const directory of parent.places) {
      const place = Buffer.concat([directory, name]);
      const status = await statOrNull(place);
      if (status === null) continue;
      if (status.isCharacterDevice() && status.rdev === 0n && this.#options.layers.length > 1) break;
      if (top !== null && !status.isDirectory()) break;
      top ??= status;
      places.push(place);
      if (!status.isDirectory() || this.#options.attributes?.isOpaque(place)) break;
    }
    if (top === null) return null;
    const entry = await toEntry(places[0] as Buffer, top);
    return { entry: this.#options.rootOwned ? { ...entry, uid: 0, gid: 0 } : entry, places };
  }
}

async function statOrNull(place: Buffer): Promise<BigIntStats | null> {
  try {
    return await lstat(place, { bigint: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return null;
    throw error;
  }
}

async function toEntry(place: Buffer, status: BigIntStats): Promise<FileEntry> {
  const type = typeOf(status);
  return {
    type,
    mode: Number(status.mode & 0o7777n),
    uid: Number(status.uid),
    gid: Number(status.gid),
    size: type === 'file' ? Number(status.size) : 0,
    mtime: status.mtimeNs,
    link: type === 'symlink' ? (await readlink(place, { encoding: 'buffer' })).toString('latin1') : '',
    device: type === 'character' || type === 'block' ? Number(status.rdev) : 0,
    identity: type === 'file' && status.nlink > 1n ? `${status.dev}:${status.ino}` : '',
  };
}

function typeOf(status: BigIntStats): FileEntry['type'] {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'symlink';
  if (status.isCharacterDevice()) return 'character';
  if (status.isBlockDevice()) return 'block';
  return status.isFIFO() ? 'pipe' : 'socket';
}

async function hashFile(place: Buffer, size: number): Promise<string> {
  const hash = createHash('sha256');
  // A tree has thousands of small ones: each in one go, into no more than it needs.
  if (size <= smallSize) hash.update(await readFile(place));
  else for await (const piece of readPieces(place)) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

/** A directory of this machine as a source. */
export function directoryFiles(directory: string, options: Omit<LayeredFilesOptions, 'layers'> = {}): FileSource {
  return new LayeredFiles({ ...options, layers: [directory] });
}

/** The path, every link in it followed within the source; null: it leads nowhere. */
export async function followLinks(source: FileSource, path: string, followLast: boolean): Promise<string | null> {
  const pending = path.split('/').filter((part) => part !== '' && part !== '.');
  let at = '';
  let links = 0;
  while (pending.length > 0) {
    const part = pending.shift() as string;
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const child = `${at}/${part}`;
    const entry = await source.entry(child);
    if (entry === null) return null;
    if (entry.type === 'symlink' && (pending.length > 0 || followLast)) {
      if (++links > mostLinks) return null;
      if (entry.link.startsWith('/')) at = '';
      pending.unshift(...entry.link.split('/').filter((piece) => piece !== '' && piece !== '.'));
      continue;
    }
    if (pending.length > 0 && entry.type !== 'directory') return null;
    at = child;
  }
  return at === '' ? '/' : at;
}

/** So many links a path may lead over. */
export const mostLinks = 255;

/** The small file at a path of text, links followed; null: there is none. */
export async function smallFile(source: FileSource, path: string): Promise<string | null> {
  const found = await followLinks(source, toPath(path), true);
  if (found === null || (await source.entry(found))?.type !== 'file') return null;
  return readFile(await source.place(found), 'utf8');
}
