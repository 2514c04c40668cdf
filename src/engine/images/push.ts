/** `POST /images/{name}/push`: an image from the store to a registry, with dockerd's progress stream and errors. */
import { BerthError } from '../../api/errors.ts';
import type { ImageTransferRequest } from '../../api/types/image-requests.ts';
import type { ProgressSink } from '../../api/types/progress.ts';
import { failpoint } from '../../base/failpoint.ts';
import { together } from '../../base/together.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import type { Registries } from '../../distribution/registries.ts';
import { registryFailure } from '../../distribution/registry-errors.ts';
import type { Repository } from '../../distribution/repository.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import { putManifest, uploadBytes } from '../../distribution/upload.ts';
import { sha256 } from '../../oci/digest.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { layerCompression, mediaTypes } from '../../oci/media-types.ts';
import { choosePlatform } from '../../oci/platform.ts';
import {
  canonicalName,
  canonicalString,
  familiarName,
  familiarString,
  parseReference,
  type Reference,
} from '../../oci/reference.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Document, Lease, StoredImage, StoredTarget } from '../../store/types.ts';
import type { EventBus } from '../events/event-bus.ts';
import { shortId } from './layer-transfers.ts';
import { type LayerPush, LayerPushes } from './push-layers.ts';
import { targetDocument, targetManifests } from './targets.ts';

export interface ImagePushOptions {
  store: ImageStore;
  registries: Registries;
  events: EventBus;
  /** `max-concurrent-uploads`; default 5. */
  concurrentUploads?: number;
}

export class ImagePush {
  readonly #options: ImagePushOptions;
  readonly #layers: LayerPushes;

  constructor(options: ImagePushOptions) {
    this.#options = options;
    const { store, registries, concurrentUploads = 5 } = options;
    this.#layers = new LayerPushes({ store, registries, concurrent: concurrentUploads });
  }

  /** Layers on their way to registries, for whoever else sends some. */
  get layers(): LayerPushes {
    return this.#layers;
  }

  /** `max-concurrent-uploads` from now on. */
  set concurrentUploads(limit: number) {
    this.#layers.concurrent = limit;
  }

  /** Pushes one tag, or every tag of the repository where none is named. Only a bad name is told before the first message. */
  async push(request: ImageTransferRequest, progress: ProgressSink, signal: AbortSignal): Promise<void> {
    const reference = parseReference(request.reference);
    if (reference.digest) throw new BerthError('invalid', 'cannot push a digest reference');
    progress({ status: `The push refers to repository [${canonicalName(reference)}]` });
    const sources = new RepositorySources(reference, {
      registries: this.#options.registries,
      credentials: credentialsOf(request.auth),
      actions: 'pull,push',
    });
    try {
      const images = this.#images(reference);
      // Finds the endpoint that answers; what follows must not begin twice.
      await sources.use((repository) => repository.ping(signal), signal);
      for (const { reference: one, image } of images)
        await sources.use(
          (repository) =>
            this.#pushOne({ reference: one, image, platform: request.platform, repository, progress, signal }),
          signal,
        );
    } catch (error) {
      if (signal.aborted) throw new BerthError('cancelled', 'context canceled', { cause: error });
      throw registryFailure(error);
    }
  }

