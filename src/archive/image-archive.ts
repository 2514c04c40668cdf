/**
 * What the documents of an archive say about its images: `manifest.json` of `docker save`
 * (https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md), `index.json` of an OCI layout
 * (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md), and the `repositories` of old archives.
 */
import { BerthError } from '../api/errors.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../oci/manifest.ts';
import { layerCompression, mediaTypes } from '../oci/media-types.ts';
import { choosePlatform, type Platform } from '../oci/platform.ts';
import { canonicalString, parseReference } from '../oci/reference.ts';
import type { ArchiveLayer, ArchiveMembers } from './archive-members.ts';
import { legacyImages } from './legacy-archive.ts';

export interface StoredDocument {
  digest: string;
  mediaType: string;
  bytes: Buffer;
}

/** An image that the archive holds in full. */
export interface ArchiveImage {
  config: Buffer;
  configDigest: string;
  /** The manifest's digest among `documents`; null where the archive has none. */
  manifest: string | null;
  documents: StoredDocument[];
  /** Canonical references; empty: the image has no name. */
  references: string[];
  layers: ArchiveLayer[];
  /** The index that the image stands in, where the archive holds all that it leads to. */
  target: ArchiveTarget | null;
}

export interface ArchiveTarget {
  digest: string;
  documents: StoredDocument[];
  /** Of all its images. */
  layers: ArchiveLayer[];
}

/** Reads the images out of the members. Errors: `invalid` in dockerd's words where it has any. */
export async function readImages(members: ArchiveMembers, platform: Platform): Promise<ArchiveImage[]> {
  const manifests = layoutManifests(members, platform);
  const legacy = members.document('manifest.json');
  if (legacy) return dockerImages(members, legacy.bytes, manifests);
  if (manifests.length > 0) return Promise.all(manifests.map((entry) => layoutImage(members, entry)));
  if (members.document('index.json'))
    throw new BerthError('not-found', 'the archive has no image for this platform, or not all of its layers');
  const old = await legacyImages(members);
  if (old.length === 0) throw new BerthError('invalid', 'open manifest.json: no such file or directory');
  return old.map((image) => ({ ...image, documents: [], manifest: null, target: null }));
}

interface LayoutEntry {
  manifest: ImageManifest;
  digest: string;
  documents: StoredDocument[];
  references: string[];
  top: Descriptor;
}

/** Manifests of the layout that are for this platform; where an index offers several, the best one. */
function layoutManifests(members: ArchiveMembers, platform: Platform): LayoutEntry[] {
  const root = members.document('index.json');
  if (!root) return [];
  const parsed = parseManifest(root.bytes, mediaTypes.ociIndex);
  if (parsed.kind !== 'index') throw new BerthError('invalid', 'index.json of the archive is no image index');
  return parsed.index.manifests.flatMap((descriptor) => {
    const entry = follow(members, descriptor, platform);
    return entry ? [{ ...entry, references: namesOf(descriptor), top: descriptor }] : [];
  });
}

function follow(
  members: ArchiveMembers,
  descriptor: Descriptor,
  platform: Platform,
): Omit<LayoutEntry, 'references' | 'top'> | null {
  const documents: StoredDocument[] = [];
  let at: Descriptor | undefined = descriptor;
  for (let depth = 0; at && depth < 4; depth++) {
    const document = blob(members, at.digest);
    if (!document) return null;
    const parsed = parseManifest(document.bytes, at.mediaType);
    documents.unshift({ digest: at.digest, mediaType: at.mediaType, bytes: document.bytes });
    if (parsed.kind === 'manifest') {
      const isImage = blob(members, parsed.manifest.config.digest) !== undefined && !parsed.manifest.artifactType;
      return isImage ? { manifest: parsed.manifest, digest: at.digest, documents } : null;
    }
    at = choosePlatform(parsed.index.manifests, platform);
  }
  return null;
}

