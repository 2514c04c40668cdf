/** The trees of a build's images as one tar, and what is said of them as files beside. */
import { posix } from 'node:path';
import type { BuildOutput } from '../../api/types/build.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Built, BuiltImage } from '../build-work.ts';
import { type PlacedEntry, packEntries } from '../ops/entry-stream.ts';
import { sourceEntries } from '../ops/place-all.ts';
import { lowerOf } from '../ops/values.ts';
import type { FileSource } from '../session/file-source.ts';
import { LayeredFiles, type TreeAttributes } from '../session/layered-files.ts';
import { type Attestation, type Subject, statement, subjectOf } from './statement.ts';

export interface TreeTarWork {
  output: Extract<BuildOutput, { type: 'tar' }>;
  attestations: ReadonlyMap<BuiltImage, readonly Attestation[]>;
  attributes: TreeAttributes;
  signal: AbortSignal;
}

/** The tar's bytes. Several platforms lie in folders of their own, `linux_arm64`, unless that is not wanted. */
export async function* tarOf(built: Built, work: TreeTarWork): AsyncGenerator<Uint8Array> {
  const { output, attestations, attributes, signal } = work;
  const isSplit = output.split ?? built.images.length > 1;
  const entries: PlacedEntry[] = [];
  for (const image of built.images) {
    const folder = formatPlatform(image.platform).replaceAll('/', '_');
    const files = new LayeredFiles({ layers: await lowerOf(image.layers), attributes });
    const own = await sourceEntries(files, '/');
    const said = (attestations.get(image) ?? []).filter(({ inlineOnly }) => !inlineOnly);
    const subject = said.length > 0 ? await subjectsOf(files, own) : [];
    for (const one of said) {
      const parts = posix.parse(one.filename);
      const shown = built.images.length > 1 && !isSplit ? `${parts.name}.${folder}${parts.ext}` : parts.base;
      own.push(attestationFile(`${output.attestationPrefix ?? ''}${shown}`, statement(one, subject), built));
    }
    if (!isSplit) entries.push(...own);
    else entries.push(directory(folder, built), ...own.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` })));
  }
  yield* packEntries(entries, signal);
}

async function subjectsOf(files: FileSource, entries: readonly PlacedEntry[]): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const { type, path } of entries)
    if (type === 'file')
      subjects.push(subjectOf(Buffer.from(path, 'latin1').toString('utf8'), await files.digest(`/${path}`)));
  return subjects;
}

const plain = { uid: 0, gid: 0, device: 0, link: '', capability: null };

function mtimeOf({ epoch, started }: Built): bigint {
  return BigInt(epoch === null ? started * 1_000_000 : epoch * 1_000_000_000);
}

function attestationFile(path: string, value: object, built: Built): PlacedEntry {
  const bytes = Buffer.from(JSON.stringify(value, null, 2));
  const content = { kind: 'bytes' as const, bytes };
  return { ...plain, type: 'file', path, mode: 0o600, size: bytes.length, mtime: mtimeOf(built), content };
}

function directory(path: string, built: Built): PlacedEntry {
  return { ...plain, type: 'directory', path, mode: 0o755, size: 0, mtime: mtimeOf(built), content: null };
}
