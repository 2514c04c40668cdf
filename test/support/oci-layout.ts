/** An OCI image layout as a tar, made by hand: every byte is the test's. */
import { createHash } from 'node:crypto';
import { type TarEntry, tar } from './tar.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const json = (value: unknown): string => JSON.stringify(value);

export interface OciLayoutOptions {
  /** Plain. */
  layers: Uint8Array[];
  /** The same, as they shall lie in the layout. */
  packed: Uint8Array[];
  mediaType: string;
  /** The image's full name. */
  name?: string;
}

export function ociLayout(options: OciLayoutOptions): Uint8Array<ArrayBuffer> {
  const config = json({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: options.layers.map((bytes) => `sha256:${sha256(bytes)}`) },
  });
  const descriptor = (mediaType: string, bytes: Uint8Array | string) => ({
    mediaType,
    digest: `sha256:${sha256(bytes)}`,
    size: Buffer.byteLength(bytes as string),
  });
  const manifest = json({
    schemaVersion: 2,
    // Spaces and all: the digest is one of bytes, not of what they mean.
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: options.packed.map((bytes) => descriptor(options.mediaType, bytes)),
  }).replace('{', '{ ');
  const entry = {
    ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
    ...(options.name && { annotations: { 'io.containerd.image.name': options.name } }),
  };
  const blob = (bytes: Uint8Array | string): TarEntry => ({ name: `blobs/sha256/${sha256(bytes)}`, content: bytes });
  return tar([
    ...[config, manifest, ...options.packed].map(blob),
    { name: 'index.json', content: json({ schemaVersion: 2, manifests: [entry] }) },
    { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
  ]);
}
