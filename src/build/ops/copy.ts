import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { decompressor, magicLength, packedAs } from '../../archive/compression.ts';
import { looksLikeTar } from '../../archive/tar-stream.ts';
import type { BuildCacheTables } from '../../store/build-cache.ts';
import type { NativeHelper } from '../../store/native-helper.ts';
import type { CopyAction, CopyDefinition, DirectoryDefinition } from '../graph/operations.ts';
import { digestOf, type Vertex } from '../graph/vertex.ts';
import type { FileEntry, FileSource } from '../session/file-source.ts';
import { fromPath, toPath } from '../session/file-source.ts';
import { followLinks, LayeredFiles, mostLinks, type TreeAttributes } from '../session/layered-files.ts';
import { readPieces, readStart } from '../session/read-file.ts';
import type { Parts } from '../solve/cache.ts';
import type { OperationRunner, RunContext, Saved, Solved } from '../solve/runner.ts';
import { type PlacedEntry, packEntries } from './entry-stream.ts';
import { applyMode, isOctal } from './file-mode.ts';
import { type Owner, ownerOf } from './owner.ts';
import { type Selected, select, selectionParts } from './selection.ts';
import { type LayerTrees, type LayerWork, restoredLayer, savedLayer } from './trees.ts';
import { type BuildSession, type BuildValue, identityOf, lowerOf, treeOf } from './values.ts';

type Work = { session: BuildSession; context: RunContext };

export interface FileOperationsOptions {
  trees: LayerTrees;
  helper: NativeHelper;
  contents: BuildCacheTables;
  attributes: TreeAttributes;
}

/** Enough of a file to know a tar by. */
const tarBlock = 512;

/** The tree of an input as files. Error: as of `lowerOf`. */
export async function filesOf(value: BuildValue | undefined, attributes: TreeAttributes): Promise<FileSource> {
  if (value?.kind === 'files') return value.files;
  const layers = treeOf(value);
  return new LayeredFiles({ layers: await lowerOf(layers), attributes, identity: () => identityOf(layers) });
}

