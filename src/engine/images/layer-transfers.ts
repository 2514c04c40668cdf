/**
 * Layers on their way from a registry into the store. Pulls that want the same layer share one transfer; each leaves by its own
 * signal, and the transfer ends when the last one is gone. What is half there stays for the next time.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { ProgressMessage } from '../../api/types/progress.ts';
import { failpoint } from '../../base/failpoint.ts';
import { Growth } from '../../base/growth.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { SharedWork } from '../../base/shared-work.ts';
import { downloadBlob } from '../../distribution/download.ts';
import type { RepositorySources } from '../../distribution/sources.ts';
import { digestHex, isSha256Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { ImageStoreInterface, Lease, StoredLayer } from '../../store/types.ts';
import { fetchElsewhere } from './fetch-job.ts';
import { ProgressPace, progressMessage } from './progress-bar.ts';

export interface LayerTransfersOptions {
  store: Pick<ImageStoreInterface, 'layer' | 'layerOfBlob' | 'ingestLayer' | 'lease'>;
  /** Where blobs grow; kept over restarts. */
  directory: string;
  /** Downloads at a time over all pulls; default 3. */
  concurrentDownloads?: number;
  /** Layers unpacked at a time; default: one more than there are processors, at least four. */
  concurrentExtractions?: number;
  downloadAttempts?: number;
  stallTimeout?: number;
  firstPause?: number;
}

export interface LayerRequest {
  layer: Descriptor;
  /** `sha256:…` of the uncompressed layer, from the image's config. */
  diffId: string;
  sources: RepositorySources;
  signal: AbortSignal;
  report: (message: ProgressMessage) => void;
}

/** Milliseconds after which a half-fetched blob that nobody asked for again goes. */
const longestKept = 24 * 60 * 60 * 1000;

export class LayerTransfers {
  readonly #options: LayerTransfersOptions;
  readonly #downloads: Semaphore;
  readonly #extractions: Semaphore;
  #swept: Promise<void> | undefined;
  readonly #transfers = new SharedWork<StoredLayer, ProgressMessage>();

  constructor(options: LayerTransfersOptions) {
    this.#options = options;
    this.#downloads = new Semaphore(options.concurrentDownloads ?? 3);
    this.#extractions = new Semaphore(options.concurrentExtractions ?? Math.max(4, availableParallelism() + 1));
  }

  /** From now on: downloads at a time over all pulls, attempts of each. */
  limit(concurrentDownloads: number, downloadAttempts: number): void {
    this.#downloads.limit = concurrentDownloads;
    this.#options.downloadAttempts = downloadAttempts;
  }

  /** The layer, where the store has it already. */
  existing(layer: Descriptor, diffId: string): StoredLayer | null {
    const stored = this.#options.store.layer(diffId);
    if (stored) return stored;
    const byBlob = this.#options.store.layerOfBlob(layer.digest);
    return byBlob && byBlob.diffId === diffId ? byBlob : null;
  }