  #images(reference: Reference): { reference: Reference; image: StoredImage }[] {
    const { records } = this.#options.store;
    const known = records.tagsOf(canonicalName(reference));
    if (known.length === 0)
      throw new BerthError('not-found', `An image does not exist locally with the tag: ${familiarName(reference)}`);
    const wanted = reference.tag ? known.filter(({ name }) => name === canonicalString(reference)) : known;
    if (wanted.length === 0) throw new BerthError('not-found', `tag does not exist: ${familiarString(reference)}`);
    return wanted.map(({ name, image }) => ({
      reference: parseReference(name),
      image: records.get(image) as StoredImage,
    }));
  }

  async #pushOne(push: OnePush): Promise<void> {
    const { image, reference, repository, progress, signal } = push;
    const { store } = this.#options;
    const lease = await store.lease('push');
    try {
      lease.hold(image.id, ...image.layers);
      const target = store.target(canonicalString(reference));
      if (target) return await this.#pushTarget(push, target, lease);
      const original = this.#original(image);
      // The top first, as dockerd tells it.
      for (const diffId of image.layers.toReversed())
        progress({ status: 'Preparing', progressDetail: {}, id: shortId(diffId) });
      const layers = await this.#send(
        image.layers.map((diffId, index) => ({
          repository,
          diffId,
          known: original?.manifest.layers[index] ?? null,
          mountFrom: this.#repositoriesWith(diffId, reference),
          progress,
        })),
        signal,
      );
      await failpoint('push.after-layers');
      const isSame = original?.manifest.layers.every((layer, index) => layer.digest === layers[index]?.digest);
      const document = original && isSame ? original.document : freshManifest(image, layers);
      await uploadBytes(repository, { digest: image.id, bytes: image.configBytes }, signal);
      await putManifest(repository, reference.tag as string, { ...document, signal });
      await failpoint('push.after-manifest');
      await store.commitImage({
        config: image.configBytes,
        documents: [document],
        manifest: image.manifest ?? document.digest,
        references: [`${canonicalName(reference)}@${document.digest}`],
        lease,
      });
      this.#pushed(push, document);
    } finally {
      await lease.release();
    }
  }

  /** Layers side by side; the first that fails stops the others. */
  async #send(layers: readonly Omit<LayerPush, 'signal'>[], signal: AbortSignal): Promise<Descriptor[]> {
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const sending = layers.map(async (layer) => {
      try {
        return await this.#layers.push({ ...layer, signal: both });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
    try {
      return await together(sending);
    } catch {
      throw failed.signal.reason;
    }
  }

  /** Sends all that the name stands for, byte for byte: what the index names first, then the index. */
  async #pushTarget(push: OnePush, target: StoredTarget, lease: Lease): Promise<void> {
    const { image, reference, platform, repository, progress, signal } = push;
    const { store } = this.#options;
    const all = targetManifests(store, target);
    const one =
      platform &&
      choosePlatform(
        all.filter(({ config }) => config),
        platform,
      );
    const manifests = one ? [one] : all;
    lease.hold(target.digest, ...target.documents, ...manifests.flatMap(({ config }) => config?.rootfs.diff_ids ?? []));
    const layers = new Map(
      manifests.flatMap(({ manifest, config }) =>
        manifest.layers.flatMap((known, index): [string, { known: Descriptor; diffId: string }][] => {
          const diffId = config?.rootfs.diff_ids[index];
          return diffId === undefined ? [] : [[known.digest, { known, diffId }]];
        }),
      ),
    );
    for (const { diffId } of [...layers.values()].reverse())
      progress({ status: 'Preparing', progressDetail: {}, id: shortId(diffId) });
    const mountFrom = (diffId: string): string[] => this.#repositoriesWith(diffId, reference);
    const sent = await this.#send(
      [...layers.values()].map((layer) => ({ repository, ...layer, mountFrom: mountFrom(layer.diffId), progress })),
      signal,
    );
    const lost = [...layers.keys()].find((digest, index) => sent[index]?.digest !== digest);
    if (lost) throw new BerthError('internal', `the packed layer ${lost} is not here any more: build the image again`);
    for (const { manifest, config } of manifests)
      for (const { digest } of [manifest.config, ...(config ? [] : manifest.layers)]) {
        const document = store.document(digest);
        if (document) await uploadBytes(repository, document, signal);
      }
    const top = one ? one.document : targetDocument(store, target);
    for (const { document } of manifests)
      if (document.digest !== top.digest) await putManifest(repository, document.digest, { ...document, signal });
    await putManifest(repository, reference.tag as string, { ...top, signal });
    const references = [`${canonicalName(reference)}@${top.digest}`];
    if (!one || one.manifest.config.digest === image.id)
      await store.commitImage({ config: image.configBytes, references, lease });
    this.#pushed(push, top);
  }

  #pushed({ image, reference, progress }: OnePush, { digest, bytes }: Document): void {
    const size = bytes.length;
    progress({ status: `${reference.tag}: digest: ${digest} size: ${size}` });
    progress({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } });
    const labels = image.config.config?.Labels;
    const name = familiarName(reference);
    this.#options.events.publish('image', 'push', familiarString(reference), { ...labels, name });
  }

  /** Repositories of the same registry that are known to have the layer, because an image with it came from there or went there. */
  #repositoriesWith(diffId: string, { domain, path }: Reference): string[] {
    const images = this.#options.store.records.all().filter(({ layers }) => layers.includes(diffId));
    const known = images
      .flatMap(({ references }) => references.map(parseReference))
      .filter((other) => other.digest !== undefined && other.domain === domain && other.path !== path);
    return [...new Set(known.map((other) => other.path))].slice(0, mostMounts);
  }

  /** The manifest that the image came with, where it fits the layers one by one. */
  #original(image: StoredImage): { document: Document; manifest: ImageManifest } | null {
    const document = image.manifest === null ? null : this.#options.store.document(image.manifest);
    if (!document) return null;
    const parsed = parseManifest(document.bytes, document.mediaType);
    if (parsed.kind !== 'manifest' || parsed.manifest.layers.length !== image.layers.length) return null;
    return { document, manifest: parsed.manifest };
  }
}

/** Repositories that are asked for one layer, before it is sent. */
const mostMounts = 4;

interface OnePush {
  /** Of several the one that is wanted; null: all. */
  platform: ImageTransferRequest['platform'];
  reference: Reference;
  image: StoredImage;
  repository: Repository;
  progress: ProgressSink;
  signal: AbortSignal;
}

/** As dockerd writes it: schema 2, which every registry takes; OCI where a layer is packed in a way that schema 2 has no name for. */
function freshManifest(image: StoredImage, layers: Descriptor[]): Document {
  const isOci = layers.some((layer) => layerCompression(layer.mediaType) === 'zstd');
  const mediaType = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const layerType = (layer: Descriptor): string => {
    if (isOci) return layer.mediaType;
    return layerCompression(layer.mediaType) === 'none' ? mediaTypes.dockerLayer : mediaTypes.dockerLayerGzip;
  };
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig,
      size: image.configBytes.length,
      digest: image.id,
    },
    layers: layers.map((layer) => ({ mediaType: layerType(layer), size: layer.size, digest: layer.digest })),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest, null, 3));
  return { digest: sha256(bytes), mediaType, bytes };
}
