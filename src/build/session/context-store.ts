/** Contexts of clients between builds: only what has changed is sent again. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { entryHeader } from '../../archive/entry-header.ts';
import { tarEnd, tarPadding } from '../../archive/tar-stream.ts';
import { namesIn } from '../../base/names-in.ts';
import type { NativeHelper } from '../../store/native-helper.ts';
import { type ContextEntry, contextLine, parseContextLine } from '../../wire/build-frames.ts';
import type { FileSource } from './file-source.ts';
import { type ReceivedFile, ReceivedFiles } from './received-files.ts';

/** What a context is read from. */
export interface ContextSender {
  /** The list, as lines. */
  list(): AsyncIterable<Buffer>;
  /** Contents of the entries with these numbers, one after another, each as long as the list says. */
  contents(numbers: Uint32Array): AsyncIterable<Buffer>;
}

/** Contexts that are kept, the ones that were used last. */
const mostKept = 30;

export class ContextStore {
  readonly #directory: string;
  readonly #helper: NativeHelper;
  readonly #taken = new Set<string>();

  constructor(directory: string, helper: NativeHelper) {
    this.#directory = directory;
    this.#helper = helper;
  }

  /**
   * Brings the stored copy of a context up to date; nobody else changes it until `release`.
   * @param place stands for the folder it is read from
   */
  async receive(
    place: string,
    sender: ContextSender,
    status: (text: string, current?: number, total?: number) => void,
  ): Promise<{ files: FileSource; release: () => void }> {
    const directory = await this.#take(place);
    try {
      const wanted = await readList(sender.list());
      checkLinks(wanted);
      const known = await readIndex(directory);
      const index = await this.#synchronize({ directory, wanted, known, sender, status });
      await this.#trim();
      return {
        files: new ReceivedFiles(join(directory, 'tree'), index),
        release: () => this.#taken.delete(directory),
      };
    } catch (error) {
      this.#taken.delete(directory);
      throw error;
    }
  }

  /** Removes all that no build uses now. */
  async prune(): Promise<void> {
    await this.#remove((await namesIn(this.#directory)).map((name) => join(this.#directory, name)));
  }

  /** Those that nobody has; meanwhile nobody gets them. */
  async #remove(paths: readonly string[]): Promise<void> {
    const free = paths.filter((path) => !this.#taken.has(path));
    for (const path of free) this.#taken.add(path);
    try {
      await this.#helper.remove(free);
    } finally {
      for (const path of free) this.#taken.delete(path);
    }
  }

  /** Two builds of one folder at once have a copy each. */
  async #take(place: string): Promise<string> {
    const key = createHash('sha256').update(place).digest('hex').slice(0, 32);
    let directory = join(this.#directory, key);
    for (let number = 2; this.#taken.has(directory); number++) directory = join(this.#directory, `${key}-${number}`);
    this.#taken.add(directory);
    await mkdir(join(directory, 'tree'), { recursive: true, mode: 0o711 });
    return directory;
  }

  async #synchronize(work: {
    directory: string;
    wanted: ContextEntry[];
    known: Map<string, ReceivedFile> | null;
    sender: ContextSender;
    status: (text: string, current?: number, total?: number) => void;
  }): Promise<Map<string, ReceivedFile>> {
    const { directory, wanted, sender, status } = work;
    const tree = join(directory, 'tree');
    if (work.known === null) {
      // All of it: below a new directory ext4 takes inodes where none were given back just now.
      await this.#helper.remove([directory]);
      await mkdir(tree, { recursive: true, mode: 0o755 });
    }
    const known = work.known ?? new Map<string, ReceivedFile>();
    const index = new Map<string, ReceivedFile>();
    const changed: number[] = [];
    for (const [number, entry] of wanted.entries()) {
      const before = known.get(entry.path);
      if (before && isSame(before.entry, entry)) index.set(entry.path, before);
      else changed.push(number);
    }
    const names = new Set(wanted.map(({ path }) => path));
    const gone = [...known.keys()].filter((path) => !names.has(path));
    const replaced = changed.flatMap((number) => {
      const entry = wanted[number] as ContextEntry;
      const before = known.get(entry.path)?.entry;
      return before && before.type !== entry.type ? [entry.path] : [];
    });
    if (changed.length === 0 && gone.length === 0) return index;
    // Without its index a copy that was cut short is no copy.
    await rm(join(directory, 'index'), { force: true });
    for (const path of [...gone, ...replaced])
      await rm(Buffer.from(`${Buffer.from(tree).toString('latin1')}/${path}`, 'latin1'), {
        recursive: true,
        force: true,
      });
    const files = changed.filter((number) => hasContent(wanted[number] as ContextEntry));
    const total = files.reduce((sum, number) => sum + (wanted[number] as ContextEntry).size, 0);
    const contents = files.length > 0 ? sender.contents(Uint32Array.from(files)) : emptyContents();
    const stream = packChanges({ wanted, changed, contents, index, total, status });
    await this.#helper.unpackPlain(tree, stream);
    await writeIndex(directory, index);
    return index;
  }

  async #trim(): Promise<void> {
    const names = (await namesIn(this.#directory)).map((name) => join(this.#directory, name));
    if (names.length <= mostKept) return;
    // Another build may remove one at the same time.
    const time = (path: string): Promise<number> =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
    const ages = await Promise.all(names.map(async (path) => ({ path, time: await time(path) })));
    const old = ages.sort((a, b) => b.time - a.time).slice(mostKept);
    await this.#remove(old.map(({ path }) => path));
  }
}

