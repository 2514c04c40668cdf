/** The manifests of a build's images, the attestations beside them and the index above: what its names stand for in a registry. */
import { BerthError } from '../../api/errors.ts';
import type { BuildAnnotation, BuildDescriptor } from '../../api/types/build.ts';
import { sha256 } from '../../oci/digest.ts';
import { longestConfig } from '../../oci/image-config.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Document, NewTarget } from '../../store/types.ts';
import type { BuiltImage } from '../build-work.ts';
import { imageUrl } from './package-url.ts';
import { type PackingWork, packLayers } from './packed-layers.ts';
import { type Attestation, type Subject, statement, statementType, subjectOf } from './statement.ts';

export interface TargetWish {
  images: readonly BuiltImage[];
  /** By the image that they are about; those of no image are absent. */
  attestations: ReadonlyMap<BuiltImage, readonly Attestation[]>;
  annotations: readonly BuildAnnotation[];
  /** Names that statements call the image by. */
  tags: readonly string[];
  ociArtifact: boolean;
}

export interface BuiltTarget extends NewTarget {
  descriptor: BuildDescriptor;
}

const attestationArtifact = 'application/vnd.docker.attestation.manifest.v1+json';
const nowhere: Platform = { os: 'unknown', architecture: 'unknown' };

/**
 * Makes the documents. One image with no attestations is a manifest, anything else an index. Errors: `invalid` for annotations of what there is
 * not; those of packing.
 */
export async function makeTarget(wish: TargetWish, work: PackingWork): Promise<BuiltTarget> {
  const { images, attestations } = wish;
  const isIndex = images.length > 1 || attestations.size > 0;
  checkAnnotations(wish, isIndex);
  const layers = images.flatMap(({ diffIds }) => diffIds);
  const packed = await packLayers(layers, work);
  const documents: Document[] = [];
  const put = (mediaType: string, text: string): Document => {
    const bytes = Buffer.from(text);
    const document = { digest: sha256(bytes), mediaType, bytes };
    documents.push(document);
    return document;
  };
  const manifests = images.map((image) => {
    documents.push({ digest: sha256(image.config), mediaType: mediaTypes.ociConfig, bytes: image.config });
    const manifest = put(mediaTypes.ociManifest, pretty(imageManifest(image, packed, wish.annotations)));
    const annotations = annotationsOf(wish.annotations, 'manifest-descriptor', image.platform);
    return { image, descriptor: { ...descriptorOf(manifest), ...annotations } };
  });
  const [first] = manifests;
  if (!isIndex && first) return { digest: first.descriptor.digest, documents, layers, descriptor: first.descriptor };
  const about = manifests.flatMap(({ image, descriptor }) => {
    const said = attestations.get(image);
    return said ? [attestationManifest({ image, descriptor, said, wish }, put)] : [];
  });
  const index = put(
    mediaTypes.ociIndex,
    pretty({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        ...manifests.map(({ image, descriptor }) => ({ ...descriptor, platform: shown(image.platform) })),
        ...about,
      ],
      ...annotationsOf(wish.annotations, 'index', null),
    }),
  );
  const descriptor = { ...descriptorOf(index), ...annotationsOf(wish.annotations, 'index-descriptor', null) };
  return { digest: index.digest, documents, layers, descriptor };
}

function checkAnnotations({ images, annotations }: TargetWish, isIndex: boolean): void {
  if (!isIndex && annotations.some(({ level }) => level.startsWith('index')))
    throw new BerthError('invalid', 'index annotations not supported for single platform export');
  const known = new Set(images.map(({ platform }) => formatPlatform(platform)));
  const stranger = annotations.find(({ platform }) => platform !== '' && !known.has(platform));
  if (stranger) throw new BerthError('invalid', `invalid annotation: no platform ${stranger.platform} found in source`);
}

/** Those of all platforms, and over them those of this one. */
function annotationsOf(
  all: readonly BuildAnnotation[],
  level: BuildAnnotation['level'],
  platform: Platform | null,
): { annotations?: Record<string, string> } {
  const name = platform === null ? '' : formatPlatform(platform);
  const mine = all.filter((one) => one.level === level && (one.platform === '' || one.platform === name));
  const pairs = new Map(
    [...mine].sort((left, right) => left.platform.length - right.platform.length).map(({ key, value }) => [key, value]),
  );
  if (pairs.size === 0) return {};
  return { annotations: Object.fromEntries([...pairs].sort(([left], [right]) => (left < right ? -1 : 1))) };
}

function imageManifest(
  image: BuiltImage,
  packed: ReadonlyMap<string, Descriptor>,
  annotations: readonly BuildAnnotation[],
): object {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: sha256(image.config), size: image.config.length },
    layers: image.diffIds.map((diffId) => packed.get(diffId)),
    ...annotationsOf(annotations, 'manifest', image.platform),
  };
}

interface AttestedImage {
  image: BuiltImage;
  descriptor: BuildDescriptor;
  said: readonly Attestation[];
  wish: TargetWish;
}

function attestationManifest(
  { image, descriptor, said, wish }: AttestedImage,
  put: (mediaType: string, text: string) => Document,
): object {
  const subjects = wish.tags.map((tag) => subjectOf(imageUrl(tag, image.platform), descriptor.digest));
  const layers = said.map((one) => ({
    ...descriptorOf(put(statementType, statementText(one, subjects))),
    annotations: { 'in-toto.io/predicate-type': one.predicateType },
  }));
  const config = wish.ociArtifact
    ? { ...descriptorOf(put(mediaTypes.ociEmpty, '{}')), data: Buffer.from('{}').toString('base64') }
    : descriptorOf(put(mediaTypes.ociConfig, attestationConfig(layers)));
  const manifest = put(
    mediaTypes.ociManifest,
    pretty({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      ...(wish.ociArtifact && { artifactType: attestationArtifact }),
      config,
      layers,
      ...(wish.ociArtifact && {
        subject: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size },
      }),
    }),
  );
  return {
    ...descriptorOf(manifest),
    annotations: {
      'vnd.docker.reference.digest': descriptor.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: nowhere.architecture, os: nowhere.os },
  };
}

/** Error: `too-large` for one that no load would take. */
function statementText(said: Attestation, subjects: readonly Subject[]): string {
  const text = JSON.stringify(statement(said, subjects));
  if (Buffer.byteLength(text) > longestConfig)
    throw new BerthError('too-large', `the attestation ${said.predicateType} is longer than ${longestConfig} bytes`);
  return text;
}

/** A config for clients that know of no artifacts. */
function attestationConfig(layers: readonly { digest: string }[]): string {
  return JSON.stringify({
    architecture: nowhere.architecture,
    os: nowhere.os,
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
}

function descriptorOf({ mediaType, digest, bytes }: Document): BuildDescriptor {
  return { mediaType, digest, size: bytes.length };
}

function shown({ architecture, os, variant }: Platform): object {
  return { architecture, os, ...(variant && { variant }) };
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}
