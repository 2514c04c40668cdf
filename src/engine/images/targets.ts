/** What stands behind a name that means more than one image: manifests of platforms, and of what is said about them. */
import { configPlatform, type ImageConfigDocument, parseImageConfig } from '../../oci/image-config.ts';
import { type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import { choosePlatform, type Platform, platformRank } from '../../oci/platform.ts';
import type { Document, ImageStoreInterface, StoredImage, StoredTarget } from '../../store/types.ts';

export interface TargetManifest {
  document: Document;
  manifest: ImageManifest;
  /** Absent: it is no image. */
  config?: ImageConfigDocument;
  /** As its index says, or its config. */
  platform?: Platform;
}

type Documents = Pick<ImageStoreInterface, 'document'>;

/** The document of a target itself. Error: plain, where the books are wrong. */
export function targetDocument(store: Documents, { digest }: StoredTarget): Document {
  return documentOf(store, digest);
}

/** Every manifest of a target, images first, as its index has them. */
export function targetManifests(store: Documents, target: StoredTarget): TargetManifest[] {
  const top = documentOf(store, target.digest);
  const parsed = parseManifest(top.bytes, top.mediaType);
  if (parsed.kind === 'manifest') return [read(store, top, parsed.manifest)];
  return parsed.index.manifests.map(({ digest, mediaType, platform }) => {
    const document = documentOf(store, digest);
    const child = parseManifest(document.bytes, mediaType);
    if (child.kind !== 'manifest') throw new Error(`${digest} is an index within an index`);
    return { ...read(store, document, child.manifest), ...(platform && { platform }) };
  });
}

/** The image of a target that a platform runs; null: none. */
export function imageOfTarget(
  store: Documents,
  target: StoredTarget,
  platform: Platform,
): { id: string; config: ImageConfigDocument; document: Document } | null {
  const images = targetManifests(store, target).filter(({ config }) => config !== undefined);
  const chosen = choosePlatform(images, platform);
  if (!chosen?.config) return null;
  return { id: chosen.manifest.config.digest, config: chosen.config, document: chosen.document };
}

/** The image of a target that fits the platform, where the one that its name means does not; that one otherwise. */
export function imageFor(
  store: Pick<ImageStoreInterface, 'document' | 'layer'>,
  image: StoredImage,
  { target, platform }: { target: StoredTarget | null; platform: Platform | null },
): StoredImage {
  if (!target || !platform || platformRank(configPlatform(image.config), platform) !== null) return image;
  const other = imageOfTarget(store, target, platform);
  if (!other) return image;
  const layers = other.config.rootfs.diff_ids;
  return {
    ...image,
    id: other.id,
    config: other.config,
    configBytes: documentOf(store, other.id).bytes,
    manifest: other.document.digest,
    parent: null,
    size: layers.reduce((sum, diffId) => sum + (store.layer(diffId)?.size ?? 0), 0),
    layers,
  };
}

function read(store: Documents, document: Document, manifest: ImageManifest): TargetManifest {
  const isImage = manifest.layers.every(({ mediaType }) => layerCompression(mediaType) !== null);
  const bytes = isImage ? store.document(manifest.config.digest)?.bytes : undefined;
  if (!bytes) return { document, manifest };
  const config = parseImageConfig(bytes);
  return { document, manifest, config, platform: configPlatform(config) };
}

function documentOf(store: Documents, digest: string): Document {
  const document = store.document(digest);
  if (!document) throw new Error(`the store has no document ${digest}`);
  return document;
}
