import { join } from 'node:path';
import type { ContextEntry } from '../../wire/build-frames.ts';
import { type FileEntry, type FileSource, plainDirectory } from './file-source.ts';

/** A file of a context as it was received last. */
export interface ReceivedFile {
  entry: ContextEntry;
  /** `sha256:…` of a file's bytes; empty for everything else. */
  digest: string;
}

interface Found {
  entry: FileEntry;
  digest: string;
}

/** A received context. What the client said of its files is not asked of the file system again; everything belongs to root. */
export class ReceivedFiles implements FileSource {
  readonly #tree: string;
  readonly #found = new Map<string, Found>([['/', { entry: plainDirectory, digest: '' }]]);
  /** Of directories. */
  readonly #names = new Map<string, string[]>([['/', []]]);

  /**
   * @param tree the directory that they lie in
   * @param files by their paths
   */
  constructor(tree: string, files: ReadonlyMap<string, ReceivedFile>) {
    this.#tree = tree;
    // A file and its further names come in any order: those that have changed are the last.
    const shared = new Set<string>();
    for (const { entry } of files.values()) if (entry.type === 'file' && entry.link !== '') shared.add(entry.link);
    for (const [path, { entry, digest }] of files) {
      const file = (entry.type === 'file' && files.get(entry.link)?.entry) || entry;
      this.#add(`/${path}`, { entry: toEntry(file, shared.has(file.path) ? file.path : ''), digest });
    }
    for (const names of this.#names.values()) names.sort();
  }

  async entry(path: string): Promise<FileEntry | null> {
    return this.#found.get(path || '/')?.entry ?? null;
  }

  async names(path: string): Promise<string[]> {
    return this.#names.get(path || '/') ?? [];
  }

  async digest(path: string): Promise<string> {
    return this.#get(path).digest;
  }

  async place(path: string): Promise<Buffer> {
    this.#get(path);
    return Buffer.concat([Buffer.from(join(this.#tree, '/')), Buffer.from(path.slice(1), 'latin1')]);
  }

  async places(path: string): Promise<Buffer[]> {
    return this.#found.has(path || '/') ? [await this.place(path)] : [];
  }

  capability(): Promise<null> {
    return Promise.resolve(null);
  }

  identity(): Promise<null> {
    return Promise.resolve(null);
  }

  #get(path: string): Found {
    const found = this.#found.get(path || '/');
    if (!found) throw new Error(`nothing at ${path}`);
    return found;
  }

  /** Nothing is below what is no directory, links to directories among it. */
  #add(path: string, found: Found): boolean {
    const separator = path.lastIndexOf('/');
    const parent = path.slice(0, separator) || '/';
    if (!this.#found.has(parent) && !this.#add(parent, { entry: plainDirectory, digest: '' })) return false;
    const siblings = this.#names.get(parent);
    if (!siblings) return false;
    if (!this.#found.has(path)) siblings.push(path.slice(separator + 1));
    if (found.entry.type !== 'directory') this.#names.delete(path);
    else if (!this.#names.has(path)) this.#names.set(path, []);
    this.#found.set(path, found);
    return true;
  }
}

/** @param identity of a file that has several names */
function toEntry({ type, mode, size, mtime, link }: ContextEntry, identity: string): FileEntry {
  return {
    type,
    // A link's own mode means nothing, and not every client says the one that Linux has.
    mode: type === 'symlink' ? 0o777 : mode & 0o7777,
    uid: 0,
    gid: 0,
    size: type === 'file' ? size : 0,
    mtime: BigInt(mtime),
    link: type === 'symlink' ? link : '',
    device: type === 'character' || type === 'block' ? size : 0,
    identity,
  };
}
