/** What manifests and configs say about an image, for people. Whoever pushed them may have written anything: what cannot be read is left out. */
import { configPlatform, type ImageConfigDocument, parseImageConfig } from '../../oci/image-config.ts';
import { type Descriptor, type ParsedManifest, parseManifest } from '../../oci/manifest.ts';
import { isIndexType, isManifestType, mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { StoredManifest } from '../storage/types.ts';
import type { Site } from './site.ts';

/** An image for one platform. */
export interface ImageRow {
  /** As `docker` writes it; empty: nobody says. */
  platform: string;
  digest: string;
  /** Bytes of config and layers as they travel; null: the manifest is not here. */
  size: number | null;
}

export interface ImageOverview {
  images: ImageRow[];
  /** Images that are not in the list because it is long. */
  more: number;
  /** Of something that is no image: what it says it is. */
  artifactType: string;
}

/** Bytes of a config that a page reads. */
const longestShownConfig = 1024 * 1024;
/** Bytes of a manifest that is one of many on a page: enough for hundreds of layers. Of a longer one no page says the size. */
const longestListed = 64 * 1024;

/** @param most images of an index that are in the list */
export async function overview(
  site: Site,
  { repository, digest, most }: { repository: string; digest: string; most: number },
): Promise<ImageOverview> {
  // A page shows many of them: others are answered in between.
  await new Promise((resolve) => setImmediate(resolve));
  const stored = site.showcase.manifest(repository, digest, longestListed);
  const parsed = stored && readManifest(stored);
  if (!parsed) return { images: [], more: 0, artifactType: stored ? stored.mediaType : '' };
  if (parsed.kind === 'index') {
    const images = parsed.index.manifests.filter((entry) => !isAttestation(entry));
    const shown = images.slice(0, most).map((entry) => imageRow(site, repository, entry));
    return { images: shown, more: images.length - shown.length, artifactType: '' };
  }
  const { manifest } = parsed;
  const artifactType = artifactTypeOf(parsed);
  const config = artifactType === '' ? await readConfig(site, repository, manifest.config) : null;
  const platform = config ? formatPlatform(configPlatform(config)) : '';
  return { images: [{ platform, digest, size: sizeOf(parsed) }], more: 0, artifactType };
}

function imageRow(site: Site, repository: string, entry: Descriptor): ImageRow {
  const stored = site.showcase.manifest(repository, entry.digest, longestListed);
  const parsed = stored && readManifest(stored);
  const platform = entry.platform ? formatPlatform(entry.platform) : '';
  return { platform, digest: entry.digest, size: parsed ? sizeOf(parsed) : null };
}

/** Null: nothing that we know. */
export function readManifest(stored: StoredManifest): ParsedManifest | null {
  if (!isIndexType(stored.mediaType) && !isManifestType(stored.mediaType)) return null;
  try {
    return parseManifest(stored.bytes, stored.mediaType);
  } catch {
    // It was taken when it came; an older version may have been less strict.
    return null;
  }
}

/** BuildKit keeps provenance and SBOMs beside the images of an index (https://docs.docker.com/build/metadata/attestations/attestation-storage/). */
export function isAttestation(entry: Descriptor): boolean {
  return entry.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
}

/** Empty: an image. */
export function artifactTypeOf(parsed: ParsedManifest): string {
  if (parsed.kind === 'index') return '';
  const { artifactType, config } = parsed.manifest;
  if (artifactType) return artifactType;
  return config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig
    ? ''
    : config.mediaType;
}

/** Bytes that a pull moves; of an index nothing can be said. */
export function sizeOf(parsed: ParsedManifest): number | null {
  if (parsed.kind === 'index') return null;
  const { config, layers } = parsed.manifest;
  return layers.reduce((sum, { size }) => sum + size, config.size);
}

/** Null: not here, too long, or no config of an image. */
export async function readConfig(
  site: Site,
  repository: string,
  { digest }: Descriptor,
): Promise<ImageConfigDocument | null> {
  // Of this repository: another one's may be secret.
  const size = await site.content.index.blob(repository, digest);
  if (size === null || size === 0 || size > longestShownConfig) return null;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of site.content.blobs.read(digest, { start: 0, end: size - 1 }))
      chunks.push(Buffer.from(chunk));
    return parseImageConfig(Buffer.concat(chunks));
  } catch {
    // Collected a moment ago, or no config.
    return null;
  }
}
