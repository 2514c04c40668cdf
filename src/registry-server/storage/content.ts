/**
 * Bytes and facts together: what the handlers work on. Also the only deleter of bytes. Nothing here stops a push: a blob goes when no
 * repository has it, under a lock of that one digest, and a push of the same digest waits for that moment only.
 */
import { failpoint } from '../../base/failpoint.ts';
import { KeyedMutex } from '../../base/mutex.ts';
import { RegistryProblem } from '../problem.ts';
import type { BlobStorage, RegistryIndex } from './types.ts';

export interface ContentOptions {
  blobs: BlobStorage;
  index: RegistryIndex;
  /** Milliseconds that a blob without a manifest is left alone: somebody may be pushing. */
  grace: number;
  /** Milliseconds after which an upload that nobody goes on with is forgotten. */
  uploadLifetime: number;
}

/** What a round of collection took away. */
export interface Collected {
  blobs: number;
  uploads: number;
}

export class Content {
  readonly blobs: BlobStorage;
  readonly index: RegistryIndex;
  readonly #options: ContentOptions;
  readonly #digests = new KeyedMutex();
  #collecting: Promise<Collected> | null = null;
  /** Uploads that a request is working on. */
  readonly #busy = new Set<string>();

  constructor(options: ContentOptions) {
    this.#options = options;
    this.blobs = options.blobs;
    this.index = options.index;
  }

  async beginUpload(repository: string): Promise<string> {
    const id = await this.blobs.begin();
    await this.index.openUpload(id, repository);
    return id;
  }

  /** Bytes so far. Error: `BLOB_UPLOAD_UNKNOWN`, also for an upload of another repository. */
  async uploaded(repository: string, id: string): Promise<number> {
    const owner = await this.index.uploadRepository(id);
    const size = owner === repository ? await this.blobs.uploaded(id) : null;
    if (size === null) throw new RegistryProblem('BLOB_UPLOAD_UNKNOWN', { detail: { uuid: id } });
    return size;
  }

  /** One request at a time works on an upload. Error: `BLOB_UPLOAD_INVALID` 409 for a second one. */
  async exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id))
      throw new RegistryProblem('BLOB_UPLOAD_INVALID', {
        status: 409,
        message: 'another request writes to this upload',
      });
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  /** The upload becomes a blob of the repository. Gives its size. Errors: as `BlobStorage.finish`. */
  async finishUpload(repository: string, id: string, digest: string): Promise<number> {
    try {
      return await this.#digests.run(digest, async () => {
        const size = await this.blobs.finish(id, digest);
        await failpoint('registry.before-link');
        await this.index.linkBlob(repository, digest, size);
        return size;
      });
    } finally {
      if ((await this.blobs.uploaded(id)) === null) await this.index.closeUpload(id);
    }
  }

  async cancelUpload(id: string): Promise<void> {
    await this.blobs.cancel(id);
    await this.index.closeUpload(id);
  }

  /** The repository has the blob from now on, if `from` has it. */
  async mount(repository: string, digest: string, from: string): Promise<boolean> {
    return this.#digests.run(digest, async () => {
      const size = await this.index.blob(from, digest);
      if (size === null) return false;
      await this.index.linkBlob(repository, digest, size);
      return true;
    });
  }

  /** Frees what nobody needs. One round at a time: who asks meanwhile waits for its end. @param now milliseconds since 1970 */
  collect(now = Date.now()): Promise<Collected> {
    this.#collecting ??= this.#collect(now).finally(() => {
      this.#collecting = null;
    });
    return this.#collecting;
  }

  async #collect(now: number): Promise<Collected> {
    const collected: Collected = { blobs: 0, uploads: 0 };
    for (const id of await this.blobs.idleUploads(now - this.#options.uploadLifetime)) {
      if (this.#busy.has(id)) continue;
      await this.cancelUpload(id);
      collected.uploads++;
    }
    // A crash between the two parts leaves a note without its file.
    for (const id of await this.index.openUploads(now - this.#options.grace))
      if ((await this.blobs.uploaded(id)) === null) await this.index.closeUpload(id);
    for (const digest of await this.index.collectLinks(now - this.#options.grace))
      if (await this.#removeIfUnused(digest)) collected.blobs++;
    return collected;
  }

  /** Takes a blob out of a repository; its bytes go at once where no other repository has it. False: it was not there. */
  async removeBlob(repository: string, digest: string): Promise<boolean> {
    if (!(await this.index.unlinkBlob(repository, digest))) return false;
    await this.#removeIfUnused(digest);
    return true;
  }

  /** After a crash: bytes that were published and never linked. */
  async recover(): Promise<void> {
    for await (const digest of this.blobs.all()) await this.#removeIfUnused(digest);
  }

  #removeIfUnused(digest: string): Promise<boolean> {
    return this.#digests.run(digest, async () => {
      if (!(await this.index.isUnused(digest))) return false;
      await failpoint('registry.before-remove');
      await this.blobs.remove(digest);
      return true;
    });
  }
}
