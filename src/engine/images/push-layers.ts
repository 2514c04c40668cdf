/**
 * Layers as a registry keeps them. A layer that came from a registry goes under the digest it had there wherever possible; another one
 * is packed on its way, the same way each time, so that its digest is the same each time.
 */
import type { ProgressMessage } from '../../api/types/progress.ts';
import { failpoint } from '../../base/failpoint.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { Registries } from '../../distribution/registries.ts';
import type { Repository } from '../../distribution/repository.ts';
import { hasBlob, mountBlob } from '../../distribution/upload.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { type Compression, packedTypes } from '../../oci/media-types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { LayerSender } from './layer-sender.ts';
import { retryText, shortId } from './layer-transfers.ts';
import { progressMessage } from './progress-bar.ts';
import type { LayerSource } from './push-job.ts';

export interface LayerPush {
  repository: Repository;
  diffId: string;
  /** How the image's own manifest names it; null: it has none. */
  known: Descriptor | null;
  /** Other repositories of the same registry that have the layer. */
  mountFrom: readonly string[];
  /** How it is packed where it must be; default gzip. */
  compression?: Compression;
  progress: (message: ProgressMessage) => void;
  signal: AbortSignal;
}

export interface LayerPushesOptions {
  store: Pick<ImageStore, 'layers' | 'layerPlace' | 'blobFile'>;
  registries: Registries;
  /** Uploads at a time over all pushes. */
  concurrent: number;
}

export class LayerPushes {
  readonly #options: LayerPushesOptions;
  readonly #uploads: Semaphore;
  /** A repository belongs to one operation: its layers leave by one child. */
  readonly #senders = new Map<Repository, { sender: LayerSender; users: number }>();

  constructor(options: LayerPushesOptions) {
    this.#options = options;
    this.#uploads = new Semaphore(options.concurrent);
  }

  /** Uploads at a time from now on. */
  set concurrent(limit: number) {
    this.#uploads.limit = limit;
  }

  /** Sees that the repository has the layer; gives the descriptor to write into a manifest. */
  async push(push: LayerPush): Promise<Descriptor> {
    const id = shortId(push.diffId);
    const sender = this.#join(push);
    try {
      return await this.#pushOne(push, { id, sender });
    } finally {
      await this.#leave(push.repository);
    }
  }

  async #pushOne(push: LayerPush, { id, sender }: { id: string; sender: LayerSender }): Promise<Descriptor> {
    if (!this.#uploads.hasRoom) push.progress({ status: 'Waiting', progressDetail: {}, id });
    const release = await this.#uploads.acquire(push.signal);
    try {
      const there = await this.#there(push);
      if (there) push.progress({ status: there.state, progressDetail: {}, id });
      return there?.descriptor ?? (await this.#send(push, { id, sender }));
    } finally {
      release();
    }
  }

  #join({ repository, signal }: LayerPush): LayerSender {
    const { registries } = this.#options;
    const known = this.#senders.get(repository) ?? {
      sender: new LayerSender(repository, { registries, signal }),
      users: 0,
    };
    known.users++;
    this.#senders.set(repository, known);
    return known.sender;
  }

  async #leave(repository: Repository): Promise<void> {
    const known = this.#senders.get(repository);
    if (!known || --known.users > 0) return;
    this.#senders.delete(repository);
    await known.sender.close();
  }

  /** A layer that need not be sent, and what to say of it; null: it must. */
  async #there(push: LayerPush): Promise<{ descriptor: Descriptor; state: string } | null> {
    const { repository, mountFrom, signal } = push;
    const candidates = this.#candidates(push);
    for (const descriptor of candidates)
      if (await hasBlob(repository, descriptor.digest, signal)) return { descriptor, state: 'Layer already exists' };
    for (const descriptor of candidates) {
      for (const from of mountFrom) {
        // A registry that cannot is sent the bytes, which tells what is wrong where something is.
        const isMounted = await mountBlob(repository, { digest: descriptor.digest, from, signal }).catch(() => false);
        if (isMounted) return { descriptor, state: `Mounted from ${from}` };
      }
    }
    signal.throwIfAborted();
    return null;
  }

  /** What the layer may be called at the registry: as its manifest says, and as it went or came before. */
  #candidates({ diffId, known, compression = 'gzip' }: LayerPush): Descriptor[] {
    const forms = this.#options.store.layers.packedForms(diffId, compression);
    const packed = forms
      .filter(({ digest }) => digest !== known?.digest)
      .map((form) => ({ mediaType: packedTypes[compression], ...form }));
    return [...(known ? [known] : []), ...packed];
  }

  async #send(push: LayerPush, { id, sender }: { id: string; sender: LayerSender }): Promise<Descriptor> {
    const { diffId, known, compression = 'gzip' } = push;
    const { store } = this.#options;
    const kept = known && store.blobFile(known.digest);
    const source: LayerSource =
      known && kept
        ? { kind: 'file', path: kept, digest: known.digest, size: known.size }
        : { kind: 'layer', compression, ...store.layerPlace(diffId) };
    const total = known && kept ? known.size : (store.layers.get(diffId)?.tarSize ?? 0);
    const { digest, size } = await sender.send(source, {
      onProgress: (current) => {
        failpoint('push.during-upload');
        push.progress(progressMessage('Pushing', id, { current, total }));
      },
      onRetry: (seconds) => push.progress({ status: retryText(seconds), progressDetail: {}, id }),
    });
    if (source.kind === 'layer' && compression !== 'none')
      store.layers.rememberPacked(diffId, compression, { digest, size });
    push.progress({ status: 'Pushed', progressDetail: {}, id });
    return source.kind === 'file' && known ? known : { mediaType: packedTypes[compression], digest, size };
  }
}
