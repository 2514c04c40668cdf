/**
 * A blob into a file: resumed after a break, from another place where one stands in. The file itself is the state: what it holds is what need
 * not be fetched again, also after a kill -9. Its digest is for whoever reads the file, which happens anyway and elsewhere.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { BerthError, errorMessage } from '../api/errors.ts';
import type { RegistrySettings } from './registries.ts';
import { RegistryError } from './registry-errors.ts';
import type { Repository } from './repository.ts';
import { isDiskError, isTransient, pause } from './retry.ts';
import type { RepositorySources } from './sources.ts';

/** What one connection is to bring. */
export interface BlobConnection {
  repository: Repository;
  registries: RegistrySettings;
  digest: string;
  size: number;
  path: string;
  /** Bytes that the file has. */
  offset: number;
  stallTimeout: number | undefined;
  headTimeout: number | undefined;
  signal: AbortSignal;
  onProgress: (current: number) => void;
}

export interface DownloadOptions {
  sources: RepositorySources;
  /** Where the bytes of large blobs pass through, in place of this process; throws what `streamBlob` throws. */
  elsewhere?: (connection: BlobConnection) => Promise<void>;
  digest: string;
  /** Bytes, as the manifest says; neither more nor less is accepted. */
  size: number;
  /** Where the bytes go. May hold the beginning already. */
  path: string;
  signal: AbortSignal;
  /** Bytes in the file so far. */
  onProgress?: (current: number) => unknown;
  /** A pause before the next attempt. */
  onRetry?: (seconds: number) => void;
  /** Attempts without a single new byte; default 5. */
  attempts?: number;
  /** Milliseconds without a byte after which a connection counts as broken; default 60,000. */
  stallTimeout?: number;
  /** Milliseconds of the first pause, doubled each time; default 500. */
  firstPause?: number;
}

/**
 * Resolves when `path` has the blob's size; whether they are its bytes is not looked at. Errors: `invalid` for a blob that is longer,
 * `unavailable` for a full disk, `RegistryError`, `UnreachableError`; the signal's reason, with the file kept for the next time.
 */
export async function downloadBlob(options: DownloadOptions): Promise<void> {
  const file = await open(options.path, 'a+', 0o600);
  try {
    const progress: Progress = { current: (await file.stat()).size };
    if (progress.current > options.size) {
      // It is not the blob's.
      await file.truncate(0);
      progress.current = 0;
    }
    if (progress.current > 0) options.onProgress?.(progress.current);
    await fill(file, progress, options);
  } catch (error) {
    throw await translate(error, options);
  } finally {
    await file.close();
  }
}

interface Progress {
  current: number;
}

/** Attempts until the file has its size. */
async function fill(file: FileHandle, progress: Progress, options: DownloadOptions): Promise<void> {
  const most = options.attempts ?? 5;
  for (let failures = 0; progress.current < options.size; ) {
    const before = progress.current;
    try {
      await options.sources.use((repository) => connect(repository, { file, progress, options }), options.signal);
      if (progress.current < options.size) throw new Error('unexpected EOF');
    } catch (error) {
      options.signal.throwIfAborted();
      if (progress.current > before) failures = 0;
      failures++;
      if (!isTransient(error)) throw error;
      if (failures >= most) throw exhausted(error, most);
      await pause(failures, error, options);
    }
  }
}

/** What is left of a blob from this size on is large. */
const large = 8 * 1024 * 1024;

async function connect(
  repository: Repository,
  work: { file: FileHandle; progress: Progress; options: DownloadOptions },
): Promise<void> {
  const { file, progress, options } = work;
  const { digest, size, path, signal, sources, stallTimeout } = options;
  if (!options.elsewhere || size - progress.current < large) return streamBlob(repository, work);
  const { settings: registries, headTimeout } = sources;
  const onProgress = (current: number): void => {
    progress.current = current;
    options.onProgress?.(current);
  };
  const offset = progress.current;
  const connection = {
    repository,
    registries,
    digest,
    size,
    path,
    offset,
    stallTimeout,
    headTimeout,
    signal,
    onProgress,
  };
  try {
    await options.elsewhere(connection);
  } finally {
    progress.current = (await file.stat()).size;
  }
}

