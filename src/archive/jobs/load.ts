/** Job `load`: the images of an archive on standard input, layers unpacked while it streams. */

import { BerthError } from '../../api/errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { ArchiveMembers, type KnownLayer } from '../archive-members.ts';
import { decompressor, magicLength, packedAs } from '../compression.ts';
import { readImages, type StoredDocument } from '../image-archive.ts';
import { readDescriptor, tell, write } from '../job-io.ts';
import type { UnpackedLayer } from '../layer-unpacker.ts';
import { ByteReader, readTar } from '../tar-stream.ts';

export interface LoadJob {
  helper: string;
  directory: string;
  platform: Platform;
  /** File with `digest diffId` lines: what the store has. */
  known: string;
}

export interface LoadedImage {
  /** Base64, as all bytes here. */
  config: string;
  configDigest: string;
  manifest: string | null;
  documents: LoadedDocument[];
  references: string[];
  layers: (({ known: false } & UnpackedLayer) | KnownLayer)[];
  target: { digest: string; documents: LoadedDocument[]; layers: LoadedImage['layers'] } | null;
}

interface LoadedDocument {
  digest: string;
  mediaType: string;
  bytes: string;
}

export type LoadMessage = { progress: { path: string; current: number; total: number } } | { images: LoadedImage[] };

export async function run(job: LoadJob): Promise<void> {
  const members = new ArchiveMembers({
    helper: job.helper,
    directory: job.directory,
    known: await readKnown(job.known),
    onProgress: (path, current, total) => tell({ progress: { path, current, total } } satisfies LoadMessage),
  });
  const reader = new ByteReader(await plain(readDescriptor(0)));
  await readTar(reader, (member, bytes) => members.add(member, bytes));
  const images = await readImages(members, job.platform);
  tell({
    images: images.map((image) => ({
      ...image,
      config: image.config.toString('base64'),
      documents: image.documents.map(packed),
      target: image.target && { ...image.target, documents: image.target.documents.map(packed) },
    })),
  } satisfies LoadMessage);
}

function packed(document: StoredDocument): LoadedDocument {
  return { ...document, bytes: document.bytes.toString('base64') };
}

async function readKnown(path: string): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  const { readFile } = await import('node:fs/promises');
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [digest, diffId] = line.split(' ');
    if (digest && diffId) known.set(digest, diffId);
  }
  return known;
}

/** The archive itself may be packed. */
async function plain(source: AsyncGenerator<Buffer>): Promise<AsyncIterable<Buffer>> {
  let start = Buffer.alloc(0);
  while (start.length < magicLength) {
    const next = await source.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const packing = packedAs(start);
  if (packing === 'none') return chain(start, source);
  const filter = decompressor(packing);
  void (async () => {
    for await (const chunk of chain(start, source)) await write(filter, chunk);
    filter.end();
  })();
  return unpacked(filter, packing);
}

async function* chain(start: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  yield* rest;
}

async function* unpacked(filter: AsyncIterable<Buffer>, packing: string): AsyncGenerator<Buffer> {
  try {
    yield* filter;
  } catch (cause) {
    if (cause instanceof BerthError) throw cause;
    throw new BerthError('invalid', `the archive is no valid ${packing} stream: ${(cause as Error).message}`, {
      cause,
    });
  }
}
