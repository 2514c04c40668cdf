/** Caches on their way out. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheForm } from '../../api/types/build.ts';
import { failpoint } from '../../base/failpoint.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { together } from '../../base/together.ts';
import type { Repository } from '../../distribution/repository.ts';
import { hasBlob, putManifest, uploadBytes } from '../../distribution/upload.ts';
import { sha256 } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { layerCompression, mediaTypes } from '../../oci/media-types.ts';
import type { Reference } from '../../oci/reference.ts';
import { packLayer } from '../../store/pack-layer.ts';
import type { ImageStoreInterface, Lease } from '../../store/types.ts';
import { type Layer, LostLayerError } from '../ops/values.ts';
import { type CacheDocument, cacheMediaType, encodeCache } from './cache-document.ts';
import type { ClientFolders } from './client-folders.ts';
import type { Imports } from './imports.ts';
import type { LayerBlobs } from './layer-blobs.ts';

/** What a build has found out, for caches of others. */
export interface BuildNotes {
  steps: readonly { key: string; created: number; diffId: string; upon: string | null; layer: Layer }[];
  /** Diff ids of what came out. */
  results: ReadonlySet<string>;
  contents: ReadonlyMap<string, string>;
}

/** A place that takes blobs and names a manifest. */
interface CacheWriter {
  /** Sees that the layer is there. Null: nobody has it any more. */
  layer(diffId: string, layer: Layer): Promise<Descriptor | null>;
  bytes(bytes: Uint8Array, digest: string): Promise<void>;
  /** A manifest that another one leads to. */
  manifest(document: Document): Promise<void>;
  name(document: Document): Promise<void>;
}

interface Document extends Descriptor {
  bytes: Uint8Array;
}

/** Writes a cache: layers first, what names them last. `tell` hears of each piece. Errors: those of the place. */
export async function writeCache(
  writer: CacheWriter,
  { notes, form }: { notes: BuildNotes; form: CacheForm },
  tell: (text: string) => void,
): Promise<void> {
  const layers = new Map(notes.steps.map(({ diffId, layer }) => [diffId, layer]));
  const blobs = new Map<string, Descriptor>();
  const wanted = [...layers].filter(([diffId]) => form.mode === 'max' || notes.results.has(diffId));
  await together(
    wanted.map(async ([diffId, layer]) => {
      const blob = await writer.layer(diffId, layer);
      if (!blob) return;
      blobs.set(diffId, blob);
      tell(`writing layer ${blob.digest}`);
    }),
  );
  await failpoint('cache.after-layers');
  const config = encodeCache(cacheOf(notes, blobs));
  const digest = sha256(config);
  await writer.bytes(config, digest);
  tell(`writing config ${digest}`);
  await failpoint('cache.before-name');
  const manifest = manifestOf({ mediaType: cacheMediaType, digest, size: config.length }, [...blobs.values()], form);
  if (form.imageManifest) {
    await writer.name(manifest);
    tell(`writing cache image manifest ${manifest.digest}`);
    return;
  }
  await writer.manifest(manifest);
  const index = indexOf(manifest, form);
  await writer.name(index);
  tell(`writing cache manifest ${index.digest}`);
}

/** @param blobs by diff id; none for a cache that stands in an image */
export function cacheOf(notes: BuildNotes, blobs: ReadonlyMap<string, Descriptor>): CacheDocument {
  return {
    layers: new Map(notes.steps.map(({ diffId }) => [diffId, blobs.get(diffId)?.digest ?? null])),
    steps: new Map(notes.steps.map(({ key, diffId, upon, created }) => [key, { layer: diffId, upon, created }])),
    contents: notes.contents,
  };
}

function manifestOf(config: Descriptor, blobs: Descriptor[], { ociMediaTypes }: CacheForm): Document {
  const layers = new Map(
    blobs
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
      .map(({ mediaType, digest, size }) => [digest, { mediaType: layerType(mediaType, ociMediaTypes), digest, size }]),
  );
  const mediaType = ociMediaTypes ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  return asDocument(mediaType, { schemaVersion: 2, mediaType, config, layers: [...layers.values()] });
}

