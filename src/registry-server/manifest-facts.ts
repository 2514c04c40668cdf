/** What a registry must know of a manifest. Every JSON document is taken, whatever its media type; what is known is read strictly. */
import { BerthError } from '../api/errors.ts';
import { isDigest } from '../oci/digest.ts';
import { type Descriptor, parseObject, readManifest } from '../oci/manifest.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';
import { RegistryProblem } from './problem.ts';
import type { ManifestFacts } from './storage/types.ts';

/** Error: `MANIFEST_INVALID`. */
export function manifestFacts(bytes: Uint8Array, mediaType: string): ManifestFacts {
  try {
    return read(bytes, mediaType);
  } catch (cause) {
    if (!(cause instanceof BerthError)) throw cause;
    throw new RegistryProblem('MANIFEST_INVALID', { message: `manifest invalid: ${cause.message}`, cause });
  }
}

function read(bytes: Uint8Array, mediaType: string): ManifestFacts {
  const json = parseObject(bytes, 'manifest');
  if (typeof json.mediaType === 'string' && json.mediaType !== '' && json.mediaType !== mediaType)
    throw new BerthError('invalid', `it is sent as ${mediaType} and calls itself ${json.mediaType}`);
  const common = {
    subject: digestOf(json.subject),
    annotations: stringsOf(json.annotations),
  };
  if (!isIndexType(mediaType) && !isManifestType(mediaType))
    return { ...common, blobs: [], manifests: [], artifactType: textOf(json.artifactType) };
  const parsed = readManifest(json, mediaType);
  if (parsed.kind === 'index') {
    const manifests = parsed.index.manifests.filter(isHere).map(({ digest }) => digest);
    return { ...common, blobs: [], manifests, artifactType: textOf(json.artifactType) };
  }
  const { config, layers } = parsed.manifest;
  const blobs = [config, ...layers].filter(isHere).map(({ digest }) => digest);
  return { ...common, blobs, manifests: [], artifactType: textOf(json.artifactType) || config.mediaType };
}

/** Layers that may not be redistributed stay where their address says. */
function isHere(descriptor: Descriptor): boolean {
  return !(descriptor.urls?.length && /foreign|nondistributable/.test(descriptor.mediaType));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function digestOf(value: unknown): string | null {
  const digest = (value as { digest?: unknown } | null | undefined)?.digest;
  return typeof digest === 'string' && isDigest(digest) ? digest : null;
}

function stringsOf(value: unknown): Record<string, string> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const strings = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return strings.length === 0 ? null : Object.fromEntries(strings);
}
