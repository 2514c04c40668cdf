import type { NativeHelper } from '../../store/native-helper.ts';
import { wholeCopy } from '../graph/operations.ts';
import type { FileSource } from '../session/file-source.ts';
import { type PlacedEntry, packEntries } from './entry-stream.ts';
import { select } from './selection.ts';

/** Copies all files below a path of a source into a directory of this machine. */
export async function placeAll(
  helper: NativeHelper,
  what: { files: FileSource; path: string; directory: string; signal?: AbortSignal },
): Promise<void> {
  await helper.unpackPlain(what.directory, packSource(what.files, what.path, what.signal));
}

/** The same as a tar, owners and all. */
async function* packSource(
  files: FileSource,
  path: string,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<Uint8Array> {
  yield* packEntries(await sourceEntries(files, path), signal);
}

/** Everything below a path of a source, as entries of a tar; sockets are none. */
export async function sourceEntries(files: FileSource, path: string): Promise<PlacedEntry[]> {
  const selected = await select(files, wholeCopy(0, path));
  const entries: PlacedEntry[] = [];
  for (const { path: from, entry, target } of selected) {
    if (target === '' || entry.type === 'socket') continue;
    const content =
      entry.type === 'file' ? { kind: 'file' as const, source: files, path: from, identity: entry.identity } : null;
    const { type, link, mode, uid, gid, size, mtime, device } = entry;
    const capability = await files.capability(from);
    entries.push({ type, path: target, link, mode, uid, gid, size, mtime, device, capability, content });
  }
  return entries;
}