function indexOf(manifest: Document, { ociMediaTypes }: CacheForm): Document {
  const { digest, size } = manifest;
  const entry = { mediaType: manifest.mediaType, digest, size, artifactType: cacheMediaType };
  const mediaType = ociMediaTypes ? mediaTypes.ociIndex : mediaTypes.dockerManifestList;
  // Docker's lists want a platform of every entry.
  const nowhere = ociMediaTypes ? {} : { platform: { architecture: 'unknown', os: 'unknown' } };
  return asDocument(mediaType, { schemaVersion: 2, mediaType, manifests: [{ ...entry, ...nowhere }] });
}

function asDocument(mediaType: string, value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: sha256(bytes), size: bytes.length, bytes };
}

/** Docker has no name for zstd. */
function layerType(mediaType: string, oci: boolean): string {
  switch (layerCompression(mediaType)) {
    case 'none':
      return oci ? mediaTypes.ociLayer : mediaTypes.dockerLayer;
    case 'gzip':
      return oci ? mediaTypes.ociLayerGzip : mediaTypes.dockerLayerGzip;
    default:
      return mediaTypes.ociLayerZstd;
  }
}

export interface WriterOptions {
  store: Pick<ImageStoreInterface, 'layer' | 'layerTar'>;
  blobs: LayerBlobs;
  imports: Imports | null;
  form: CacheForm;
  lease: Lease;
  signal: AbortSignal;
}

/** A tag of a registry. */
export function registryWriter(
  place: { reference: Reference; repository: Repository },
  { store, blobs, imports, form, signal }: WriterOptions,
): CacheWriter {
  const { reference, repository } = place;
  return {
    async layer(diffId, layer) {
      const known = imports?.blobOf(diffId) ?? null;
      const elsewhere = known?.cache.repository;
      const mountFrom =
        elsewhere && elsewhere.domain === reference.domain && elsewhere.path !== reference.path ? [elsewhere.path] : [];
      const push = (): Promise<Descriptor> =>
        blobs.push({
          repository,
          diffId,
          known: known?.blob ?? null,
          mountFrom,
          compression: form.compression,
          progress: () => undefined,
          signal,
        });
      // What the registry has need not be here for that.
      if (!store.layer(diffId) && known && (await hasBlob(repository, known.blob.digest, signal))) return known.blob;
      return (await isHere(layer)) ? push() : null;
    },
    bytes: (bytes, digest) => uploadBytes(repository, { digest, bytes }, signal),
    manifest: (document) => putManifest(repository, document.digest, { ...document, signal }),
    name: (document) => putManifest(repository, reference.digest ?? (reference.tag as string), { ...document, signal }),
  };
}

/** Layers that are packed at a time. */
const packedAtOnce = 2;

/** A folder of the client. */
export function folderWriter(
  place: { folders: ClientFolders; number: number },
  { store, imports, form, lease, signal }: WriterOptions,
): CacheWriter {
  const { folders, number } = place;
  const room = new Semaphore(packedAtOnce);
  const pack = async (diffId: string): Promise<Descriptor> => {
    const path = join(lease.directory, `cache-${crypto.randomUUID()}`);
    try {
      const blob = await packLayer(store, { diffId, compression: form.compression }, { path, signal });
      await failpoint('cache.after-pack');
      if (!(await folders.has(number, blob.digest))) await folders.write(number, blob.digest, createReadStream(path));
      return blob;
    } finally {
      await rm(path, { force: true });
    }
  };
  const bytes = (content: Uint8Array, digest: string): Promise<void> => folders.write(number, digest, once(content));
  return {
    async layer(diffId, layer) {
      const known = imports?.blobOf(diffId)?.blob;
      if (known && (await folders.has(number, known.digest))) return known;
      const release = await room.acquire(signal);
      try {
        return (await isHere(layer)) ? await pack(diffId) : null;
      } finally {
        release();
      }
    },
    bytes,
    manifest: (document) => bytes(document.bytes, document.digest),
    async name({ bytes: content, mediaType, digest, size }) {
      await bytes(content, digest);
      await folders.name(number, { mediaType, digest, size });
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Brings a layer here. False: nobody has it. */
async function isHere(layer: Layer): Promise<boolean> {
  try {
    await layer.place();
    return true;
  } catch (error) {
    if (error instanceof LostLayerError) return false;
    throw error;
  }
}
