/** One blob on its way from an upstream: written to the store as it comes, and read from there by everybody who wants it meanwhile. */
import type { OpenBlob, Repository } from '../../distribution/repository.ts';
import type { FetchedBlob } from '../context.ts';
import { isDiskFull, RegistryProblem } from '../problem.ts';
import type { Content } from '../storage/content.ts';
import type { GrowingUpload } from '../storage/types.ts';

/** Connections in a row that bring nothing. */
const attempts = 5;
/** Milliseconds without a byte after which a connection counts as broken. */
const stallTimeout = 30_000;

export interface BlobFetchOptions {
  content: Content;
  /** Its name here. */
  repository: string;
  remote: Repository;
  digest: string;
}

export class BlobFetch implements FetchedBlob {
  readonly #options: BlobFetchOptions;
  readonly #id: string;
  readonly #upload: GrowingUpload;
  readonly size: number;
  #written = 0;
  #failure: unknown = null;
  #isDone = false;
  #moved = Promise.withResolvers<void>();

  private constructor(options: BlobFetchOptions, upload: { id: string; growing: GrowingUpload; size: number }) {
    this.#options = options;
    this.#id = upload.id;
    this.#upload = upload.growing;
    this.size = upload.size;
  }

  /**
   * Asks the upstream; resolves as soon as it answers, with the work that goes on. Errors: as of `Repository.request`.
   */
  static async start(options: BlobFetchOptions): Promise<{ fetch: FetchedBlob; done: Promise<void> }> {
    const { content, repository } = options;
    const first = await Connection.open(options, 0);
    const size = first.length;
    if (size === null) {
      first.close();
      throw new RegistryProblem('UNKNOWN', { status: 502, message: 'the upstream does not say how long the blob is' });
    }
    try {
      const id = await content.beginUpload(repository);
      const growing = await content.blobs.openGrowing(id);
      const fetch = new BlobFetch(options, { id, growing, size });
      return { fetch, done: content.exclusively(id, () => fetch.#run(first)) };
    } catch (error) {
      first.close();
      if (!isDiskFull(error)) throw error;
      return {
        fetch: { size, read: (start, end) => passThrough(options, start, end) },
        done: Promise.reject(error),
      };
    }
  }

  async #run(first: Connection): Promise<void> {
    const { content, repository, digest } = this.#options;
    try {
      await this.#fill(first);
      await content.finishUpload(repository, this.#id, digest);
      this.#isDone = true;
    } catch (error) {
      this.#failure = error;
      await content.cancelUpload(this.#id);
      throw error;
    } finally {
      this.#wake();
      this.#upload.release();
    }
  }

  /** Goes on where a connection broke. */
  async #fill(first: Connection): Promise<void> {
    const { blobs } = this.#options.content;
    let connection: Connection | null = first;
    for (let failures = 0; ; ) {
      const before = this.#written;
      try {
        connection ??= await Connection.open(this.#options, this.#written);
        await blobs.append(this.#id, connection.bytes(), (size) => this.#advance(size));
        if (this.#written < this.size) throw new Error('unexpected EOF');
        return;
      } catch (error) {
        failures = this.#written > before ? 1 : failures + 1;
        if (failures >= attempts || this.#written > this.size || isDiskFull(error)) throw error;
        connection = null;
      }
    }
  }

  #advance(size: number): void {
    this.#written = size;
    this.#wake();
  }

  #wake(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers<void>();
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    let position = start;
    const release = this.#upload.hold();
    try {
      while (release && position <= end && !this.#failure) {
        // The last byte is given out when the digest has been compared: nobody takes a wrong blob for a whole one.
        const available = this.#isDone ? this.size : Math.min(this.#written, this.size - 1);
        if (available <= position) {
          await this.#moved.promise;
          continue;
        }
        const chunk = await this.#upload.read(position, Math.min(available, end + 1));
        position += chunk.length;
        yield chunk;
      }
    } finally {
      release?.();
    }
    if (position > end) return;
    if (!this.#failure) yield* this.#options.content.blobs.read(this.#options.digest, { start: position, end });
    else if (isDiskFull(this.#failure)) yield* passThrough(this.#options, position, end);
    else throw this.#failure;
  }
}

/** Bytes that cannot be kept: who asks for them gets them from the upstream. */
async function* passThrough(options: BlobFetchOptions, start: number, end: number): AsyncIterable<Uint8Array> {
  const connection = await Connection.open(options, start);
  try {
    let left = end - start + 1;
    for await (const chunk of connection.bytes()) {
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
    throw new Error('unexpected EOF');
  } finally {
    connection.close();
  }
}

/** One answer of the upstream; broken off when nothing comes for a while. */
class Connection {
  readonly #blob: OpenBlob;
  readonly #stall: AbortController;
  /** Bytes in front of the wanted ones: not every upstream knows ranges. */
  readonly #surplus: number;

  private constructor(blob: OpenBlob, options: { stall: AbortController; surplus: number }) {
    this.#blob = blob;
    this.#stall = options.stall;
    this.#surplus = options.surplus;
  }

  /** From byte `offset` on. */
  static async open({ remote, digest }: BlobFetchOptions, offset: number): Promise<Connection> {
    const stall = new AbortController();
    const blob = await remote.blob(digest, { offset, signal: stall.signal });
    return new Connection(blob, { stall, surplus: offset - blob.offset });
  }

  /** Null: the upstream does not say. */
  get length(): number | null {
    return this.#blob.length;
  }

  close(): void {
    this.#stall.abort(new Error('no longer wanted'));
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    const timer = setTimeout(() => this.#stall.abort(new Error('no data for too long')), stallTimeout);
    let surplus = this.#surplus;
    try {
      for await (const chunk of this.#blob.body) {
        timer.refresh();
        if (surplus < chunk.length) yield chunk.subarray(surplus);
        surplus = Math.max(0, surplus - chunk.length);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
