import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { CacheSource } from '../../api/types/build.ts';
import { collectWithin } from '../../base/collect-within.ts';
import type { RemoteDocument } from '../../distribution/repository.ts';
import type { RepositorySources } from '../../distribution/sources.ts';
import { sha256 } from '../../oci/digest.ts';
import { longestConfig, parseImageConfig } from '../../oci/image-config.ts';
import { type Descriptor, type ImageManifest, longestManifest, parseManifest } from '../../oci/manifest.ts';
import { layerCompression, mediaTypes } from '../../oci/media-types.ts';
import { choosePlatform, type Platform } from '../../oci/platform.ts';
import { canonicalString, familiarString, parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ImageStoreInterface, Lease } from '../../store/types.ts';
import {
  buildKitMediaType,
  type CacheDocument,
  cacheMediaType,
  decodeCache,
  inlineCache,
  longestDocument,
} from './cache-document.ts';
import type { ClientFolders } from './client-folders.ts';
import type { OpenedCache } from './imports.ts';
import type { LayerBlobs } from './layer-blobs.ts';

export interface OpenCacheOptions {
  store: Pick<ImageStoreInterface, 'reference' | 'image' | 'ingestLayer'>;
  blobs: LayerBlobs;
  /** Null: the client has no folders. */
  folders: ClientFolders | null;
  auths: Readonly<Record<string, unknown>>;
  /** Of images that carry their cache. */
  platforms: readonly Platform[];
  lease: Lease;
  signal: AbortSignal;
  /** Something grows. */
  status(text: string, current: number, total: number): void;
}

/** What can be read of a place. */
interface Reader {
  manifest(digest: string): Promise<RemoteDocument>;
  document(digest: string, limit: number): Promise<Uint8Array>;
}

type Content = Pick<OpenedCache, 'document' | 'blobs'>;

/** As people know it. */
export function nameOfSource(source: CacheSource): string {
  return source.type === 'local' ? `local:${source.name}` : source.reference;
}

/**
 * Reads what a cache says; no layer is fetched. Text: there is something, but nothing that this builder can use. Errors: `not-found`, `invalid`, the
 * registry's.
 */
export function openCache(
  source: CacheSource,
  number: number,
  options: OpenCacheOptions,
): Promise<OpenedCache | string> {
  return source.type === 'local' ? openFolder(source, number, options) : openReference(source, options);
}

/** An image of this machine that has a cache in it goes before the registry, as with dockerd. */
async function openReference(
  source: Extract<CacheSource, { type: 'registry' }>,
  options: OpenCacheOptions,
): Promise<OpenedCache | string> {
  const { store, blobs, auths, platforms, signal, status } = options;
  const reference = withDefaultTag(parseReference(source.reference));
  const id = store.reference(canonicalString(reference));
  const own = id === null ? null : inlineCache(store.image(id)?.configBytes ?? Buffer.from('{}'));
  const common = { name: familiarString(reference) };
  if (own) return { ...common, document: own, blobs: new Map(), repository: null, fetch: () => Promise.resolve(null) };
  if (source.here) return noCache;
  const sources = blobs.registry(reference, auths, 'pull');
  const content = await read(
    await sources.manifest(reference.digest ?? (reference.tag as string), signal),
    registryReader(sources, signal),
    platforms,
  );
  if (typeof content === 'string') return content;
  return {
    ...common,
    ...content,
    repository: { domain: reference.domain, path: reference.path },
    fetch: (layer, diffId) =>
      blobs.fetch({
        layer,
        diffId,
        sources,
        signal,
        report: ({ status: what, progressDetail }) => {
          if (what === 'Downloading' && progressDetail?.current !== undefined)
            status(layer.digest, progressDetail.current, layer.size);
        },
      }),
  };
}

function registryReader(sources: RepositorySources, signal: AbortSignal): Reader {
  return {
    manifest: (digest) => sources.manifest(digest, signal),
    document: (digest, limit) => sources.use((repository) => repository.document(digest, { limit, signal }), signal),
  };
}

