/** Images made in memory: layers, config and manifest with right digests, in OCI's or Docker's media types. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { sha256 } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type TarEntry, tar } from './tar.ts';

export interface FixtureBlob {
  mediaType: string;
  digest: string;
  bytes: Uint8Array;
}

export interface ImageFixture {
  manifest: FixtureBlob;
  config: FixtureBlob;
  layers: (FixtureBlob & { diffId: string })[];
  platform: { os: string; architecture: string; variant?: string };
}

export interface FixtureOptions {
  /** The files of each layer, the base first. */
  layers?: TarEntry[][];
  /** Layers as tar bytes, instead of `layers`. */
  tars?: Uint8Array[];
  format?: 'oci' | 'docker';
  compression?: 'gzip' | 'zstd' | 'none';
  platform?: { os: string; architecture: string; variant?: string };
  /** The `config` part of the config document. */
  defaults?: object;
}

const layerTypes = {
  oci: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
  docker: { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.ociLayerZstd },
};

const hostArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** Builds an image; the same options give the same digests. */
export function imageFixture(options: FixtureOptions = {}): ImageFixture {
  const format = options.format ?? 'oci';
  const compression = options.compression ?? 'gzip';
  const platform = options.platform ?? { os: 'linux', architecture: hostArchitecture };
  const tars =
    options.tars ?? (options.layers ?? [[{ name: 'hello', content: 'hello\n' }]]).map((entries) => tar(entries));
  const layers = tars.map((archive) => {
    const bytes = compress(archive, compression);
    return { mediaType: layerTypes[format][compression], digest: sha256(bytes), bytes, diffId: sha256(archive) };
  });
  const config = jsonBlob(format === 'oci' ? mediaTypes.ociConfig : mediaTypes.dockerConfig, {
    ...platform,
    created: '2026-01-02T03:04:05Z',
    config: options.defaults ?? { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/hello'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, index) => ({ created: '2026-01-02T03:04:05Z', created_by: `layer ${index}` })),
  });
  const mediaType = format === 'oci' ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const manifest = jsonBlob(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  });
  return { manifest, config, layers, platform };
}

function compress(archive: Uint8Array, compression: 'gzip' | 'zstd' | 'none'): Uint8Array {
  if (compression === 'none') return archive;
  return new Uint8Array(compression === 'gzip' ? gzipSync(archive, { level: 1 }) : zstdCompressSync(archive));
}

/** An index over several images. */
export function indexFixture(images: readonly ImageFixture[], format: 'oci' | 'docker' = 'oci'): FixtureBlob {
  const mediaType = format === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerManifestList;
  return jsonBlob(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: images.map((image) => ({ ...descriptorOf(image.manifest), platform: image.platform })),
  });
}

/** A document and its digest. */
export function jsonBlob(mediaType: string, value: unknown): FixtureBlob {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return { mediaType, digest: sha256(bytes), bytes };
}

function descriptorOf(blob: FixtureBlob): { mediaType: string; digest: string; size: number } {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.bytes.length };
}
