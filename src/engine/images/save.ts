/** `docker save`: an OCI layout that is a docker-archive too, as dockerd 25 and later write it. */
import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { Platform } from '../../api/types/image.ts';
import type { SaveJob, SaveMember } from '../../archive/jobs/save.ts';
import { jobStream, startJob } from '../../host/process/job.ts';
import { isSha256Digest, sha256 } from '../../oci/digest.ts';
import { type Descriptor, parseManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { canonicalName, canonicalString, familiarName, isNameOnly, parseReference } from '../../oci/reference.ts';
import type { Document, Lease, StoredImage, StoredTarget } from '../../store/types.ts';
import { type ImageContext, labelsOf, publishImageEvent, sweepSoon } from './image-context.ts';
import { lookupReference, noSuchImage, searchById } from './image-names.ts';
import { checkPlatform } from './inspect.ts';
import { createdTime } from './list.ts';
import { imageFor, imageOfTarget, targetDocument, targetManifests } from './targets.ts';

/** An image and the names it is saved under. */
interface Selection {
  image: StoredImage;
  /** Canonical, tags only. */
  references: string[];
  /** What all of them stand for; null: the image alone. */
  target: StoredTarget | null;
}

/**
 * Gives the archive's bytes. Error, before the first byte: `not-found` for a name that is none. A name without a tag means all tags
 * of the repository.
 */
export async function saveImages(
  context: ImageContext,
  names: string[],
  options: { platform: Platform | null; target?: string | null; signal: AbortSignal },
): Promise<Readable> {
  const lease = await context.store.lease('save');
  try {
    const selections = select(context, names, options.target ?? null).map((one) =>
      forPlatform(context, one, options.platform),
    );
    // The images may be removed while they are on their way out.
    lease.hold(
      ...selections.flatMap(({ image, target }) => [...image.layers, ...(target ? layersOf(context, target) : [])]),
    );
    for (const { image } of selections) checkPlatform(image, names.join(' '), options.platform);
    return send(context, selections, { lease, signal: options.signal });
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** Of what a name stands for the one image that was asked for. */
function forPlatform({ store }: ImageContext, selection: Selection, platform: Platform | null): Selection {
  const { image, target } = selection;
  if (!target || platform === null) return selection;
  const wanted = imageFor(store, image, { target, platform });
  // Its own manifest is the one of the target, whichever came with the image.
  const own = imageOfTarget(store, target, platform);
  return {
    ...selection,
    image: own?.id === wanted.id ? { ...wanted, manifest: own.document.digest } : wanted,
    target: null,
  };
}

function send(
  context: ImageContext,
  selections: Selection[],
  { lease, signal }: { lease: Lease; signal: AbortSignal },
): Readable {
  const archive = new ArchivePlan(context);
  for (const selection of selections) archive.add(selection);
  const argument: SaveJob = { helper: context.helper };
  const input = Readable.from([JSON.stringify(archive.members())], { objectMode: false });
  return jobStream(startJob('save', argument, { input, signal }), {
    onEnd: () => {
      for (const { image } of selections) publishImageEvent(context, 'save', { id: image.id, labels: labelsOf(image) });
    },
    onClose: () => {
      lease.release().catch((error: Error) => context.warn(`after a save: ${error.message}`));
      sweepSoon(context);
    },
  });
}

/** @param given digest of the target that is meant, whatever the names say; null: what they say */
function select(context: ImageContext, names: string[], given: string | null): Selection[] {
  const { store } = context;
  const selections = new Map<string, Selection>();
  const add = (id: string | null, name: string, reference: string | null): void => {
    const image = id === null ? null : store.image(id);
    if (!image || image.hidden) throw noSuchImage(name);
    const named = reference === null ? null : store.target(reference);
    const target = given === null ? named : store.records.targetOf(given);
    const key = `${image.id} ${target?.digest}`;
    const selection = selections.get(key) ?? { image, references: [], target };
    if (reference !== null && !selection.references.includes(reference)) selection.references.push(reference);
    selections.set(key, selection);
  };
  for (const name of names) {
    const id = /^[0-9a-f]{64}$/.test(name) ? `sha256:${name}` : name;
    if (isSha256Digest(id)) {
      add(id, name, null);
      continue;
    }
    const reference = parseReference(name);
    if (familiarName(reference) === 'sha256') add(searchById(context.store, name), name, null);
    else if (!isNameOnly(reference)) {
      const canonical = canonicalString(lookupReference(reference));
      const found = context.store.reference(canonical);
      if (found === null) throw new BerthError('not-found', 'reference does not exist');
      add(found, name, reference.digest === undefined ? canonical : null);
    } else {
      const tags = context.store.records.tagsOf(canonicalName(reference));
      for (const tag of tags) add(tag.image, name, tag.name);
      if (tags.length === 0) {
        const found = searchById(context.store, name);
        if (found === null) throw new BerthError('not-found', `No such image: ${name}`);
        add(found, name, null);
      }
    }
  }
  return [...selections.values()];
}

/** Collects members by path, so that what images share stands once. */
class ArchivePlan {
  readonly #context: ImageContext;
  readonly #blobs = new Map<string, SaveMember>();
  readonly #index: object[] = [];
  readonly #manifest: object[] = [];
  readonly #repositories: Record<string, Record<string, string>> = {};

  constructor(context: ImageContext) {
    this.#context = context;
  }

  add({ image, references, target }: Selection): void {
    const mtime = Math.floor((createdTime(image) ?? 0) / 1000);
    this.#bytes(image.id, image.configBytes, mtime);
    const { manifest, layers } = target ? this.#target(target, image) : this.#image(image, mtime);
    const tags = references.map(parseReference);
    for (const reference of tags) {
      const name = familiarName(reference);
      this.#repositories[name] ??= {};
      (this.#repositories[name] as Record<string, string>)[reference.tag as string] = (
        image.layers.at(-1) ?? image.id
      ).slice(7);
      const annotations = {
        'io.containerd.image.name': canonicalString(reference),
        'org.opencontainers.image.ref.name': reference.tag as string,
      };
      this.#index.push({ ...manifest, annotations });
    }
    if (tags.length === 0) this.#index.push(manifest);
    this.#manifest.push({
      Config: blobPath(image.id),
      RepoTags: tags.length > 0 ? tags.map((reference) => `${familiarName(reference)}:${reference.tag}`) : null,
      Layers: layers.map((layer) => blobPath(layer.digest)),
      LayerSources: Object.fromEntries(image.layers.map((diffId, index) => [diffId, layers[index]])),
    });
  }

  #image(image: StoredImage, mtime: number): { manifest: Descriptor; layers: Descriptor[] } {
    const kept = this.#keptManifest(image);
    const layers = kept ? this.#keptLayers(kept.layers, mtime) : this.#plainLayers(image, mtime);
    return { manifest: kept ? kept.descriptor : this.#ownManifest(image, layers), layers };
  }

  /** All that a target leads to; the layers are those of the image that this machine runs. */
  #target(target: StoredTarget, image: StoredImage): { manifest: Descriptor; layers: Descriptor[] } {
    const { store } = this.#context;
    for (const digest of target.documents) this.#bytes(digest, (store.document(digest) as Document).bytes, 0);
    let own: Descriptor[] = [];
    for (const { manifest, config } of targetManifests(store, target)) {
      const layers = config ? this.#keptLayers(manifest.layers, 0) : [];
      if (manifest.config.digest === image.id) own = layers;
    }
    const { digest, mediaType, bytes } = targetDocument(store, target);
    return { manifest: { mediaType, digest, size: bytes.length }, layers: own };
  }

  members(): SaveMember[] {
    const json = (path: string, value: unknown): SaveMember => ({
      kind: 'bytes',
      path,
      mtime: 0,
      base64: Buffer.from(JSON.stringify(value)).toString('base64'),
    });
    return [
      { kind: 'directory', path: 'blobs', mtime: 0 },
      { kind: 'directory', path: 'blobs/sha256', mtime: 0 },
      ...[...this.#blobs.values()].sort((left, right) => (left.path < right.path ? -1 : 1)),
      json('index.json', { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: this.#index }),
      json('manifest.json', this.#manifest),
      json('oci-layout', { imageLayoutVersion: '1.0.0' }),
      ...(Object.keys(this.#repositories).length > 0 ? [json('repositories', this.#repositories)] : []),
    ];
  }

  #bytes(digest: string, bytes: Uint8Array, mtime: number): void {
    const path = blobPath(digest);
    this.#blobs.set(path, { kind: 'bytes', path, mtime, base64: Buffer.from(bytes).toString('base64') });
  }

  /** The manifest that the image came with, where every blob of it is here or can be made again: its digest stays as it is. */
  #keptManifest(image: StoredImage): { descriptor: Descriptor; layers: Descriptor[] } | null {
    const document = image.manifest === null ? null : this.#context.store.document(image.manifest);
    if (!document) return null;
    const parsed = parseManifest(document.bytes, document.mediaType);
    if (parsed.kind !== 'manifest') return null;
    const { layers } = parsed.manifest;
    const isHere = (layer: Descriptor): boolean =>
      this.#context.store.layer(layer.digest) !== null || this.#context.store.blobFile(layer.digest) !== null;
    if (layers.length !== image.layers.length || !layers.every(isHere)) return null;
    this.#bytes(document.digest, document.bytes, 0);
    const { digest, mediaType, bytes } = document;
    return { descriptor: { mediaType, digest, size: bytes.length }, layers };
  }

  #keptLayers(layers: Descriptor[], mtime: number): Descriptor[] {
    return layers.map((layer) => {
      const file = this.#context.store.blobFile(layer.digest);
      if (file === null) this.#plainLayer(layer.digest, mtime);
      else {
        const path = blobPath(layer.digest);
        this.#blobs.set(path, { kind: 'file', path, mtime, file, digest: layer.digest, size: layer.size });
      }
      const { mediaType, size, digest } = layer;
      return { mediaType, size, digest };
    });
  }

  #plainLayers(image: StoredImage, mtime: number): Descriptor[] {
    return image.layers.map((diffId) => ({
      mediaType: mediaTypes.ociLayer,
      size: this.#plainLayer(diffId, mtime),
      digest: diffId,
    }));
  }

  #plainLayer(diffId: string, mtime: number): number {
    const directory = this.#context.store.layers.directoryOf(diffId);
    const layer = this.#context.store.layer(diffId);
    if (!layer || directory === null) throw new BerthError('internal', `layer ${diffId} is not in the store`);
    const path = blobPath(diffId);
    this.#blobs.set(path, { kind: 'layer', path, mtime, directory, diffId, size: layer.tarSize });
    return layer.tarSize;
  }

  #ownManifest(image: StoredImage, layers: Descriptor[]): Descriptor {
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: mediaTypes.ociConfig, digest: image.id, size: image.configBytes.length },
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      }),
    );
    const digest = sha256(bytes);
    this.#bytes(digest, bytes, 0);
    return { mediaType: mediaTypes.ociManifest, digest, size: bytes.length };
  }
}

function layersOf({ store }: ImageContext, target: StoredTarget): string[] {
  return targetManifests(store, target).flatMap(({ config }) => config?.rootfs.diff_ids ?? []);
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
