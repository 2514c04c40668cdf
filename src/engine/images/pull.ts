/** `POST /images/create?fromImage=`: an image from a registry into the store, with dockerd's progress stream and errors. */
import { BerthError } from '../../api/errors.ts';
import type { Platform as WirePlatform } from '../../api/types/image.ts';
import type { ImageTransferRequest } from '../../api/types/image-requests.ts';
import type { ProgressMessage, ProgressSink } from '../../api/types/progress.ts';
import { failpoint } from '../../base/failpoint.ts';
import { credentialsOf } from '../../distribution/credentials.ts';
import type { Registries } from '../../distribution/registries.ts';
import { pullError } from '../../distribution/registry-errors.ts';
import type { RemoteDocument } from '../../distribution/repository.ts';
import { RepositorySources } from '../../distribution/sources.ts';
import { configPlatform, type ImageConfigDocument, longestConfig, parseImageConfig } from '../../oci/image-config.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../../oci/manifest.ts';
import { layerCompression, mediaTypes } from '../../oci/media-types.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  type Platform,
  platformRank,
} from '../../oci/platform.ts';
import {
  canonicalName,
  canonicalString,
  familiarName,
  familiarString,
  isNameOnly,
  parseReference,
  type Reference,
  withTag,
} from '../../oci/reference.ts';
import type { Document, ImageStoreInterface, Lease } from '../../store/types.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { BuiltInImages } from './built-in.ts';
import { type LayerTransfers, shortId } from './layer-transfers.ts';

export interface ImagePullOptions {
  store: Pick<ImageStoreInterface, 'lease' | 'reference' | 'document' | 'commitImage' | 'image'> & {
    /** Removes layers that nothing needs. */
    sweep(): Promise<unknown>;
  };
  registries: Registries;
  layers: LayerTransfers;
  events: EventBus;
  /** Images that this program carries, for when no registry can be reached. */
  builtIn: BuiltInImages | null;
  /** Milliseconds until a registry must have begun its answer. */
  headTimeout?: number;
}

/** One pull of one tag or digest. */
interface Pull {
  reference: Reference;
  wanted: Platform;
  sources: RepositorySources;
  progress: ProgressSink;
  signal: AbortSignal;
  lease: Lease;
}

/** What a name means after a pull, compared with before. */
type Outcome = 'newer' | 'same' | 'built in';

const outcomeTexts: Record<Outcome, string> = {
  newer: 'Downloaded newer image',
  same: 'Image is up to date',
  'built in': 'Using the built-in image',
};

/** Of images; the last two are what old registries wrote. */
const configTypes: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  'application/octet-stream',
  'text/html',
]);

export class ImagePull {
  readonly #options: ImagePullOptions;

  constructor(options: ImagePullOptions) {
    this.#options = options;
  }

