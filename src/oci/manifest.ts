/**
 * Manifests and indexes, read strictly: OCI image-spec 1.1 and Docker schema 2. The bytes themselves stay with the caller, because
 * a digest is one of bytes, never of a document written anew.
 */
import { BerthError } from '../api/errors.ts';
import { isDigest } from './digest.ts';
import { isIndexType, isManifestType, mediaTypes } from './media-types.ts';
import type { Platform } from './platform.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  platform?: Platform;
  artifactType?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md */
export interface ImageManifest {
  schemaVersion: 2;
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
  artifactType?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md */
export interface ImageIndex {
  schemaVersion: 2;
  mediaType: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

export type ParsedManifest = { kind: 'manifest'; manifest: ImageManifest } | { kind: 'index'; index: ImageIndex };

/** No manifest is longer; a registry that sends more is refused (the limit that containerd and the registries share). */
export const longestManifest = 4 * 1024 * 1024;

/** A document may not name more things than this, so that a small one cannot ask for endless work. */
const mostEntries = 10_000;

/** Lists and objects of a document: each takes a hundred bytes of memory, and may be two bytes of text. */
const mostParts = 200_000;
const [quote, backslash, bracket, brace] = [0x22, 0x5c, 0x5b, 0x7b];

type Json = Record<string, unknown>;

/**
 * Reads a manifest or an index. `mediaType` is what the registry or the descriptor said; the document's own wins, and without
 * either the shape decides, as in an OCI layout. Error: `invalid`.
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): ParsedManifest {
  return readManifest(parseObject(bytes, 'manifest'), mediaType);
}

/** As `parseManifest`, of a document that `parseObject` has read. */
export function readManifest(json: Json, mediaType?: string): ParsedManifest {
  const stated = typeof json.mediaType === 'string' && json.mediaType !== '' ? json.mediaType : mediaType;
  if (json.schemaVersion === 1) throw new BerthError('invalid', schema1Text, { code: 'manifest-schema1' });
  if (json.schemaVersion !== 2)
    throw unreadable('manifest', `unsupported schema version ${JSON.stringify(json.schemaVersion)}`);
  const hasLayers = json.layers !== undefined || json.config !== undefined;
  const hasManifests = json.manifests !== undefined;
  // One document that can be read as two kinds would have one digest and two meanings (CVE-2021-41190).
  if (hasLayers && hasManifests) throw unreadable('manifest', 'both layers and manifests are given');
  if (hasManifests) {
    if (stated && isManifestType(stated)) throw unreadable('manifest', `an index calls itself ${stated}`);
    const manifests = list(json.manifests, 'manifests').map((entry, at) => descriptor(entry, `manifests[${at}]`));
    return {
      kind: 'index',
      index: {
        schemaVersion: 2,
        mediaType: stated && isIndexType(stated) ? stated : mediaTypes.ociIndex,
        manifests,
        ...annotations(json),
      },
    };
  }
  if (stated && isIndexType(stated)) throw unreadable('manifest', `no manifests in ${stated}`);
  return {
    kind: 'manifest',
    manifest: {
      schemaVersion: 2,
      mediaType: stated && isManifestType(stated) ? stated : mediaTypes.ociManifest,
      config: descriptor(json.config, 'config'),
      layers: list(json.layers ?? [], 'layers').map((entry, at) => descriptor(entry, `layers[${at}]`)),
      ...annotations(json),
      ...(typeof json.artifactType === 'string' && { artifactType: json.artifactType }),
    },
  };
}

const schema1Text =
  'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. Upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/';

/** Bytes → JSON object. Error: `invalid`. */
export function parseObject(bytes: Uint8Array, what: string): Json {
  if (hasTooManyParts(bytes)) throw unreadable(what, `it has more than ${mostParts} lists and objects`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unreadable(what, (cause as Error).message, cause);
  }
  if (!isObject(value)) throw unreadable(what, 'it is no JSON object');
  return value;
}

/** Found before the document is parsed. */
function hasTooManyParts(bytes: Uint8Array): boolean {
  let parts = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString && byte === backslash) at++;
    else if (byte === quote) isInString = !isInString;
    else if (!isInString && (byte === bracket || byte === brace) && ++parts > mostParts) return true;
  }
  return false;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw unreadable('manifest', `${what} is no list`);
  if (value.length > mostEntries) throw unreadable('manifest', `${what} has more than ${mostEntries} entries`);
  return value;
}

function descriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw unreadable('manifest', `${what} is no descriptor`);
  const { mediaType, digest, size, urls, platform } = value;
  if (typeof mediaType !== 'string') throw unreadable('manifest', `${what} has no media type`);
  if (typeof digest !== 'string' || !isDigest(digest)) throw unreadable('manifest', `${what} has no valid digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw unreadable('manifest', `${what} has no valid size`);
  return {
    mediaType,
    digest,
    size,
    ...(Array.isArray(urls) && { urls: urls.filter((url) => typeof url === 'string') }),
    ...annotations(value),
    ...(isObject(platform) && { platform: readPlatform(platform, what) }),
    ...(typeof value.artifactType === 'string' && { artifactType: value.artifactType }),
  };
}

function readPlatform(value: Json, what: string): Platform {
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string')
    throw unreadable('manifest', `${what} has no valid platform`);
  const version = value['os.version'];
  return {
    os,
    architecture,
    ...(typeof variant === 'string' && variant !== '' && { variant }),
    ...(typeof version === 'string' && { 'os.version': version }),
  };
}

function annotations(value: Json): { annotations?: Record<string, string> } {
  if (!isObject(value.annotations)) return {};
  const strings = Object.entries(value.annotations).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string';
  });
  return { annotations: Object.fromEntries(strings) };
}

/** The error of a document that cannot be used. */
export function unreadable(what: string, why: string, cause?: unknown): BerthError {
  return new BerthError('invalid', `invalid ${what}: ${why}`, { cause });
}
