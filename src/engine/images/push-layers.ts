/**
 * Layers as a registry keeps them. A layer that came from a registry goes under the digest it had there wherever possible; another one
 * is compressed here, the same way each time, so that its digest is the same each time.
 */

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ProgressMessage } from '../../api/types/progress.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { Repository } from '../../distribution/repository.ts';
import { hasBlob, mountBlob, uploadBlob } from '../../distribution/upload.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { Compression } from '../../oci/media-types.ts';
import { packLayer } from '../../store/pack-layer.ts';
import type { ImageStoreInterface, Lease } from '../../store/types.ts';
import { shortId } from './layer-transfers.ts';
import { ProgressPace, progressMessage } from './progress-bar.ts';

export interface LayerPush {
  repository: Repository;
  diffId: string;
  /** How the image's own manifest names it; null: it has none. */
  known: Descriptor | null;
  /** Other repositories of the same registry that have the layer. */
  mountFrom: readonly string[];
  lease: Lease;
  /** How it is packed where it must be; default gzip. */
  compression?: Compression;
  progress: (message: ProgressMessage) => void;
  signal: AbortSignal;
}

/** Compressed forms that are remembered, so that a second push of a layer need not compress it to find it there already. */
const mostRemembered = 10_000;

export class LayerPushes {
  readonly #store: Pick<ImageStoreInterface, 'layerTar' | 'blobFile'>;
  readonly #uploads: Semaphore;
  readonly #compressed = new Map<string, Descriptor>();

  /** @param concurrent uploads at a time over all pushes */
  constructor(store: Pick<ImageStoreInterface, 'layerTar' | 'blobFile'>, concurrent: number) {
    this.#store = store;
    this.#uploads = new Semaphore(concurrent);
  }

  /** Uploads at a time from now on. */
  set concurrent(limit: number) {
    this.#uploads.limit = limit;
  }

  /** Sees that the repository has the layer; gives the descriptor to write into a manifest. */
  async push(push: LayerPush): Promise<Descriptor> {
    const { diffId, known, signal } = push;
    const id = shortId(diffId);
    if (!this.#uploads.hasRoom) push.progress({ status: 'Waiting', progressDetail: {}, id });
    const release = await this.#uploads.acquire(signal);
    try {
      for (const candidate of [known, this.#compressed.get(packedName(push))]) {
        if (!candidate) continue;
        const state = await this.#isThere(push, candidate.digest);
        if (state === null) continue;
        push.progress({ status: state, progressDetail: {}, id });
        return candidate;
      }
      return await this.#send(push, id);
    } finally {
      release();
    }
  }

  /** What to say of a layer that need not be sent; null: it must. */
  async #isThere({ repository, mountFrom, signal }: LayerPush, digest: string): Promise<string | null> {
    if (await hasBlob(repository, digest, signal)) return 'Layer already exists';
    for (const from of mountFrom) {
      // A registry that cannot is sent the bytes, which tells what is wrong where something is.
      const isMounted = await mountBlob(repository, { digest, from, signal }).catch(() => false);
      if (isMounted) return `Mounted from ${from}`;
    }
    signal.throwIfAborted();
    return null;
  }

  async #send(push: LayerPush, id: string): Promise<Descriptor> {
    const { repository, known, signal } = push;
    const kept = known && this.#store.blobFile(known.digest);
    const path = kept ?? join(push.lease.directory, `push-${id}`);
    const descriptor = kept && known ? known : await this.#compress(push, path);
    try {
      const state = kept ? null : await this.#isThere(push, descriptor.digest);
      if (state !== null) {
        push.progress({ status: state, progressDetail: {}, id });
        return descriptor;
      }
      const pace = new ProgressPace();
      const total = descriptor.size;
      await uploadBlob(repository, {
        digest: descriptor.digest,
        size: total,
        open: (start) => Readable.toWeb(createReadStream(path, { start })) as unknown as ReadableStream<Uint8Array>,
        onProgress: (current) => {
          if (pace.isDue(current === total)) push.progress(progressMessage('Pushing', id, { current, total }));
        },
        onRetry: (seconds) =>
          push.progress({ status: `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`, progressDetail: {}, id }),
        signal,
      });
      push.progress({ status: 'Pushed', progressDetail: {}, id });
      return descriptor;
    } finally {
      if (!kept) await rm(path, { force: true });
    }
  }

  async #compress(push: LayerPush, path: string): Promise<Descriptor> {
    const { diffId, compression = 'gzip', signal } = push;
    const descriptor = await packLayer(this.#store, { diffId, compression }, { path, signal });
    if (this.#compressed.size >= mostRemembered)
      this.#compressed.delete(this.#compressed.keys().next().value as string);
    this.#compressed.set(packedName(push), descriptor);
    return descriptor;
  }
}

function packedName({ diffId, compression = 'gzip' }: LayerPush): string {
  return `${compression} ${diffId}`;
}