  /**
   * Pulls. Rejects before the first message for what is wrong with the reference, the registry or the manifest, later for the rest.
   * `signal` is the client's: when it aborts, what nobody else waits for stops.
   */
  async pull(request: ImageTransferRequest, progress: ProgressSink, signal: AbortSignal): Promise<void> {
    // "name:" is how old clients ask for all tags.
    const reference = parseReference(request.reference.replace(/:$/, ''));
    if (familiarName(reference) === 'scratch') throw new BerthError('forbidden', "'scratch' is a reserved name");
    const platform = request.platform ? readPlatform(request.platform) : null;
    const sources = this.#sources(reference, request);
    const common = { wanted: platform ?? hostPlatform(), sources, progress, signal };
    const references = isNameOnly(reference) ? await this.#everyTag(reference, common) : [reference];
    const outcomes = new Set<Outcome>();
    for (const one of references) {
      let isDone = false;
      const lease = await this.#options.store.lease('pull');
      try {
        outcomes.add(await this.#pullOne({ ...common, reference: one, lease }));
        isDone = true;
      } finally {
        await lease.release();
        if (!isDone) this.#sweepSoon();
      }
    }
    const [outcome] = (['built in', 'newer', 'same'] as const).filter((one) => outcomes.has(one));
    progress({ status: `Status: ${outcomeTexts[outcome ?? 'same']} for ${familiarString(reference)}` });
    if (platform) this.#warnOfPlatform(reference, platform, progress);
  }

  /**
   * As `pull` of one tag or digest, for whoever needs the image and must not move the name: it is known by its own digest alone. The lease holds it.
   */
  async pullUnnamed(
    request: ImageTransferRequest,
    work: { lease: Lease; progress: ProgressSink; signal: AbortSignal },
  ): Promise<{ id: string; digest: string }> {
    const reference = parseReference(request.reference);
    const wanted = request.platform ? readPlatform(request.platform) : hostPlatform();
    const sources = this.#sources(reference, request);
    try {
      return await this.#fetched({ reference, wanted, sources, ...work }, false);
    } catch (error) {
      if (work.signal.aborted) throw new BerthError('cancelled', 'context canceled', { cause: error });
      throw pullError(error, reference);
    }
  }

  /** Id and config of an image as its registry has it, and the digest that the name stands for; no layer is fetched. Errors: those of `pull`. */
  async config(
    request: ImageTransferRequest,
    signal: AbortSignal,
  ): Promise<{ id: string; digest: string; config: ImageConfigDocument }> {
    const reference = parseReference(request.reference);
    const wanted = request.platform ? readPlatform(request.platform) : hostPlatform();
    const lease = await this.#options.store.lease('pull');
    try {
      const sources = this.#sources(reference, request);
      const pull: Pull = { reference, wanted, sources, progress: () => undefined, signal, lease };
      const top = await sources.manifest(reference.digest ?? (reference.tag as string), signal);
      readable(top);
      const { manifest } = await this.#imageManifest(pull, top);
      const config = parseImageConfig(await this.#config(pull, manifest.config));
      return { id: manifest.config.digest, digest: top.digest, config };
    } catch (error) {
      if (signal.aborted) throw new BerthError('cancelled', 'context canceled', { cause: error });
      throw pullError(error, reference);
    } finally {
      await lease.release();
    }
  }

  /** This program carries the image: a pull gives it where no registry does. */
  isBuiltIn(reference: string): boolean {
    return this.#options.builtIn?.has(parseReference(reference)) ?? false;
  }

  #sources(reference: Reference, request: ImageTransferRequest): RepositorySources {
    return new RepositorySources(reference, {
      registries: this.#options.registries,
      credentials: credentialsOf(request.auth),
      headTimeout: this.#options.headTimeout,
    });
  }

  async #everyTag(
    reference: Reference,
    pull: { sources: RepositorySources; signal: AbortSignal },
  ): Promise<Reference[]> {
    try {
      const tags = await pull.sources.use((repository) => repository.tags(pull.signal), pull.signal);
      return tags.map((tag) => withTag(reference, tag));
    } catch (error) {
      pull.signal.throwIfAborted();
      throw pullError(error, reference);
    }
  }

