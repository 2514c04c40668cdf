import { open, readFile } from 'node:fs/promises';
import { entryHeader, type TarEntry } from '../../archive/entry-header.ts';
import { tarEnd, tarPadding } from '../../archive/tar-stream.ts';
import type { FileSource } from '../session/file-source.ts';

/** An entry in its place, and where its bytes come from. */
export interface PlacedEntry extends TarEntry {
  content:
    | { kind: 'bytes'; bytes: Buffer }
    | { kind: 'file'; source: FileSource; path: string; identity: string }
    | null;
}

const pieceSize = 512 * 1024;
/** Small members travel together. */
const batchSize = 256 * 1024;
/** So many are read at once: each waits for a thread, and where the disk is cold for the disk. */
const mostAhead = 16;

/** The entries as a tar; names of one file within one source stay names of one file. */
export async function* packEntries(entries: readonly PlacedEntry[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const links = new Map<string, string>();
  let batch: Buffer[] = [];
  let size = 0;
  const ahead: Promise<Buffer[] | null>[] = [];
  let begun = 0;
  for (const [index, entry] of entries.entries()) {
    signal.throwIfAborted();
    for (; begun < entries.length && begun - index < mostAhead; begun++)
      ahead.push(begin(entries[begun] as PlacedEntry, links));
    const pieces = (await ahead.shift()) ?? null;
    if (pieces) {
      batch.push(...pieces);
      size += pieces.reduce((sum, piece) => sum + piece.length, 0);
    }
    if (size < batchSize && pieces) continue;
    if (batch.length > 0) yield Buffer.concat(batch);
    batch = [];
    size = 0;
    if (!pieces) yield* large(entry, links);
  }
  yield Buffer.concat([...batch, tarEnd()]);
}

/** The whole member; null: it is too long for that. In the entries' order, for the links among them. */
function begin(entry: PlacedEntry, links: Map<string, string>): Promise<Buffer[] | null> {
  const pieces = entry.size > batchSize && entry.content?.kind === 'file' ? null : small(entry, links);
  pieces?.catch(() => undefined); // whoever reaches it hears of it
  return pieces ?? Promise.resolve(null);
}

async function small(entry: PlacedEntry, links: Map<string, string>): Promise<Buffer[]> {
  const { content } = entry;
  if (content === null) return [entryHeader(entry)];
  if (content.kind === 'bytes') return [entryHeader(entry), content.bytes, tarPadding(entry.size)];
  const before = linkTo(entry, links);
  if (before !== null) return [entryHeader({ ...entry, type: 'link', link: before, size: 0 })];
  const bytes = await readFile(await content.source.place(content.path));
  if (bytes.length < entry.size) throw new Error(`${content.path} has become shorter`);
  return [entryHeader(entry), bytes.subarray(0, entry.size), tarPadding(entry.size)];
}

async function* large(entry: PlacedEntry, links: Map<string, string>): AsyncGenerator<Uint8Array> {
  const { content } = entry;
  if (content?.kind !== 'file') return;
  const before = linkTo(entry, links);
  if (before !== null) {
    yield entryHeader({ ...entry, type: 'link', link: before, size: 0 });
    return;
  }
  yield entryHeader(entry);
  const file = await open(await content.source.place(content.path), 'r');
  try {
    for (let done = 0; done < entry.size; ) {
      const wanted = Math.min(pieceSize, entry.size - done);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, done);
      if (bytesRead === 0) throw new Error(`${content.path} has become shorter`);
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  yield tarPadding(entry.size);
}

/** The path under which the same file went before, or null. */
function linkTo(entry: PlacedEntry, links: Map<string, string>): string | null {
  const identity = entry.content?.kind === 'file' ? entry.content.identity : '';
  if (identity === '') return null;
  const key = `${identity} ${entry.mode} ${entry.uid}:${entry.gid}`;
  const before = links.get(key);
  if (before === undefined) links.set(key, entry.path);
  // Of two names for one place the file is the same anyway.
  return before === entry.path ? null : (before ?? null);
}
