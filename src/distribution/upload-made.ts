/**
 * An upload of what is made while it is sent (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-a-blob-in-chunks):
 * POST, one PATCH of all bytes as docker's own pushes have it, PUT with the digest. What broke goes on in chunks of a known length, each at
 * its place, so that nothing is taken twice. A registry that takes no PATCH gets the blob in one PUT: it is made once more for that.
 */
import type { BlobFacts, MadeBlob } from './made-blob.ts';
import { RegistryError } from './registry-errors.ts';
import type { Repository } from './repository.ts';
import { isTransient, pause, type RetryOptions } from './retry.ts';
import { beginUpload, hasBlob, isElsewhere, locationOf, received, uploadAttempts, uploadBlob } from './upload.ts';

export interface MadeUploadOptions extends RetryOptions {
  /** Called for each part that left, also where it leaves again. */
  onProgress?: () => void;
}

/** Bytes of a chunk; so much is in memory. */
const chunkSize = 8 * 1024 * 1024;

/** Statuses of a PATCH at a registry that knows none. */
const noPatch = [400, 404, 405, 415, 501];
const lengthRequired = 411;

/** Sends a blob to its end; gives what it was. Errors: `RegistryError`, `UnreachableError`, what the making says; the signal's reason. */
export function uploadMade(repository: Repository, blob: MadeBlob, options: MadeUploadOptions): Promise<BlobFacts> {
  return new MadeUpload(repository, blob, options).run();
}

class MadeUpload {
  readonly #repository: Repository;
  readonly #blob: MadeBlob;
  readonly #options: MadeUploadOptions;
  #manner: 'stream' | 'chunks' | 'whole' = 'stream';
  #session: string | null = null;
  /** Bytes that the registry has. */
  #taken = 0;
  /** What goes on now is the first of this session. */
  #isFresh = true;
  #mayBegin = true;
  #isComplete = false;

  constructor(repository: Repository, blob: MadeBlob, options: MadeUploadOptions) {
    this.#repository = repository;
    this.#blob = blob;
    this.#options = options;
  }

  async run(): Promise<BlobFacts> {
    for (let failures = 0; ; ) {
      const before = this.#taken;
      try {
        return await this.#attempt();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        if (this.#blob.failure) throw this.#blob.failure;
        if (this.#adapt(error)) continue;
        failures++;
        if (!(isTransient(error) || isElsewhere(error)) || failures >= uploadAttempts) throw error;
        await pause(failures, error, this.#options);
        await this.#askWhatIsThere();
        if (this.#taken > before) failures = 0;
      }
    }
  }

  async #attempt(): Promise<BlobFacts> {
    const { signal } = this.#options;
    if (this.#manner === 'whole') return this.#sendWhole();
    // The answer to what completed it may have been lost.
    if (this.#isComplete && this.#blob.facts && (await hasBlob(this.#repository, this.#blob.facts.digest, signal)))
      return this.#blob.facts;
    this.#session ??= await beginUpload(this.#repository, signal);
    while (this.#blob.facts === null || this.#taken < this.#blob.facts.size) {
      if (this.#manner === 'stream') await this.#stream(this.#session);
      else await this.#chunk(this.#session);
      this.#isFresh = false;
    }
    this.#isComplete = true;
    await this.#complete(this.#session, this.#blob.facts);
    return this.#blob.facts;
  }

  /** Another manner, or a beginning from nothing, where an answer asks for that. */
  #adapt(error: unknown): boolean {
    if (!(error instanceof RegistryError)) return false;
    if (this.#isComplete && error.registryCode === 'DIGEST_INVALID' && this.#mayBegin) {
      // It was put together out of parts that do not belong together.
      this.#mayBegin = false;
      this.#beginAgain();
      return true;
    }
    if (this.#session === null || !this.#isFresh || this.#isComplete) return false;
    if (this.#manner === 'stream' && error.status === lengthRequired) this.#manner = 'chunks';
    else if (noPatch.includes(error.status) && error.registryCode !== 'BLOB_UPLOAD_UNKNOWN') this.#manner = 'whole';
    else return false;
    return true;
  }

  #beginAgain(): void {
    this.#session = null;
    this.#taken = 0;
    this.#isFresh = true;
    this.#isComplete = false;
  }

  async #askWhatIsThere(): Promise<void> {
    const there = this.#session && (await received(this.#repository, this.#session, this.#options.signal));
    if (!there) {
      const isComplete = this.#isComplete;
      this.#beginAgain();
      this.#isComplete = isComplete;
      return;
    }
    this.#session = there.session;
    this.#taken = there.bytes;
    this.#isFresh = false;
    this.#manner = 'chunks';
  }

  async #stream(session: string): Promise<void> {
    await this.#patch(session, { body: () => bodyOf(this.#blob.from(this.#taken), this.#options.onProgress) });
    if (this.#blob.facts === null) throw new Error('the registry answered before it had all bytes');
    this.#taken = this.#blob.facts.size;
  }

  async #chunk(session: string): Promise<void> {
    const bytes = await collect(this.#blob.from(this.#taken), chunkSize);
    if (bytes.length === 0) return;
    await this.#patch(session, {
      headers: {
        'content-length': String(bytes.length),
        'content-range': `${this.#taken}-${this.#taken + bytes.length - 1}`,
      },
      body: () => bytes,
    });
    this.#taken += bytes.length;
    this.#options.onProgress?.();
  }

  async #patch(
    session: string,
    part: { headers?: Record<string, string>; body: () => Uint8Array | ReadableStream<Uint8Array> },
  ): Promise<void> {
    const answer = await this.#repository.request({
      method: 'PATCH',
      path: session,
      headers: { 'content-type': 'application/octet-stream', ...part.headers },
      body: part.body,
      expected: [202, 201, 204],
      signal: this.#options.signal,
    });
    await answer.body?.cancel();
    this.#session = locationOf(this.#repository, answer) ?? session;
  }

  async #complete(session: string, { digest }: BlobFacts): Promise<void> {
    const url = new URL(session);
    url.searchParams.set('digest', digest);
    const answer = await this.#repository.request({
      method: 'PUT',
      path: url.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': '0' },
      expected: [201, 204],
      signal: this.#options.signal,
    });
    await answer.body?.cancel();
  }

  async #sendWhole(): Promise<BlobFacts> {
    const { signal, onProgress } = this.#options;
    const facts = await this.#blob.finish();
    if (await hasBlob(this.#repository, facts.digest, signal)) return facts;
    const open = (offset: number): ReadableStream<Uint8Array> => bodyOf(this.#blob.from(offset), onProgress);
    await uploadBlob(this.#repository, { ...this.#options, ...facts, open, onProgress: undefined });
    return facts;
  }
}

function bodyOf(source: AsyncGenerator<Uint8Array>, onPart: (() => void) | undefined): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) return controller.close();
      onPart?.();
      controller.enqueue(value);
    },
    async cancel() {
      await source.return(undefined);
    },
  });
}

async function collect(source: AsyncGenerator<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    parts.push(part);
    length += part.length;
    if (length >= most) break;
  }
  return Buffer.concat(parts).subarray(0, most);
}