function isSame(one: ContextEntry, other: ContextEntry): boolean {
  return (
    one.mtime === other.mtime &&
    one.size === other.size &&
    one.mode === other.mode &&
    one.type === other.type &&
    one.link === other.link
  );
}

function hasContent({ type, link }: ContextEntry): boolean {
  return type === 'file' && link === '';
}

/** Error: `invalid` for a second name of a file that did not come before. */
function checkLinks(entries: readonly ContextEntry[]): void {
  const files = new Set<string>();
  for (const { type, path, link } of entries) {
    if (type !== 'file') continue;
    if (link === '') files.add(path);
    else if (!files.has(link))
      throw new BerthError('invalid', `${path} is said to be ${link}, which is no file before it`);
  }
}

async function* emptyContents(): AsyncGenerator<Buffer> {
  // no file has changed
}

async function readList(chunks: AsyncIterable<Buffer>): Promise<ContextEntry[]> {
  const entries: ContextEntry[] = [];
  let rest = '';
  try {
    for await (const chunk of chunks) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) entries.push(parseContextLine(line));
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw new BerthError('invalid', (error as Error).message, { cause: error });
  }
  return entries;
}

interface Changes {
  wanted: readonly ContextEntry[];
  changed: readonly number[];
  contents: AsyncIterable<Buffer>;
  index: Map<string, ReceivedFile>;
  total: number;
  status: (text: string, current?: number, total?: number) => void;
}

/** What has changed as a tar; digests of files are taken as they pass. */
async function* packChanges(changes: Changes): AsyncGenerator<Uint8Array> {
  const { wanted, changed, index, total, status } = changes;
  const source = changes.contents[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let sent = 0;
  let batch: Buffer[] = [];
  let batched = 0;
  for (const number of changed) {
    const entry = wanted[number] as ContextEntry;
    batch.push(headerOf(entry));
    batched += 512;
    const hash = createHash('sha256');
    const isFile = hasContent(entry);
    for (let left = isFile ? entry.size : 0; left > 0; ) {
      if (rest.length === 0) {
        const next = await source.next();
        if (next.done) throw new BerthError('cancelled', `the client sent less of ${entry.path} than it said`);
        rest = next.value;
      }
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      hash.update(part);
      batch.push(part);
      batched += part.length;
      sent += part.length;
      if (batched < batchSize) continue;
      yield Buffer.concat(batch);
      batch = [];
      batched = 0;
      status('transferring context', sent, total);
    }
    if (isFile) batch.push(tarPadding(entry.size));
    const digest = isFile ? `sha256:${hash.digest('hex')}` : (index.get(entry.link)?.digest ?? '');
    index.set(entry.path, { entry, digest });
  }
  status('transferring context', sent, total);
  yield Buffer.concat([...batch, tarEnd()]);
}

const batchSize = 256 * 1024;

function headerOf(entry: ContextEntry): Buffer {
  const isDevice = entry.type === 'character' || entry.type === 'block';
  return entryHeader({
    type: entry.type === 'file' && entry.link !== '' ? 'link' : entry.type,
    path: entry.path,
    link: entry.link,
    mode: entry.mode,
    uid: 0,
    gid: 0,
    size: hasContent(entry) ? entry.size : 0,
    mtime: BigInt(entry.mtime),
    device: isDevice ? entry.size : 0,
  });
}

/** Null: there is none that can be trusted. */
async function readIndex(directory: string): Promise<Map<string, ReceivedFile> | null> {
  let text: string;
  try {
    text = await readFile(join(directory, 'index'), 'latin1');
  } catch {
    return null; // a new context, or one that was cut short
  }
  const index = new Map<string, ReceivedFile>();
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const separator = row.indexOf(' ');
    const entry = parseContextLine(row.slice(separator + 1));
    index.set(entry.path, { entry, digest: row.slice(0, separator) });
  }
  return index;
}

async function writeIndex(directory: string, index: ReadonlyMap<string, ReceivedFile>): Promise<void> {
  const rows = [...index.values()].map(({ entry, digest }) => `${digest} ${contextLine(entry)}\n`);
  const draft = join(directory, 'index.new');
  await writeFile(draft, rows.join(''), { encoding: 'latin1', mode: 0o600 });
  await rename(draft, join(directory, 'index'));
}
