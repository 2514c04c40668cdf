/**
 * Layers on their way from a registry into the store. Pulls that want the same layer share one transfer; each leaves by its own
 * signal, and the transfer ends when the last one is gone. What is half there stays for the next time.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { ProgressMessage } from '../../api/types/progress.ts';
import { failpoint } from '../../base/failpoint.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { SharedWork } from '../../base/shared-work.ts';
import { downloadBlob } from '../../distribution/download.ts';
import type { RepositorySources } from '../../distribution/sources.ts';
import { digestHex, isSha256Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { ImageStoreInterface, Lease, StoredLayer } from '../../store/types.ts';
import { ProgressPace, progressMessage } from './progress-bar.ts';

export interface LayerTransfersOptions {
  store: Pick<ImageStoreInterface, 'layer' | 'layerOfBlob' | 'ingestLayer' | 'lease'>;
  /** Where blobs grow; kept over restarts. */
  directory: string;
  /** Downloads at a time over all pulls; default 3. */
  concurrentDownloads?: number;
  /** Layers unpacked at a time; default 2. */
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
    this.#extractions = new Semaphore(options.concurrentExtractions ?? 2);
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
      await this.#download(work, path, id);
      await failpoint('pull.after-download');
      const stored = await this.#extract(work, { path, id, lease });
      await failpoint('pull.after-extract');
      await rm(path, { force: true });
      work.emit({ status: 'Pull complete', progressDetail: {}, id });
      return stored;
    } finally {
      await lease.release();
    }
  }

  async #download(work: Transfer, path: string, id: string): Promise<void> {
    if (!this.#downloads.hasRoom) work.emit({ status: 'Waiting', progressDetail: {}, id });
    const release = await this.#downloads.acquire(work.signal);
    try {
      this.#swept ??= this.#sweep();
      await this.#swept;
      const pace = new ProgressPace();
      const total = work.layer.size;
      await downloadBlob({
        sources: work.sources,
        digest: work.layer.digest,
        size: total,
        path,
        signal: work.signal,
        attempts: this.#options.downloadAttempts,
        stallTimeout: this.#options.stallTimeout,
        firstPause: this.#options.firstPause,
        onProgress: (current) => {
          failpoint('pull.during-download');
          if (pace.isDue(current === total)) work.emit(progressMessage('Downloading', id, { current, total }));
        },
        onRetry: (seconds) =>
          work.emit({
            status: retryText(seconds),
            progressDetail: {},
            id,
          }),
        onVerify: () => work.emit({ status: 'Verifying Checksum', progressDetail: {}, id }),
      });
      work.emit({ status: 'Download complete', progressDetail: {}, id });
    } finally {
      release();
    }
  }

  async #extract(work: Transfer, place: { path: string; id: string; lease: Lease }): Promise<StoredLayer> {
    const release = await this.#extractions.acquire(work.signal);
    try {
      const pace = new ProgressPace();
      const total = work.layer.size;
      return await this.#options.store.ingestLayer({
        source: { kind: 'file', path: place.path },
        lease: place.lease,
        digest: work.layer.digest,
        size: total,
        diffId: work.diffId,
        signal: work.signal,
        onProgress: (current) => {
          if (pace.isDue(current >= total)) work.emit(progressMessage('Extracting', place.id, { current, total }));
        },
      });
    } catch (error) {
      // Bytes that cannot be unpacked today cannot be unpacked tomorrow.
      if (error instanceof BerthError && error.kind === 'invalid') await rm(place.path, { force: true });
      throw error;
    } finally {
      release();
    }
  }
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