async function openFolder(
  source: Extract<CacheSource, { type: 'local' }>,
  number: number,
  options: OpenCacheOptions,
): Promise<OpenedCache | string> {
  const { folders, store, platforms, lease, signal, status } = options;
  if (!folders) throw new BerthError('invalid', 'the client has no folders');
  const document = (digest: string, limit: number): Promise<Uint8Array> =>
    checked(folders.read(number, digest), digest, limit);
  const manifest = async (digest: string): Promise<RemoteDocument> => ({
    bytes: await document(digest, longestManifest),
    digest,
    mediaType: '',
  });
  const top = { ...(await manifest(source.manifest.digest)), mediaType: source.manifest.mediaType };
  const content = await read(top, { manifest, document }, platforms);
  if (typeof content === 'string') return content;
  return {
    name: nameOfSource(source),
    ...content,
    repository: null,
    fetch: (blob, diffId) =>
      store.ingestLayer({
        source: { kind: 'stream', stream: Readable.from(folders.read(number, blob.digest), { objectMode: false }) },
        lease,
        digest: blob.digest,
        size: blob.size,
        diffId,
        signal,
        onProgress: (current) => status(blob.digest, current, blob.size),
      }),
  };
}

async function checked(bytes: AsyncIterable<Uint8Array>, digest: string, limit: number): Promise<Uint8Array> {
  const tooLong = (): Error => new BerthError('invalid', `blob ${digest} is longer than ${limit} bytes`);
  const whole = await collectWithin(bytes, limit, tooLong);
  const actual = sha256(whole);
  if (actual !== digest) throw new BerthError('invalid', `blob ${digest} has the content ${actual}`);
  return whole;
}

const noCache = 'there is no build cache in it (--cache-to type=inline puts one there)';
const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);

async function read(top: RemoteDocument, reader: Reader, platforms: readonly Platform[]): Promise<Content | string> {
  const contents: Content[] = [];
  let why = 'there is no cache for this platform in it';
  for (const manifest of await manifestsOf(top, reader, platforms)) {
    const content = await contentOf(manifest, reader);
    if (typeof content === 'string') why = content;
    else contents.push(content);
  }
  const [first] = contents;
  if (!first || contents.length === 1) return first ?? why;
  const all = contents.map(({ document }) => document);
  return {
    document: {
      layers: new Map(all.flatMap(({ layers }) => [...layers])),
      steps: new Map(all.flatMap(({ steps }) => [...steps])),
      contents: new Map(all.flatMap((document) => [...document.contents])),
    },
    blobs: new Map(contents.flatMap(({ blobs }) => [...blobs])),
  };
}

async function contentOf(manifest: ImageManifest, reader: Reader): Promise<Content | string> {
  const { config } = manifest;
  if (config.mediaType === cacheMediaType) {
    const document = decodeCache(await reader.document(config.digest, longestDocument));
    return { document, blobs: namedBlobs(document, manifest) };
  }
  if (config.mediaType === buildKitMediaType) return "it is BuildKit's: only BuildKit can use it";
  const bytes = imageConfigs.has(config.mediaType) ? await reader.document(config.digest, longestConfig) : null;
  const document = bytes && inlineCache(bytes);
  if (!bytes || !document) return noCache;
  return { document, blobs: imageBlobs(parseImageConfig(bytes).rootfs.diff_ids, manifest) };
}

/** Follows an index to the cache, or to the images for the platforms; none: there is nothing of the kind. */
async function manifestsOf(
  top: RemoteDocument,
  reader: Reader,
  platforms: readonly Platform[],
): Promise<ImageManifest[]> {
  const parsed = parseManifest(top.bytes, top.mediaType);
  if (parsed.kind === 'manifest') return [parsed.manifest];
  const { manifests } = parsed.index;
  const cache = manifests.find(({ artifactType }) => artifactType === cacheMediaType);
  const chosen = cache ? [cache] : platforms.flatMap((platform) => choosePlatform(manifests, platform) ?? []);
  return Promise.all(
    [...new Set(chosen)].map(async ({ digest, mediaType }) => {
      const document = await reader.manifest(digest);
      const inner = parseManifest(document.bytes, document.mediaType || mediaType);
      if (inner.kind === 'index') throw new BerthError('invalid', 'invalid manifest: indexes within indexes');
      return inner.manifest;
    }),
  );
}

/** Layers that the document names and the manifest has. */
function namedBlobs(document: CacheDocument, manifest: ImageManifest): Map<string, Descriptor> {
  const byDigest = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  const found = [...document.layers].flatMap(([diffId, digest]): [string, Descriptor][] => {
    const layer = digest === null ? undefined : byDigest.get(digest);
    return layer && layerCompression(layer.mediaType) !== null ? [[diffId, layer]] : [];
  });
  return new Map(found);
}

/** The layers of an image. */
function imageBlobs(diffIds: readonly string[], { layers }: ImageManifest): Map<string, Descriptor> {
  if (diffIds.length !== layers.length)
    throw new BerthError('invalid', "layers from manifest don't match image configuration");
  return new Map(diffIds.map((diffId, index) => [diffId, layers[index] as Descriptor]));
}
