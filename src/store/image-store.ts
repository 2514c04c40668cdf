import { readdir, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import type { GrowthOrder, LayerJob, LayerMessage } from '../archive/jobs/layer.ts';
import type { LayerTarJob } from '../archive/jobs/layer-tar.ts';
import type { UnpackedLayer } from '../archive/layer-unpacker.ts';
import type { LayerPlace } from '../archive/rebuild-layer.ts';
import { SharedWork } from '../base/shared-work.ts';
import { jobStream, runJob, startJob } from '../host/process/job.ts';
import { sha256 } from '../oci/digest.ts';
import { parseImageConfig } from '../oci/image-config.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { BerthDatabase } from './db/database.ts';
import { ImageRecords } from './images/image-records.ts';
import { LayerStore, type PackedForm } from './layers/layer-store.ts';
import { sealTree } from './layers/seal-tree.ts';
import { Leases } from './leases.ts';
import { NativeHelper } from './native-helper.ts';
import type { Paths } from './paths.ts';
import type {
  CommitImageOptions,
  CommittedImage,
  Document,
  DraftLayer,
  ImageStoreInterface,
  IngestLayerOptions,
  LayerSource,
  Lease,
  StoredImage,
  StoredLayer,
  StoredTarget,
} from './types.ts';

export interface ImageStoreOptions {
  paths: Paths;
  database: BerthDatabase;
  /** Path of the native helper program. */
  helper: string;
}

/** Layers, images, documents and references of one data root; see types.ts for what each method promises. */
export class ImageStore implements ImageStoreInterface {
  readonly records: ImageRecords;
  readonly layers: LayerStore;
  readonly helper: NativeHelper;
  readonly #options: ImageStoreOptions;
  readonly #leases: Leases;
  readonly #ingests = new SharedWork<StoredLayer, number>();
  #removals = 0;
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.helper = new NativeHelper(options.helper);
    this.records = new ImageRecords(options.database);
    this.layers = new LayerStore(options.paths, options.database);
    this.#leases = new Leases(options.paths.temporary, (directory) => this.#discard([directory]));
  }

  /**
   * Takes away what a crash left. Call once, before the store is used; resolves when nothing of it is in the way any more.
   * @param report hears of rubbish that cannot be removed: it takes room, and the next start tries again
   */
  async recover(report: (error: unknown) => void): Promise<void> {
    const { temporary } = this.#options.paths;
    const left = (await readdir(temporary)).map((name) => join(temporary, name));
    await this.#discard([...left, ...(await this.layers.strays())]).catch(report);
    await this.sweep();
  }

  lease(purpose: string): Promise<Lease> {
    return this.#leases.acquire(purpose);
  }

  layer(diffId: string): StoredLayer | null {
    return this.layers.get(diffId);
  }

  layerOfBlob(digest: string): StoredLayer | null {
    return this.layers.ofBlob(digest);
  }

  async ingestLayer(options: IngestLayerOptions): Promise<StoredLayer> {
    const { diffId, lease } = options;
    if (diffId !== null) {
      lease.hold(diffId);
      const present = this.layers.get(diffId);
      if (present) return present;
    }
    const work = (signal: AbortSignal | undefined, onProgress: ((bytes: number) => void) | undefined) =>
      this.#ingest({ ...options, signal, onProgress });
    // A stream and a file that grows belong to their caller: it is read whatever another one does.
    if (diffId === null || options.source.kind === 'stream' || options.source.kind === 'growing')
      return work(options.signal, options.onProgress);
    return this.#ingests.join(diffId, {
      signal: options.signal ?? new AbortController().signal,
      listener: (bytes) => options.onProgress?.(bytes),
      start: ({ signal, emit }) => work(signal, emit),
    });
  }

  /** Puts a layer in place that a job has unpacked below a lease. */
  async adoptLayer(layer: UnpackedLayer, lease: Lease): Promise<StoredLayer> {
    lease.hold(layer.diffId);
    await this.#swept();
    return this.layers.adopt(layer);
  }

  /** A place for a layer that is written there, file by file; `sealLayer` or `dropLayers` follows. */
  draftLayer(): DraftLayer {
    const { number, directory } = this.layers.reserve();
    return { number, directory, diff: join(directory, 'diff') };
  }

  /**
   * Makes a layer of a draft, which nobody writes to any more: digest and recipe are taken, nothing is copied. The draft stays where it is, whether
   * it became the layer or the store had the same one already (`adopted` tells).
   * @param latest seconds; files that are newer get this time
   */
  async sealLayer(
    draft: DraftLayer,
    options: { lease: Lease; latest: number | null; signal?: AbortSignal },
  ): Promise<{ diffId: string; adopted: boolean }> {
    const sealed = await sealTree({ helper: this.#options.helper, directory: draft.directory, ...options });
    options.lease.hold(sealed.diffId);
    await this.#swept();
    return { diffId: sealed.diffId, adopted: this.layers.adoptReserved(draft.number, sealed) };
  }

  /** Keeps a layer's packed bytes, out of a file that is moved; written down with the next image that has the layer. */
  async keepPacked(diffId: string, blob: PackedForm & { packing: string; file: string }): Promise<void> {
    await this.#swept();
    await this.layers.keepPacked(diffId, blob);
  }

  /** Removes drafts that became no layers; resolves when they are out of their places. */
  async dropLayers(drafts: readonly DraftLayer[]): Promise<void> {
    const gone = await this.#moveAway(drafts.map(({ directory }) => directory));
    this.#remove(gone).catch(() => undefined); // the next start removes what is left
  }

  /** Makes layers outlive the engine that no image has yet: synced, then entered by `work`'s transaction. */
  async keepLayers(diffIds: readonly string[], work: () => void): Promise<void> {
    await this.layers.placed(diffIds);
    await this.helper.sync(...this.layers.unsynced(diffIds));
    this.#options.database.transaction(() => {
      this.layers.record(diffIds);
      work();
    });
    this.layers.recorded(diffIds);
  }

  async commitImage(options: CommitImageOptions): Promise<CommittedImage> {
    const { records, layers } = this;
    const id = sha256(options.config);
    const diffIds = parseImageConfig(options.config).rootfs.diff_ids;
    const documents = options.documents ?? [];
    const target = options.target ?? null;
    const all = target ? [...new Set([...diffIds, ...target.layers])] : diffIds;
    options.lease.hold(id, ...all, ...documents.map((document) => document.digest));
    if (target) options.lease.hold(target.digest, ...target.documents.map((document) => document.digest));
    await layers.placed(all);
    const missing = all.find((diffId) => layers.get(diffId) === null);
    if (missing) throw new BerthError('internal', `layer ${missing} of image ${id} is not in the store`);
    await this.helper.sync(...layers.unsynced(all));
    const size = diffIds.reduce((sum, diffId) => sum + (layers.get(diffId)?.size ?? 0), 0);
    const manifest = options.manifest ?? null;
    const config: Document = { digest: id, mediaType: mediaTypes.ociConfig, bytes: options.config };
    this.#options.database.requireRoom();
    const committed = this.#options.database.transaction(() => {
      for (const document of [config, ...documents, ...(target?.documents ?? [])]) records.putDocument(document);
      layers.record(all);
      const created = records.putImage({
        id,
        manifest,
        size,
        parent: options.parent ?? null,
        layers: diffIds,
        documents: documents.map((document) => document.digest),
      });
      if (target) records.putTarget(id, target);
      const references = options.references ?? [];
      const moved = references.flatMap((reference) => {
        const stands = target?.digest ?? records.unmovedTarget(reference, id, references);
        const from = records.setReference(reference, id, stands);
        return from !== null && from !== id ? [{ reference, from }] : [];
      });
      return { id, created, moved };
    });
    layers.recorded(all);
    await this.durable();
    return committed;
  }

  image(id: string): StoredImage | null {
    return this.records.get(id);
  }

  document(digest: string): Document | null {
    return this.records.document(digest);
  }

  reference(canonical: string): string | null {
    return this.records.reference(canonical);
  }

  target(canonical: string): StoredTarget | null {
    return this.records.target(canonical);
  }

  blobFile(digest: string): string | null {
    return this.layers.isBlobKept(digest) ? this.#options.paths.blob(digest) : null;
  }

  layerTar(diffId: string): Readable {
    return jobStream(startJob('layer-tar', this.layerPlace(diffId) satisfies LayerTarJob, {}));
  }

  /** What a job needs to make a layer's tar. Error: `not-found`. */
  layerPlace(diffId: string): LayerPlace {
    const directory = this.layers.directoryOf(diffId);
    if (directory === null) throw new BerthError('not-found', `layer ${diffId} is not in the store`);
    return { helper: this.#options.helper, directory, diffId };
  }

  /** Makes a reference name an image, and stand for a target where one is given; resolves when that is on disk. */
  async setReference(canonical: string, id: string, target: string | null = null): Promise<void> {
    this.#options.database.transaction(() => this.records.setReference(canonical, id, target));
    await this.durable();
  }

  /** Resolves when every change so far is on disk. */
  durable(): Promise<void> {
    return this.#options.database.durable();
  }

  /**
   * Overlay's lower directories, the top layer first. The same layer twice in a stack stands only at its upper place: what is above
   * hides it, and overlay takes no directory twice.
   */
  lower(diffIds: readonly string[]): string[] {
    return [...new Set(diffIds.toReversed())].map((diffId) => {
      const layer = this.layers.get(diffId);
      if (!layer) throw new BerthError('internal', `layer ${diffId} is not in the store`);
      return layer.diff;
    });
  }

  /** Removes everything that no image and no lease needs; gives the bytes of layers. Runs one after another. */
  async sweep(): Promise<number> {
    const moved = this.#sweeping.catch(() => undefined).then(() => this.#sweep());
    this.#sweeping = moved;
    const { bytes, gone } = await moved;
    await this.#remove(gone);
    return bytes;
  }

  /** A blob that is on its way out must be out of its place before the same one comes in again; that it is removed nobody waits for. */
  async #swept(): Promise<void> {
    await this.#sweeping.catch(() => undefined); // its caller hears of it
  }

  async #sweep(): Promise<{ bytes: number; gone: string[] }> {
    const isNeeded = (digest: string): boolean => this.#leases.isHeld(digest);
    this.records.forgetDocuments(isNeeded);
    const { paths, bytes } = this.layers.forget(isNeeded);
    if (paths.length === 0) return { bytes, gone: [] };
    await this.durable();
    return { bytes, gone: await this.#moveAway(paths) };
  }

  async #ingest(options: IngestLayerOptions): Promise<StoredLayer> {
    // A lease of its own: the caller who began may leave while another still waits for the same layer.
    const work = await this.#leases.acquire('layer');
    try {
      const layer = await this.#unpack(options, work.directory);
      work.hold(layer.diffId);
      options.lease.hold(layer.diffId);
      const { source } = options;
      const keepsFile = options.keepBlob === true && source.kind === 'file' && layer.packing !== 'none';
      await this.#swept();
      return await this.layers.adopt(layer, keepsFile ? source.path : null);
    } finally {
      await work.release();
    }
  }

  async #unpack(options: IngestLayerOptions, directory: string): Promise<UnpackedLayer> {
    const { source } = options;
    const job: LayerJob = {
      helper: this.#options.helper,
      directory: join(directory, crypto.randomUUID()),
      source: jobSource(source),
      keepBlob: options.keepBlob === true,
      digest: options.digest,
      length: options.size,
      diffId: options.diffId,
    };
    let unpacked: UnpackedLayer | null = null;
    await runJob('layer', job, {
      ...(source.kind === 'stream' && { input: source.stream }),
      ...(source.kind === 'growing' && {
        onStart: (tell) =>
          source.growth.follow((length, isComplete) => tell({ length, isComplete } satisfies GrowthOrder)),
      }),
      ...(options.signal && { signal: options.signal }),
      onMessage: (message) => {
        const said = message as LayerMessage;
        if ('progress' in said) options.onProgress?.(said.progress);
        else unpacked = said.layer;
      },
    });
    if (!unpacked) throw new BerthError('internal', 'the unpacking job said nothing');
    return unpacked;
  }

  async #discard(paths: readonly string[]): Promise<void> {
    await this.#remove(await this.#moveAway(paths));
  }

  async #remove(paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await this.helper.remove(paths);
  }

  /** Takes things out of their places at once and gives what is left to remove. */
  async #moveAway(paths: readonly string[]): Promise<string[]> {
    const moved = await Promise.all(
      paths.map(async (path) => {
        if (await removedEmpty(path)) return null;
        const target = join(this.#options.paths.temporary, `gone-${process.pid}-${this.#removals++}`);
        try {
          await rename(path, target);
          return target;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
          await this.helper.remove([path]);
          return null;
        }
      }),
    );
    return moved.filter((path) => path !== null);
  }

  /** A file below the lease with every digest that is here, for a load to know what to skip; all of it is held. */
  async writeKnown(lease: Lease): Promise<string> {
    const known = this.layers.known();
    lease.hold(...new Set(known.values()));
    const path = join(lease.directory, 'known');
    await writeFile(path, [...known].map(([digest, diffId]) => `${digest} ${diffId}\n`).join(''), { mode: 0o600 });
    return path;
  }
}

function jobSource(source: LayerSource): LayerJob['source'] {
  if (source.kind === 'stream') return { kind: 'stdin' };
  return source.kind === 'growing' ? { kind: 'growing', path: source.path } : source;
}

/** True where an empty directory was at the path, as a lease's is when its work is done. */
async function removedEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch {
    return false; // a file, or something is in it
  }
}
