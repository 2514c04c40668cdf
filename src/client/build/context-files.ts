/** A folder of this machine as the context of a build. */
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import type { ContextEntry } from '../../wire/build-frames.ts';
import type { IgnoreRules } from '../../wire/ignore-patterns.ts';

const pieceSize = 256 * 1024;
/** Entries whose facts are asked for at once. */
const width = 64;

interface Found {
  entry: ContextEntry;
  /** Of a file with several names, else empty. */
  inode: string;
}

export class ContextFiles {
  readonly #directory: Buffer;
  readonly #rules: IgnoreRules;
  /** Paths that go along whatever the rules say. */
  readonly #always: ReadonlySet<string>;
  #entries: ContextEntry[] | null = null;
  /** Where files with several names were met first. */
  readonly #linked = new Map<string, string>();

  constructor(directory: string, rules: IgnoreRules, always: ReadonlySet<string> = new Set()) {
    this.#directory = Buffer.from(directory);
    this.#rules = rules;
    this.#always = always;
  }

  /** All that goes to the engine, parents before what is below them. Error: the system's for what cannot be read. */
  async entries(): Promise<readonly ContextEntry[]> {
    if (this.#entries) return this.#entries;
    const entries: ContextEntry[] = [];
    await this.#walk('', entries);
    this.#entries = entries;
    return entries;
  }

  /** Contents of files by their numbers among `entries`, each exactly as long as its entry says. */
  async *contents(numbers: Iterable<number>): AsyncGenerator<Uint8Array> {
    const entries = await this.entries();
    let batch: Buffer[] = [];
    let batched = 0;
    for (const number of numbers) {
      const entry = entries[number];
      if (entry?.type !== 'file') throw new Error('the engine asked for a file that is not in the context');
      if (entry.size === 0) continue;
      const file = await open(this.#place(entry.path), 'r');
      try {
        for (let left = entry.size; left > 0; ) {
          const { buffer, bytesRead } = await file.read(
            Buffer.allocUnsafe(Math.min(left, pieceSize)),
            0,
            Math.min(left, pieceSize),
            null,
          );
          // A file that has become shorter meanwhile is made up by zeros; the next build sees that it changed.
          const piece = bytesRead > 0 ? buffer.subarray(0, bytesRead) : Buffer.alloc(Math.min(left, pieceSize));
          left -= piece.length;
          batch.push(piece);
          batched += piece.length;
          if (batched < pieceSize) continue;
          yield Buffer.concat(batch);
          batch = [];
          batched = 0;
        }
      } finally {
        await file.close();
      }
    }
    if (batched > 0) yield Buffer.concat(batch);
  }

  #place(path: string): Buffer {
    return Buffer.concat([this.#directory, Buffer.from(path === '' ? '' : `/${path}`, 'latin1')]);
  }

  /** Gives whether anything was found. */
  async #walk(directory: string, entries: ContextEntry[]): Promise<boolean> {
    const names = await readdir(this.#place(directory), { encoding: 'buffer' });
    const paths = names.map((name) => (directory === '' ? '' : `${directory}/`) + name.toString('latin1')).sort();
    let found = false;
    for (let start = 0; start < paths.length; start += width) {
      const some = paths.slice(start, start + width);
      const facts = await Promise.all(some.map((path) => this.#facts(path)));
      for (const one of facts) if (await this.#add(one, entries)) found = true;
    }
    return found;
  }

  async #add(found: Found, entries: ContextEntry[]): Promise<boolean> {
    const { entry } = found;
    const ignored = this.#rules.ignores(entry.path) && !this.#always.has(entry.path);
    if (entry.type !== 'directory') {
      if (!ignored) entries.push(this.#named(found));
      return !ignored;
    }
    if (ignored && this.#rules.isFinal && ![...this.#always].some((path) => path.startsWith(`${entry.path}/`)))
      return false;
    const place = entries.length;
    entries.push(entry);
    if ((await this.#walk(entry.path, entries)) || !ignored) return true;
    entries.splice(place, 1);
    return false;
  }

  /** A file that is here already goes as another name of it. */
  #named({ entry, inode }: Found): ContextEntry {
    if (inode === '') return entry;
    const first = this.#linked.get(inode);
    if (first === undefined) this.#linked.set(inode, entry.path);
    return first === undefined ? entry : { ...entry, link: first };
  }

  async #facts(path: string): Promise<Found> {
    const place = this.#place(path);
    const status = await lstat(place, { bigint: true });
    const mode = Number(status.mode & 0o7777n);
    const common = { path, mode, mtime: String(status.mtimeNs), size: 0, link: '' };
    const alone = (entry: ContextEntry): Found => ({ entry, inode: '' });
    if (status.isFile()) {
      const inode = status.nlink > 1n ? `${status.dev}:${status.ino}` : '';
      return { entry: { ...common, type: 'file', size: Number(status.size) }, inode };
    }
    if (status.isDirectory()) return alone({ ...common, type: 'directory' });
    if (status.isSymbolicLink())
      return alone({
        ...common,
        type: 'symlink',
        link: (await readlink(place, { encoding: 'buffer' })).toString('latin1'),
      });
    if (status.isFIFO()) return alone({ ...common, type: 'pipe' });
    // Of a socket nothing but its name can be kept: an empty file, as BuildKit has it.
    if (status.isSocket()) return alone({ ...common, type: 'file' });
    return alone({ ...common, type: status.isBlockDevice() ? 'block' : 'character', size: Number(status.rdev) });
  }
}