/** Puts files into a tree: COPY, ADD, here-documents. */
export class CopyRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = true;
  readonly #options: FileOperationsOptions;

  constructor(options: FileOperationsOptions) {
    this.#options = options;
  }

  async parts(vertex: Vertex, inputs: readonly Solved<BuildValue>[], { session }: Work): Promise<Parts> {
    const definition = vertex.definition as unknown as CopyDefinition;
    const parts = new Map<string, string>([['the instruction', digestOf(definition)]]);
    if (!definition.link) parts.set('input 0', inputs[0]?.key ?? '');
    for (const [index, action] of definition.actions.entries()) {
      if (action.from.kind === 'inline') continue;
      const input = inputs[action.from.input]?.value;
      const identity = input?.kind === 'files' ? await input.files.identity() : await identityOf(treeOf(input));
      if (identity === null) for (const [part, value] of await this.#look(input, action)) parts.set(part, value);
      else parts.set(`the files of source ${index + 1}`, await this.#remembered(identity, { input, action, session }));
    }
    return parts;
  }

  async run(vertex: Vertex, inputs: readonly Solved<BuildValue>[], { session, context }: Work): Promise<BuildValue> {
    const definition = vertex.definition as unknown as CopyDefinition;
    const below = definition.link ? [] : treeOf(inputs[0]?.value);
    const lower = await lowerOf(below);
    const layer = await this.#options.trees.make(
      { lower, latest: definition.epoch, lease: session.lease },
      async (work) => {
        const tree = new LayeredFiles({ layers: lower, attributes: this.#options.attributes });
        const copy = new Copy({ ...this.#options, tree, work, context });
        for (const action of definition.actions) {
          const input = action.from.kind === 'input' ? inputs[action.from.input]?.value : undefined;
          await copy.add(action, input ? await filesOf(input, this.#options.attributes) : null);
        }
        await copy.finish();
      },
    );
    return { kind: 'tree', layers: [...below, layer] };
  }

  save(value: BuildValue, inputs: readonly Solved<BuildValue>[]): Promise<string | null> {
    // A tree of one layer is that of a link, which looks at nothing, or stands upon nothing.
    return savedLayer(value, treeOf(value).length > 1 ? uponOf(inputs) : []);
  }

  async restore(what: Saved<BuildValue, BuildSession>): Promise<BuildValue | null> {
    const { link } = what.vertex.definition as unknown as CopyDefinition;
    const upon = link ? [] : uponOf(what.inputs);
    const layers = await restoredLayer(this.#options.trees, what, upon);
    return layers && { kind: 'tree', layers: [...upon.flatMap((value) => [...treeOf(value)]), ...layers] };
  }

  async #look(input: BuildValue | undefined, action: CopyAction): Promise<Map<string, string>> {
    const files = await filesOf(input, this.#options.attributes);
    return selectionParts(files, await select(files, action));
  }

  /** A tree of layers never changes, so what a copy sees in it is looked at once, and need not be here where somebody else has looked. */
  async #remembered(
    identity: string,
    { input, action, session }: { input: BuildValue | undefined; action: CopyAction; session: BuildSession },
  ): Promise<string> {
    const { contents } = this.#options;
    const question = digestOf({
      identity,
      sources: action.sources,
      excludes: action.excludes,
      parents: action.parents,
    });
    const known = contents.contents(question) ?? session.foreign?.contents(question) ?? null;
    const digest = known ?? digestOf([...(await this.#look(input, action))]);
    // What others say is theirs: it goes into no memory that builds without their cache use.
    if (known === null) contents.putContents(question, digest);
    session.contents.set(question, digest);
    return digest;
  }
}

/** Makes a directory where there is none: WORKDIR. */
export class DirectoryRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = true;
  readonly #options: FileOperationsOptions;

  constructor(options: FileOperationsOptions) {
    this.#options = options;
  }

  parts(vertex: Vertex, inputs: readonly Solved<BuildValue>[]): Promise<Parts> {
    return Promise.resolve(
      new Map([
        ['the instruction', digestOf(vertex.definition)],
        ['input 0', inputs[0]?.key ?? ''],
      ]),
    );
  }

  async run(vertex: Vertex, inputs: readonly Solved<BuildValue>[], { session, context }: Work): Promise<BuildValue> {
    const { path, owner, epoch } = vertex.definition as unknown as DirectoryDefinition;
    const below = treeOf(inputs[0]?.value);
    const lower = await lowerOf(below);
    const layer = await this.#options.trees.make({ lower, latest: epoch, lease: session.lease }, async (work) => {
      const tree = new LayeredFiles({ layers: lower, attributes: this.#options.attributes });
      const copy = new Copy({ ...this.#options, tree, work, context });
      await copy.directory(path, await ownerOf(owner, tree));
      await copy.finish();
    });
    return { kind: 'tree', layers: [...below, layer] };
  }

  save(value: BuildValue, inputs: readonly Solved<BuildValue>[]): Promise<string | null> {
    return savedLayer(value, uponOf(inputs));
  }

  async restore(what: Saved<BuildValue, BuildSession>): Promise<BuildValue | null> {
    const upon = uponOf(what.inputs);
    const layers = await restoredLayer(this.#options.trees, what, upon);
    return layers && { kind: 'tree', layers: [...upon.flatMap((value) => [...treeOf(value)]), ...layers] };
  }
}

/** What files are put upon. */
function uponOf(inputs: readonly Solved<BuildValue>[]): BuildValue[] {
  return inputs.slice(0, 1).map(({ value }) => value);
}

interface CopyOptions {
  helper: NativeHelper;
  /** What is below the new layer. */
  tree: FileSource;
  work: LayerWork;
  context: RunContext;
}

interface Archive {
  source: FileSource;
  path: string;
  destination: string;
  owner: Owner | null;
}

/** One copy on its way: collects what goes where, then writes it in one go. */
class Copy {
  readonly #options: CopyOptions;
  readonly #entries: PlacedEntry[] = [];
  /** Directories that exist or are on their way. */
  readonly #directories = new Set<string>(['/']);
  readonly #archives: Archive[] = [];

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  async add(action: CopyAction, source: FileSource | null): Promise<void> {
    const owner = await ownerOf(action.chown, this.#options.tree);
    if (action.from.kind === 'inline' || source === null) return this.#inline(action, owner);
    const selected = await select(source, action);
    const destination = toPath(action.destination);
    let isDirectory = destination.endsWith('/') || action.parents || (await this.#isDirectory(destination));
    const named = destination.replace(/(.)\/$/, '$1');
    const base = isDirectory ? named : await this.#behindLinks(named);
    let hasFile = false;
    for (const one of selected) {
      this.#options.context.signal.throwIfAborted();
      // Of several files the last one stays.
      if (!isDirectory && one.isRoot && one.entry.type !== 'directory') hasFile = true;
      if (hasFile && one.isRoot && one.entry.type === 'directory')
        throw new BerthError('invalid', `cannot copy to non-directory: ${fromPath(base)}`);
      await this.#place(one, { action, source, owner, base, isDirectory });
      isDirectory ||= one.isRoot && one.entry.type === 'directory';
    }
  }

  /** Makes a directory and what is missing above it. */
  async directory(path: string, owner: Owner | null, chmod = ''): Promise<void> {
    if (path === '/' || path === '' || this.#directories.has(path)) return;
    const isThere = await this.#isDirectory(path);
    this.#directories.add(path);
    if (isThere) return;
    const inTheWay = await this.#entryAt(path);
    // A link to nowhere: what it names is made.
    if (inTheWay?.entry.type === 'symlink')
      return this.directory(posix.resolve(posix.dirname(inTheWay.path), inTheWay.entry.link), owner, chmod);
    if (inTheWay) throw new BerthError('invalid', `mkdir ${fromPath(path)}: not a directory`);
    await this.directory(posix.dirname(path), owner, chmod);
    const { uid = 0, gid = 0 } = owner ?? {};
    const mtime = BigInt(Date.now()) * 1_000_000n;
    this.#entries.push({
      type: 'directory',
      path: path.slice(1),
      link: '',
      mode: isOctal(chmod) ? applyMode(chmod, 0o755, true) : 0o755,
      uid,
      gid,
      size: 0,
      mtime,
      device: 0,
      content: null,
    });
  }

  async finish(): Promise<void> {
    const { helper, work } = this.#options;
    const tree = { scratch: work.scratch, lower: work.lower, upper: work.upper, work: work.work };
    if (this.#entries.length > 0) {
      const content = packEntries(this.#entries, this.#options.context.signal);
      await helper.writeTree({ ...tree, path: '/', keepsKinds: true }, content).catch(inBuildWords);
    }
    for (const { source, path, destination, owner } of this.#archives)
      await helper.writeTree(
        { ...tree, path: destination, within: true, ...(owner && { owner }) },
        unpacked(source, path),
      );
  }

  async #isDirectory(path: string): Promise<boolean> {
    const clean = path.replace(/(.)\/$/, '$1');
    if (this.#directories.has(clean)) return true;
    const found = await followLinks(this.#options.tree, clean, true);
    return found !== null && (await this.#options.tree.entry(found))?.type === 'directory';
  }

  async #inline(action: CopyAction, owner: Owner | null): Promise<void> {
    if (action.from.kind !== 'inline') return;
    const destination = toPath(action.destination);
    const isDirectory = destination.endsWith('/') || (await this.#isDirectory(destination));
    const path = isDirectory ? posix.join(destination, toPath(action.from.name)) : await this.#behindLinks(destination);
    await this.directory(posix.dirname(path), owner, action.chmod);
    const bytes = Buffer.from(action.from.content);
    const { uid = 0, gid = 0 } = owner ?? {};
    this.#entries.push({
      type: 'file',
      path: path.slice(1),
      link: '',
      mode: applyMode(action.chmod || action.fileMode, 0o644, false),
      uid,
      gid,
      size: bytes.length,
      mtime: BigInt(Date.now()) * 1_000_000n,
      device: 0,
      content: { kind: 'bytes', bytes },
    });
  }

  async #place(
    one: Selected,
    where: {
      action: CopyAction;
      source: FileSource;
      owner: Owner | null;
      base: string;
      isDirectory: boolean;
    },
  ): Promise<void> {
    const { action, source, owner, base, isDirectory } = where;
    const { entry } = one;
    if (entry.type === 'socket') return;
    if (one.target === '') {
      if (entry.type !== 'directory') return;
      if (!(await this.#isDirectory(base)) && (await this.#exists(base)))
        throw new BerthError('invalid', `cannot copy to non-directory: ${fromPath(base)}`);
      return this.#placeRoot(entry, where);
    }
    if (one.isRoot && action.unpack !== 'never' && entry.type === 'file' && (await isArchive(source, one.path))) {
      await this.directory(base, owner);
      this.#archives.push({ source, path: one.path, destination: base, owner });
      return;
    }
    const path = isDirectory || !one.isRoot ? posix.join(base, one.target) : base;
    if (one.isRoot && (await this.#entryAt(path))?.entry.type === 'directory')
      throw new BerthError('invalid', `cannot replace to directory ${fromPath(path)} with file`);
    await this.directory(posix.dirname(path), owner, action.chmod);
    if (entry.type === 'directory') this.#directories.add(path);
    this.#entries.push({
      type: entry.type,
      path: path.slice(1),
      link: entry.link,
      mode: entry.type === 'symlink' ? entry.mode : modeOf(action, entry),
      uid: owner?.uid ?? entry.uid,
      gid: owner?.gid ?? entry.gid,
      size: entry.size,
      mtime: entry.mtime,
      device: entry.device,
      capability: await source.capability(one.path),
      content: entry.type === 'file' ? { kind: 'file', source, path: one.path, identity: linkedAs(one) } : null,
    });
  }

  /** The destination of a directory's contents takes its time; the root of a source has none. */
  async #placeRoot(
    { mtime }: FileEntry,
    { base, owner, action }: { base: string; owner: Owner | null; action: CopyAction },
  ): Promise<void> {
    const before = this.#entries.length;
    await this.directory(base, owner, action.chmod);
    if (mtime === 0n || base === '/') return;
    const made = this.#entries.length > before ? this.#entries.at(-1) : this.#madeAt(base);
    if (made) {
      made.mtime = mtime;
      return;
    }
    const path = await followLinks(this.#options.tree, base, true);
    const there = path === null || path === '/' ? null : await this.#options.tree.entry(path);
    if (path === null || there?.type !== 'directory') return;
    this.#entries.push({ ...there, type: 'directory', path: path.slice(1), mtime, content: null });
  }

  #madeAt(path: string): PlacedEntry | undefined {
    return this.#entries.findLast((entry) => entry.type === 'directory' && `/${entry.path}` === path);
  }

  /** Where links at the end of a path lead, also to what is not there yet. Error: `invalid` for a circle of them. */
  async #behindLinks(path: string): Promise<string> {
    let at = path;
    for (let links = 0; links <= mostLinks; links++) {
      const found = await this.#entryAt(at);
      if (found?.entry.type !== 'symlink') return at;
      at = posix.resolve(posix.dirname(found.path), found.entry.link);
    }
    throw new BerthError('invalid', 'too many links');
  }

  /** What is there, no link at its end followed. */
  async #entryAt(path: string): Promise<{ path: string; entry: FileEntry } | null> {
    const found = await followLinks(this.#options.tree, path, false);
    const entry = found === null ? null : await this.#options.tree.entry(found);
    return found === null || entry === null ? null : { path: found, entry };
  }

  async #exists(path: string): Promise<boolean> {
    return (await followLinks(this.#options.tree, path, true)) !== null;
  }
}

function modeOf({ chmod, fileMode }: CopyAction, entry: FileEntry): number {
  const isDirectory = entry.type === 'directory';
  return applyMode(chmod || (isDirectory ? '' : fileMode), entry.mode, isDirectory);
}

/** Names of one file are that among what one source has brought. */
function linkedAs({ entry, group }: Selected): string {
  return entry.identity && `${group} ${entry.identity}`;
}

/** What lies in the way, as a build tells it. */
function inBuildWords(error: unknown): never {
  const [, there, path] = /^cannot overwrite (directory|non-directory) "(.*)" with /.exec(errorMessage(error)) ?? [];
  if (there === undefined) throw error;
  const text =
    there === 'directory' ? `cannot replace to directory /${path} with file` : `cannot copy to non-directory: /${path}`;
  throw new BerthError('invalid', text, { cause: error });
}

/** True for a tar, packed or not. */
async function isArchive(source: FileSource, path: string): Promise<boolean> {
  const start = await readStart(await source.place(path), tarBlock);
  const packing = packedAs(start);
  if (packing === 'none') return looksLikeTar(start) && !start.every((byte) => byte === 0);
  return looksLikeTar(await firstBlock(source, path));
}

/** The first 512 bytes behind the packing; fewer where it is none. */
async function firstBlock(source: FileSource, path: string): Promise<Buffer> {
  let found = Buffer.alloc(0);
  try {
    for await (const chunk of unpacked(source, path)) {
      found = Buffer.concat([found, chunk]);
      if (found.length >= tarBlock) break;
    }
  } catch {
    return Buffer.alloc(0); // packed, but by nothing that we can unpack: a file like any other
  }
  return found.subarray(0, tarBlock);
}

async function* unpacked(source: FileSource, path: string): AsyncGenerator<Buffer> {
  const place = await source.place(path);
  const packing = packedAs(await readStart(place, magicLength));
  if (packing === 'none') {
    yield* readPieces(place);
    return;
  }
  const filter = decompressor(packing);
  const input = Readable.from(readPieces(place));
  input.on('error', (error) => filter.destroy(error));
  input.pipe(filter);
  try {
    yield* filter as AsyncIterable<Buffer>;
  } finally {
    input.destroy();
    filter.destroy();
  }
}
