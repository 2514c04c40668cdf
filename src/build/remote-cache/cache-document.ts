/**
 * What a cache says, as JSON in a registry, a folder or an image: which step came to which layer. Steps are digests of what they were made of, and so
 * are the answers about files of trees; no command, no name, no value stands in it.
 */
import type { BuildOptions } from '../../api/types/build.ts';
import { isSha256Digest } from '../../oci/digest.ts';
import { parseObject, unreadable } from '../../oci/manifest.ts';

/** Of the config of a manifest that is a cache; its layers are the packed layers. */
export const cacheMediaType = 'application/vnd.berth.build.cache.v1+json';
/** Of BuildKit's, whose keys say nothing to us. */
export const buildKitMediaType = 'application/vnd.buildkit.cacheconfig.v0';
/** Key of an image's config that holds a cache; its layers are the image's. */
const inlineKey = 'berth.build.cache.v1';

/** No document is longer: one of 10,000 steps comes to 2 MB. */
export const longestDocument = 8 * 1024 * 1024;

export interface CacheDocument {
  /** Diff id → digest of the packed layer; null: it is not in the cache, or stands in the image that the document is part of. */
  readonly layers: ReadonlyMap<string, string | null>;
  /** By key. */
  readonly steps: ReadonlyMap<string, CachedStep>;
  /** What copies saw in trees: digests by question. */
  readonly contents: ReadonlyMap<string, string>;
}

export interface CachedStep {
  /** Diff id of the layer that it made; always among the layers. */
  layer: string;
  /** Digest of the trees that the step could look into; null: none. */
  upon: string | null;
  /** Unix milliseconds; when it was done. */
  created: number;
}

/** The latest time that a date can have. */
const latest = 8.64e15;

/** The same document for the same content, whatever its order. */
export function encodeCache(document: CacheDocument): Uint8Array {
  return Buffer.from(JSON.stringify(toJson(document)));
}

/** Error: `invalid`, for anything that is not a whole document. */
export function decodeCache(bytes: Uint8Array): CacheDocument {
  return fromJson(parseObject(bytes, 'build cache'));
}

/** What a build wants written down for others: anything at all, and in the image itself. */
export function cacheWishes({ cacheTo = [], buildArguments }: BuildOptions): { any: boolean; inline: boolean } {
  const inline =
    cacheTo.some(({ type }) => type === 'inline') ||
    /^(?:1|t|true)$/i.test(buildArguments['BUILDKIT_INLINE_CACHE'] ?? '');
  return { any: inline || cacheTo.length > 0, inline };
}

/** An image's config with a cache in it; null: without. */
export function withInlineCache(config: Uint8Array, document: CacheDocument | null): Uint8Array {
  if (!document) return config;
  return Buffer.from(JSON.stringify({ ...parseObject(config, 'image config'), [inlineKey]: toJson(document) }));
}

/** The cache in an image's config; null: none. Error: `invalid`. */
export function inlineCache(config: Uint8Array): CacheDocument | null {
  const value = parseObject(config, 'image config')[inlineKey];
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken('it is no object');
  return fromJson(value as Record<string, unknown>);
}

function toJson({ layers, steps, contents }: CacheDocument): object {
  const diffIds = [...layers.keys()].sort();
  const numbers = new Map(diffIds.map((diffId, number) => [diffId, number]));
  return {
    version: 1,
    layers: diffIds.map((diffId) => [diffId, layers.get(diffId)]),
    steps: sorted(steps).map(([key, { layer, upon, created }]) => [key, numbers.get(layer), created, upon]),
    contents: sorted(contents),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function fromJson({ version, layers, steps, contents }: Record<string, unknown>): CacheDocument {
  if (version !== 1) throw broken(`it has version ${JSON.stringify(version)}, and 1 is known here`);
  const rows = list(layers, 'layers').map(([diffId, blob]) => {
    if (blob !== null && !isDigest(blob)) throw broken('a layer is none');
    return [digest(diffId), blob] as const;
  });
  return {
    layers: new Map(rows),
    steps: new Map(
      list(steps, 'steps').map(([key, number, created, upon]) => {
        const layer = typeof number === 'number' ? rows[number]?.[0] : undefined;
        if (layer === undefined || !isTime(created) || !(upon === null || isDigest(upon)))
          throw broken('a step is none');
        return [digest(key), { layer, upon, created }];
      }),
    ),
    contents: new Map(list(contents, 'contents').map(([question, answer]) => [digest(question), digest(answer)])),
  };
}

function list(value: unknown, name: string): unknown[][] {
  if (!Array.isArray(value) || !value.every((item) => Array.isArray(item))) throw broken(`${name} is no list of lists`);
  return value;
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && isSha256Digest(value);
}

function digest(value: unknown): string {
  if (!isDigest(value)) throw broken('a digest is none');
  return value;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= latest;
}

function broken(why: string): Error {
  return unreadable('build cache', why);
}
