/** `--cache-from` and `--cache-to`: https://docs.docker.com/build/cache/backends/ */
import { resolve } from 'node:path';
import { errorMessage } from '../../api/errors.ts';
import type { CacheForm, CacheSource, CacheTarget } from '../../api/types/build.ts';
import { goBoolean, notBoolean } from '../../base/go-boolean.ts';
import { CacheFolder, type NamedManifest } from '../../client/build/cache-folder.ts';
import { parseReference } from '../../oci/reference.ts';
import { ExitStatus } from '../command.ts';

type Fields = ReadonlyMap<string, string>;

/** A folder that a cache goes to, and the tag that names it there. */
interface Destination {
  folder: CacheFolder;
  tag: string;
}

export interface Caches {
  from: CacheSource[];
  to: CacheTarget[];
  /** What cannot be read, a line each. */
  warnings: string[];
  /** By their numbers in `from`. */
  sources: ReadonlyMap<number, CacheFolder>;
  /** By their numbers in `to`. */
  destinations: ReadonlyMap<number, Destination>;
}

/** Kept by services that this builder does not speak to. */
const elsewhere: ReadonlySet<string> = new Set(['gha', 's3', 'azblob']);

/** Error: exit status 1 in buildx's words, before anything is built. */
export async function openCaches(from: readonly string[], to: readonly string[]): Promise<Caches> {
  const sources = new Map<number, CacheFolder>();
  const destinations = new Map<number, Destination>();
  const caches: Caches = { from: [], to: [], warnings: [], sources, destinations };
  for (const fields of from.flatMap(entries)) {
    const source = await sourceOf(fields, caches);
    if (!source) continue;
    if (source.type === 'local') sources.set(caches.from.length, new CacheFolder(source.name));
    caches.from.push(source);
  }
  for (const fields of to.flatMap(entries)) {
    const target = targetOf(fields);
    if (target.type === 'local') {
      const folder = new CacheFolder(resolve(required(fields, 'dest', 'local cache exporter requires dest')));
      destinations.set(caches.to.length, { folder, tag: fields.get('tag') ?? 'latest' });
    }
    caches.to.push(target);
  }
  return caches;
}

/** The names of registries alone are a short form. */
function entries(text: string): Fields[] {
  const parts = text.split(',');
  if (parts.every((part) => !part.includes('=')))
    return parts.map(
      (reference) =>
        new Map([
          ['type', 'registry'],
          ['ref', reference],
        ]),
    );
  const fields = new Map<string, string>();
  for (const part of parts) {
    const separator = part.indexOf('=');
    if (separator < 0) throw new ExitStatus(1, `ERROR: invalid value ${part}`);
    fields.set(part.slice(0, separator).trim().toLowerCase(), part.slice(separator + 1));
  }
  if (!fields.get('type')) throw new ExitStatus(1, `ERROR: type required form> ${JSON.stringify(text)}`);
  return [fields];
}

async function sourceOf(fields: Fields, { warnings }: Caches): Promise<CacheSource | null> {
  const type = typeOf(fields, 'importer');
  if (type === 'registry') return { type, reference: referenceOf(fields, 'importer') };
  if (type === 'inline') throw refused('a cache in an image is read by its name: --cache-from type=registry,ref=NAME');
  const name = resolve(required(fields, 'src', 'local cache importer requires src'));
  const digest = fields.get('digest') ?? '';
  let manifest: NamedManifest | null;
  try {
    manifest = await new CacheFolder(name).find(fields.get('tag') ?? 'latest');
  } catch (error) {
    if (digest === '') {
      warnings.push(`WARNING: local cache import at ${fields.get('src')} not found due to err: ${errorMessage(error)}`);
      return null;
    }
    manifest = null;
  }
  if (digest !== '') return { type, name, manifest: { digest, mediaType: '' } };
  if (!manifest)
    throw refused('local cache importer requires either explicit digest, "latest" tag or custom tag on index.json');
  return { type, name, manifest: { digest: manifest.digest, mediaType: manifest.mediaType } };
}

function targetOf(fields: Fields): CacheTarget {
  const type = typeOf(fields, 'exporter');
  if (type === 'inline') return { type };
  if (type === 'local') return { type, ...formOf(fields) };
  return { type, reference: referenceOf(fields, 'exporter'), ...formOf(fields) };
}

function typeOf(fields: Fields, side: 'importer' | 'exporter'): 'registry' | 'local' | 'inline' {
  const type = fields.get('type') ?? '';
  if (type === 'registry' || type === 'local' || type === 'inline') return type;
  if (elsewhere.has(type)) throw refused(`cache type ${type} is not supported: use registry, local or inline`);
  throw refused(`unknown cache ${side}: ${JSON.stringify(type)}`);
}

function referenceOf(fields: Fields, side: 'importer' | 'exporter'): string {
  const reference = required(fields, 'ref', `registry cache ${side} requires ref`);
  try {
    parseReference(reference);
  } catch (error) {
    throw refused(`invalid cache reference ${JSON.stringify(reference)}: ${errorMessage(error)}`);
  }
  return reference;
}

function formOf(fields: Fields): CacheForm {
  const mode = fields.get('mode') ?? 'min';
  if (mode !== 'min' && mode !== 'max') throw refused(`invalid cache mode ${JSON.stringify(mode)}: min or max`);
  const ociMediaTypes = flag(fields, 'oci-mediatypes', true);
  const imageManifest = flag(fields, 'image-manifest', ociMediaTypes);
  if (imageManifest && !ociMediaTypes)
    throw refused('invalid configuration for remote cache: image-manifest=true wants oci-mediatypes=true');
  return {
    mode,
    ociMediaTypes,
    imageManifest,
    compression: compressionOf(fields),
    ignoreError: flag(fields, 'ignore-error', false),
  };
}

function compressionOf(fields: Fields): CacheForm['compression'] {
  const compression = fields.get('compression') ?? 'gzip';
  if (compression === 'gzip' || compression === 'zstd') return compression;
  if (compression === 'uncompressed') return 'none';
  throw refused(`unsupported layer compression type: ${compression}`);
}

function flag(fields: Fields, name: string, missing: boolean): boolean {
  const text = fields.get(name);
  if (text === undefined) return missing;
  const value = goBoolean(text);
  if (value === null) throw refused(`failed to parse ${name}: ${notBoolean(text)}`);
  return value;
}

function required(fields: Fields, name: string, missing: string): string {
  const value = fields.get(name) ?? '';
  if (value === '') throw refused(missing);
  return value;
}

function refused(text: string): ExitStatus {
  return new ExitStatus(1, `ERROR: failed to build: ${text}`);
}