  async #pullOne(pull: Pull): Promise<Outcome> {
    try {
      return await this.#fromRegistry(pull);
    } catch (error) {
      if (pull.signal.aborted) throw new BerthError('cancelled', 'context canceled', { cause: error });
      const failure = pullError(error, pull.reference);
      if (failure.code === 'registry-unreachable' && this.#options.builtIn?.has(pull.reference)) {
        await this.#options.builtIn.provide(pull.reference, { progress: pull.progress, reason: failure.message });
        return 'built in';
      }
      throw failure;
    }
  }

  async #fromRegistry(pull: Pull): Promise<Outcome> {
    const { id, before } = await this.#fetched(pull, true);
    const name = familiarString(pull.reference);
    this.#options.events.publish('image', 'pull', name, { name: familiarName(pull.reference) });
    return before === id ? 'same' : 'newer';
  }

  /** @param named the reference moves; otherwise the image is known by its manifest's digest */
  async #fetched(pull: Pull, named: boolean): Promise<{ id: string; digest: string; before: string | null }> {
    const { reference, progress, sources, signal } = pull;
    const top =
      (await this.#known(pull)) ?? (await sources.manifest(reference.digest ?? (reference.tag as string), signal));
    readable(top);
    tellFallbacks(pull);
    progress({
      status: `Pulling from ${reference.path}`,
      id: reference.digest ? canonicalString(reference) : (reference.tag as string),
    });
    await failpoint('pull.after-manifest');
    const { document, manifest } = await this.#imageManifest(pull, top);
    const canonical = canonicalString(reference.digest ? { ...reference, tag: undefined } : reference);
    const repository = canonicalName(reference);
    const references = named ? [canonical, `${repository}@${top.digest}`] : [`${repository}@${document.digest}`];
    const { config, id } = await this.#content(pull, manifest);
    const before = this.#options.store.reference(canonical);
    await failpoint('pull.before-commit');
    await this.#options.store.commitImage({
      config,
      documents: [top, ...(document === top ? [] : [document])].map(asDocument),
      manifest: document.digest,
      references: [...new Set(references)],
      lease: pull.lease,
    });
    await failpoint('pull.after-commit');
    progress({ status: `Digest: ${top.digest}` });
    return { id, digest: top.digest, before };
  }

  /** The document of a name that is here and means the same at the registry, as far as that tells; null: fetch it. */
  async #known(pull: Pull): Promise<RemoteDocument | null> {
    const { reference, sources, signal } = pull;
    if (reference.digest || this.#options.store.reference(canonicalString(reference)) === null) return null;
    try {
      const digest = await sources.use((repository) => repository.digestOf(reference.tag as string, signal), signal);
      const known = digest ? this.#options.store.document(digest) : null;
      return known && { bytes: known.bytes, digest: known.digest, mediaType: known.mediaType };
    } catch {
      // The answer to HEAD has no body to learn from; what is wrong is told by the request that follows.
      signal.throwIfAborted();
      sources.takeFallbacks();
      return null;
    }
  }

  /** Follows an index to the manifest for the wanted platform. */
  async #imageManifest(
    pull: Pull,
    top: RemoteDocument,
  ): Promise<{ document: RemoteDocument; manifest: ImageManifest }> {
    let document = top;
    for (let depth = 0; depth < 4; depth++) {
      const parsed = parseManifest(document.bytes, document.mediaType);
      if (parsed.kind === 'manifest') {
        document.mediaType = parsed.manifest.mediaType;
        return { document, manifest: parsed.manifest };
      }
      document.mediaType = parsed.index.mediaType;
      const chosen = choosePlatform(parsed.index.manifests, pull.wanted);
      if (!chosen)
        throw new BerthError(
          'not-found',
          `no matching manifest for ${formatPlatform(pull.wanted)} in the manifest list entries`,
        );
      pull.lease.hold(document.digest, chosen.digest);
      const known = this.#options.store.document(chosen.digest);
      document = known
        ? { bytes: known.bytes, digest: known.digest, mediaType: known.mediaType }
        : await pull.sources.manifest(chosen.digest, pull.signal);
    }
    throw new BerthError('invalid', 'invalid manifest: indexes within indexes');
  }

  /** Config and layers of a manifest, all in the store when it resolves. */
  async #content(pull: Pull, manifest: ImageManifest): Promise<{ config: Uint8Array; id: string }> {
    const { lease } = pull;
    if (manifest.config.mediaType !== '' && !configTypes.has(manifest.config.mediaType))
      throw new BerthError('invalid', `unsupported media type ${manifest.config.mediaType}`);
    for (const layer of manifest.layers)
      if (!layerCompression(layer.mediaType))
        throw new BerthError('invalid', `unsupported media type ${layer.mediaType}`);
    const id = manifest.config.digest;
    lease.hold(id);
    const config = this.#options.store.image(id)?.configBytes ?? (await this.#config(pull, manifest.config));
    const diffIds = parseImageConfig(config).rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length)
      throw new BerthError('invalid', "layers from manifest don't match image configuration");
    lease.hold(...diffIds);
    await this.#layers(
      pull,
      manifest.layers.map((layer, index) => ({ layer, diffId: diffIds[index] as string })),
    );
    return { config, id };
  }

  async #config(pull: Pull, descriptor: Descriptor): Promise<Uint8Array> {
    try {
      return await pull.sources.use(
        (repository) => repository.document(descriptor.digest, { limit: longestConfig, signal: pull.signal }),
        pull.signal,
      );
    } catch (error) {
      pull.signal.throwIfAborted();
      throw new BerthError('internal', `error pulling image configuration: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** All layers at once; the transfers bound themselves. The first failure stops the others that nobody else wants. */
  async #layers(pull: Pull, wanted: { layer: Descriptor; diffId: string }[]): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([pull.signal, failed.signal]);
    // What the store has already needs no message of its own where the image itself is here, as dockerd does it.
    const isComplete = wanted.every(({ layer, diffId }) => this.#options.layers.existing(layer, diffId));
    const report = (message: ProgressMessage): void => pull.progress(message);
    for (const { layer, diffId } of wanted) {
      const id = shortId(layer.digest);
      if (!this.#options.layers.existing(layer, diffId)) report({ status: 'Pulling fs layer', progressDetail: {}, id });
      else if (!isComplete) report({ status: 'Already exists', progressDetail: {}, id });
    }
    const transfers = wanted
      .filter(({ layer, diffId }) => !this.#options.layers.existing(layer, diffId))
      .map(async ({ layer, diffId }) => {
        try {
          await this.#options.layers.fetch({ layer, diffId, sources: pull.sources, signal, report });
          tellFallbacks(pull);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      });
    // Every transfer is settled before the lease goes.
    const results = await Promise.allSettled(transfers);
    pull.signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Layers of an image that did not come to be are nobody's. */
  #sweepSoon(): void {
    // The next sweep does what this one could not.
    this.#options.store.sweep().catch(() => undefined);
  }

  #warnOfPlatform(reference: Reference, wanted: Platform, progress: ProgressSink): void {
    const id = this.#options.store.reference(canonicalString(reference));
    const image = id === null ? null : this.#options.store.image(id);
    if (!image) return;
    const actual = normalizePlatform(configPlatform(parseImageConfig(image.configBytes)));
    if (platformRank(actual, wanted) !== null) return;
    progress({
      status: `WARNING: image with reference ${familiarString(reference)} was found but its platform (${formatPlatform(actual)}) does not match the specified platform (${formatPlatform(wanted)})`,
    });
  }
}

/** A manifest that cannot be read is the registry's mistake, not the client's. */
function readable(document: RemoteDocument): void {
  try {
    parseManifest(document.bytes, document.mediaType);
  } catch (error) {
    throw new BerthError('internal', (error as Error).message, { cause: error });
  }
}

/** Says where the bytes come from when a mirror could not help. */
function tellFallbacks(pull: Pull): void {
  for (const { from, to, reason } of pull.sources.takeFallbacks())
    pull.progress({ status: `Mirror ${from} failed (${reason}); using ${to}` });
}

function asDocument(document: RemoteDocument): Document {
  return { digest: document.digest, mediaType: document.mediaType, bytes: document.bytes };
}

function readPlatform(platform: WirePlatform): Platform {
  return normalizePlatform({
    os: platform.os || 'linux',
    architecture: platform.architecture || hostPlatform().architecture,
    ...(platform.variant && { variant: platform.variant }),
  });
}