/** An index with all that it leads to; null: it is none, or something of it is missing. */
async function wholeTarget(members: ArchiveMembers, top: Descriptor): Promise<ArchiveTarget | null> {
  const index = blob(members, top.digest);
  const parsed = index && parseManifest(index.bytes, top.mediaType);
  if (!index || parsed?.kind !== 'index') return null;
  const documents: StoredDocument[] = [{ digest: top.digest, mediaType: parsed.index.mediaType, bytes: index.bytes }];
  const layers: ArchiveLayer[] = [];
  const take = ({ digest, mediaType }: Descriptor): Buffer | null => {
    const found = blob(members, digest);
    if (found) documents.push({ digest, mediaType, bytes: found.bytes });
    return found?.bytes ?? null;
  };
  for (const child of parsed.index.manifests) {
    const bytes = take(child);
    const inner = bytes && parseManifest(bytes, child.mediaType);
    if (inner?.kind !== 'manifest' || !take(inner.manifest.config)) return null;
    for (const layer of inner.manifest.layers) {
      if (layerCompression(layer.mediaType) === null) {
        if (!take(layer)) return null;
        continue;
      }
      const unpacked = await members.layer(blobPath(layer.digest));
      // What the registry calls it must be what is kept.
      if (unpacked?.digest !== layer.digest) return null;
      layers.push(unpacked);
    }
  }
  return { digest: top.digest, documents, layers };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function blob(members: ArchiveMembers, digest: string) {
  return members.document(blobPath(digest));
}

/** containerd's full name, or the plain `ref.name` where that is a whole reference. */
function namesOf(descriptor: Descriptor): string[] {
  const full = descriptor.annotations?.['io.containerd.image.name'];
  const name = full ?? descriptor.annotations?.['org.opencontainers.image.ref.name'];
  if (!name || (full === undefined && !/[/:]/.test(name))) return [];
  const reference = parseReference(name);
  return reference.tag === undefined ? [] : [canonicalString({ ...reference, digest: undefined })];
}

async function layoutImage(members: ArchiveMembers, entry: LayoutEntry): Promise<ArchiveImage> {
  const config = blob(members, entry.manifest.config.digest) as { digest: string; bytes: Buffer };
  const paths = entry.manifest.layers.map((layer) => blobPath(layer.digest));
  const { documents, references, digest } = entry;
  const target = await wholeTarget(members, entry.top);
  return withLayers(
    members,
    { config: config.bytes, configDigest: config.digest, manifest: digest, documents, references, target },
    paths,
  );
}

interface DockerManifestEntry {
  Config: string;
  RepoTags?: string[] | null;
  Layers?: string[] | null;
}

function parseDockerManifest(bytes: Buffer): DockerManifestEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new BerthError('invalid', `manifest.json: ${(cause as Error).message}`, { cause });
  }
  const isList = (value: unknown): boolean =>
    value === undefined || value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
  const isEntry = (entry: unknown): entry is DockerManifestEntry =>
    typeof entry === 'object' &&
    entry !== null &&
    typeof (entry as DockerManifestEntry).Config === 'string' &&
    isList((entry as DockerManifestEntry).RepoTags) &&
    isList((entry as DockerManifestEntry).Layers);
  if (!Array.isArray(json) || !json.every(isEntry))
    throw new BerthError('invalid', 'manifest.json: not a list of images');
  return json;
}

async function dockerImages(members: ArchiveMembers, bytes: Buffer, layout: LayoutEntry[]): Promise<ArchiveImage[]> {
  return Promise.all(
    parseDockerManifest(bytes).map(async (entry) => {
      const config = members.document(entry.Config);
      if (!config) throw new BerthError('invalid', `open ${entry.Config}: no such file or directory`);
      const references = (entry.RepoTags ?? []).map((tag) => {
        const reference = parseReference(tag);
        if (reference.tag === undefined) throw new BerthError('invalid', `invalid tag ${JSON.stringify(tag)}`);
        return canonicalString({ ...reference, digest: undefined });
      });
      const oci = layout.find((candidate) => candidate.manifest.config.digest === config.digest);
      const image = {
        config: config.bytes,
        configDigest: config.digest,
        manifest: oci?.digest ?? null,
        documents: oci?.documents ?? [],
        references,
        target: oci ? await wholeTarget(members, oci.top) : null,
      };
      return withLayers(members, image, entry.Layers ?? []);
    }),
  );
}

/** Adds the layers, checked against the config. */
async function withLayers(
  members: ArchiveMembers,
  image: Omit<ArchiveImage, 'layers'>,
  paths: string[],
): Promise<ArchiveImage> {
  const expected = parseImageConfig(image.config).rootfs.diff_ids;
  if (expected.length !== paths.length)
    throw new BerthError(
      'invalid',
      `invalid manifest, layers length mismatch: expected ${expected.length}, got ${paths.length}`,
    );
  const layers = await Promise.all(
    paths.map(async (path, index) => {
      const layer = await members.layer(path);
      if (!layer) throw new BerthError('invalid', `open ${path}: no such file or directory`);
      if (layer.diffId !== expected[index])
        throw new BerthError(
          'invalid',
          `invalid diffID for layer ${index}: expected "${expected[index]}", got "${layer.diffId}"`,
        );
      return layer;
    }),
  );
  return { ...image, layers };
}
