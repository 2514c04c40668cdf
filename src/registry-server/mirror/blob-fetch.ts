/** One blob on its way from an upstream: written to the store as it comes, and read from there by everybody who wants it meanwhile. */
import type { Repository } from '../../distribution/repository.ts';
import type { FetchedBlob } from '../context.ts';
import { RegistryProblem } from '../problem.ts';
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
  static async start(options: BlobFetchOptions): Promise<{ fetch: BlobFetch; done: Promise<void> }> {
    const { content, repository } = options;
    const first = await Connection.open(options, 0);
    const size = first.length;
    if (!Number.isSafeInteger(size)) {
      first.close();
      throw new RegistryProblem('UNKNOWN', { status: 502, message: 'the upstream does not say how long the blob is' });
    }
    const id = await content.beginUpload(repository);
    const growing = await content.blobs.openGrowing(id);
    const fetch = new BlobFetch(options, { id, growing, size });
    return { fetch, done: content.exclusively(id, () => fetch.#run(first)) };
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
        if (failures >= attempts || this.#written > this.size) throw error;
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
    const release = this.#upload.hold();
    if (!release) {
      // It came to its end since the caller asked.
      if (this.#failure) throw this.#failure;
      yield* this.#options.content.blobs.read(this.#options.digest, { start, end });
      return;
    }
    try {
      for (let position = start; position <= end; ) {
        // The last byte is given out when the digest has been compared: nobody takes a wrong blob for a whole one.
        const available = this.#isDone ? this.size : Math.min(this.#written, this.size - 1);
        if (this.#failure) throw this.#failure;
        if (available <= position) {
          await this.#moved.promise;
          continue;
        }
        const chunk = await this.#upload.read(position, Math.min(available, end + 1));
        position += chunk.length;
        yield chunk;
      }
    } finally {
      release();
    }
  }
}

/** One answer of the upstream; broken off when nothing comes for a while. */
class Connection {
  readonly #response: Response;
  readonly #stall: AbortController;

  private constructor(response: Response, stall: AbortController) {
    this.#response = response;
    this.#stall = stall;
  }

  static async open({ remote, digest }: BlobFetchOptions, offset: number): Promise<Connection> {
    const stall = new AbortController();
    const response = await remote.request({
      method: 'GET',
      path: `blobs/${digest}`,
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      expected: offset > 0 ? [206] : [200],
      signal: stall.signal,
    });
    return new Connection(response, stall);
  }

  /** NaN: the upstream does not say. */
  get length(): number {
    return Number(this.#response.headers.get('content-length') ?? Number.NaN);
  }

  close(): void {
    this.#stall.abort(new Error('no longer wanted'));
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    const timer = setTimeout(() => this.#stall.abort(new Error('no data for too long')), stallTimeout);
    try {
      for await (const chunk of this.#response.body ?? []) {
        timer.refresh();
        yield chunk;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