/** Reads one connection to its end, or until it breaks. */
export async function streamBlob(
  repository: Repository,
  work: {
    file: FileHandle;
    progress: Progress;
    options: Pick<DownloadOptions, 'digest' | 'size' | 'signal' | 'stallTimeout' | 'onProgress'>;
  },
): Promise<void> {
  const { file, progress, options } = work;
  const stall = new AbortController();
  const signal = AbortSignal.any([options.signal, stall.signal]);
  const blob = await repository.blob(options.digest, { offset: progress.current, signal });
  const timer = setTimeout(() => stall.abort(new Error('no data for too long')), options.stallTimeout ?? 60_000);
  try {
    if (blob.offset !== progress.current) {
      if (blob.offset !== 0)
        throw new Error(`the registry sent the bytes from ${blob.offset}, not ${progress.current}`);
      // It knows no ranges: from the beginning.
      await file.truncate(0);
      progress.current = 0;
    }
    let coming = progress.current;
    const writes = new Writes(file, (written) => {
      timer.refresh();
      progress.current += written;
      options.onProgress?.(progress.current);
    });
    try {
      for await (const chunk of blob.body) {
        coming += chunk.length;
        if (coming > options.size)
          throw new BerthError(
            'invalid',
            `blob ${options.digest} is longer than its manifest says (${options.size} bytes)`,
            { code: 'size-mismatch' },
          );
        await writes.add(chunk);
      }
    } finally {
      // What came before a break is kept.
      await writes.finish();
    }
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
    // Ends the connection where the body was not read to its end.
    stall.abort();
  }
}

/** Bytes that may wait while others are written. */
const mostWaiting = 1024 * 1024;

/** Writes chunks in their order; what comes while one is written goes together in the next. */
class Writes {
  readonly #file: FileHandle;
  readonly #onWritten: (bytes: number) => void;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #running: Promise<void> | null = null;

  constructor(file: FileHandle, onWritten: (bytes: number) => void) {
    this.#file = file;
    this.#onWritten = onWritten;
  }

  /** Waits only where too much is on its way. Error: that of a write, of this chunk or one before. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#waiting.push(chunk);
    this.#size += chunk.length;
    if (!this.#running) {
      this.#running = this.#run();
      // Whoever adds or finishes next hears of it.
      this.#running.catch(() => undefined);
    }
    if (this.#size >= mostWaiting) await this.#running;
  }

  async finish(): Promise<void> {
    await this.#running;
  }

  /** Where a write failed, it stays failed. */
  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const chunks = this.#waiting;
      const size = this.#size;
      this.#waiting = [];
      this.#size = 0;
      const { bytesWritten } = await this.#file.writev(chunks);
      if (bytesWritten < size) await writeAll(this.#file, Buffer.concat(chunks).subarray(bytesWritten));
      this.#onWritten(size);
    }
    this.#running = null;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}

function exhausted(error: unknown, attempts: number): Error {
  const message = `download failed after attempts=${attempts}: ${errorMessage(error)}`;
  return error instanceof RegistryError
    ? new RegistryError(error.status, error.registryCode, message)
    : new Error(message, { cause: error });
}

async function translate(error: unknown, options: DownloadOptions): Promise<unknown> {
  if (!isDiskError(error)) {
    if (error instanceof BerthError) await rm(options.path, { force: true });
    return error;
  }
  await rm(options.path, { force: true });
  const { code } = error as NodeJS.ErrnoException;
  const text = code === 'ENOSPC' ? 'no space left on device' : errorMessage(error);
  return new BerthError('unavailable', `write ${options.path}: ${text}`, { cause: error });
}