  /**
   * Brings a layer into the store; the caller's lease must hold its diff id. Progress goes to `report` with the layer's short id.
   * Errors: `invalid` for wrong bytes or a hostile archive, `RegistryError`, `UnreachableError`; the signal's reason.
   */
  fetch(request: LayerRequest): Promise<StoredLayer> {
    const { layer, diffId, sources } = request;
    if (!isSha256Digest(layer.digest))
      throw new BerthError('invalid', `unsupported digest algorithm of layer ${layer.digest}`);
    return this.#transfers.join(`${layer.digest} ${diffId}`, {
      signal: request.signal,
      listener: request.report,
      start: (context) => this.#transfer({ layer, diffId, sources, ...context }),
    });
  }

  /** Once in an engine's life: half-fetched blobs that nobody came back for go. */
  async #sweep(): Promise<void> {
    const { directory } = this.#options;
    const now = Date.now();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const { mtimeMs } = await stat(path);
      if (now - mtimeMs > longestKept) await rm(path, { force: true });
    }
  }

  async #transfer(work: Transfer): Promise<StoredLayer> {
    const id = shortId(work.layer.digest);
    const lease = await this.#options.store.lease('pull layer');
    try {
      lease.hold(work.diffId, work.layer.digest);
      // Another image may have brought it while this one waited.
      const existing = this.existing(work.layer, work.diffId);
      if (existing) {
        work.emit({ status: 'Already exists', progressDetail: {}, id });
        return existing;
      }
      const path = join(this.#options.directory, digestHex(work.layer.digest));
      const stored = await this.#bringSurely(work, { path, id, lease });
      await failpoint('pull.after-extract');
      await rm(path, { force: true });
      work.emit({ status: 'Pull complete', progressDetail: {}, id });
      return stored;
    } finally {
      await lease.release();
    }
  }

  /** Bytes that do not match their digest are asked for once more from the beginning: the broken ones may be those of an earlier life. */
  async #bringSurely(work: Transfer, place: Place): Promise<StoredLayer> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#bring(work, place);
      } catch (error) {
        // Bytes that cannot be unpacked today cannot be unpacked tomorrow.
        if (error instanceof BerthError && error.kind === 'invalid') await rm(place.path, { force: true });
        if (!(error instanceof BerthError && error.code === 'digest-mismatch')) throw error;
        work.sources.demoteMirror();
        if (restarts === mostRestarts) throw error;
      }
    }
  }

  /** Fetches the blob, and unpacks it while it comes, where there is room for that. */
  async #bring(work: Transfer, place: Place): Promise<StoredLayer> {
    const growth = new Growth(growthStep);
    const stop = new AbortController();
    const signal = AbortSignal.any([work.signal, stop.signal]);
    const extraction: { running: Promise<StoredLayer> | null } = { running: null };
    const extract = (): Promise<StoredLayer> => {
      const running = this.#extract({ ...work, signal }, place, growth);
      running.catch((error: unknown) => stop.abort(error));
      extraction.running = running;
      return running;
    };
    try {
      await this.#download({ ...work, signal }, place, (current) => {
        growth.reach(current);
        // One place is for layers that are whole: slow downloads never have all.
        if (!extraction.running && this.#extractions.free > 1) void extract();
      });
      growth.complete();
      await failpoint('pull.after-download');
      return await (extraction.running ?? extract());
    } catch (error) {
      stop.abort(error);
      await extraction.running?.catch(() => undefined);
      work.signal.throwIfAborted();
      // Of both the first is the reason of the other.
      throw stop.signal.reason;
    }
  }

  async #download(work: Transfer, { path, id }: Place, onGrowth: (current: number) => void): Promise<void> {
    if (!this.#downloads.hasRoom) work.emit({ status: 'Waiting', progressDetail: {}, id });
    const release = await this.#downloads.acquire(work.signal);
    try {
      this.#swept ??= this.#sweep();
      await this.#swept;
      const pace = new ProgressPace();
      const total = work.layer.size;
      await downloadBlob({
        sources: work.sources,
        elsewhere: fetchElsewhere,
        digest: work.layer.digest,
        size: total,
        path,
        signal: work.signal,
        attempts: this.#options.downloadAttempts,
        stallTimeout: this.#options.stallTimeout,
        firstPause: this.#options.firstPause,
        onProgress: (current) => {
          failpoint('pull.during-download');
          onGrowth(current);
          if (pace.isDue(current === total)) work.emit(progressMessage('Downloading', id, { current, total }));
        },
        onRetry: (seconds) => work.emit({ status: retryText(seconds), progressDetail: {}, id }),
      });
      work.emit({ status: 'Verifying Checksum', progressDetail: {}, id });
      work.emit({ status: 'Download complete', progressDetail: {}, id });
    } finally {
      release();
    }
  }

  async #extract(work: Transfer, { path, id, lease }: Place, growth: Growth): Promise<StoredLayer> {
    const release = await this.#extractions.acquire(work.signal);
    try {
      const pace = new ProgressPace();
      const total = work.layer.size;
      return await this.#options.store.ingestLayer({
        source: { kind: 'growing', path, growth },
        lease,
        digest: work.layer.digest,
        size: total,
        diffId: work.diffId,
        signal: work.signal,
        onProgress: (current) => {
          // One thing at a time is told of a layer.
          if (growth.isComplete && pace.isDue(current >= total))
            work.emit(progressMessage('Extracting', id, { current, total }));
        },
      });
    } finally {
      release();
    }
  }
}

/** Attempts more where the bytes were wrong. */
const mostRestarts = 1;
/** Bytes between two words to whoever unpacks. */
const growthStep = 512 * 1024;

interface Place {
  path: string;
  id: string;
  lease: Lease;
}

interface Transfer {
  layer: Descriptor;
  diffId: string;
  sources: RepositorySources;
  signal: AbortSignal;
  emit: (message: ProgressMessage) => void;
}

/** In dockerd's words. */
export function retryText(seconds: number): string {
  return `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`;
}

/** Twelve hex digits, as clients show them. */
export function shortId(digest: string): string {
  return digestHex(digest).slice(0, 12);
}
