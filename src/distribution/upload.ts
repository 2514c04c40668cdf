/** The push side of a repository (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push). */
import { RegistryError } from './registry-errors.ts';
import type { Repository } from './repository.ts';
import { isTransient, pause, type RetryOptions } from './retry.ts';

/** Does the repository have this blob? */
export async function hasBlob(repository: Repository, digest: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await repository.request({ method: 'HEAD', path: `blobs/${digest}`, signal });
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return false;
    throw error;
  }
}

/** Asks the registry to take the blob from another of its repositories. False: it wants the bytes. */
export async function mountBlob(
  repository: Repository,
  blob: { digest: string; from: string; signal?: AbortSignal },
): Promise<boolean> {
  const query = new URLSearchParams({ mount: blob.digest, from: blob.from });
  const answer = await repository.request({
    method: 'POST',
    path: `blobs/uploads/?${query}`,
    headers: { 'content-length': '0' },
    alsoReads: blob.from,
    expected: [201, 202],
    signal: blob.signal,
  });
  await answer.body?.cancel();
  if (answer.status === 201) return true;
  // It opened an upload instead; the bytes come in one of their own, after the other repositories were asked.
  const location = locationOf(repository, answer);
  if (location) await cancel(repository, location, blob.signal);
  return false;
}

async function cancel(repository: Repository, session: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await repository.request({ method: 'DELETE', path: session, expected: [204], signal });
  } catch {
    // Not every registry can; it forgets the upload some day.
    signal?.throwIfAborted();
  }
}

export interface UploadOptions extends RetryOptions {
  digest: string;
  /** Bytes. */
  size: number;
  /** The bytes from `offset` on; called again when the registry wants them again. */
  open: (offset: number) => ReadableStream<Uint8Array>;
  onProgress?: (sent: number) => void;
}

/** Attempts in a row that bring the registry nothing. */
export const uploadAttempts = 5;

/**
 * Sends a blob in one piece, and after a break from where the registry has it. Errors: `RegistryError`, `UnreachableError`; the signal's
 * reason.
 */
export async function uploadBlob(repository: Repository, options: UploadOptions): Promise<void> {
  let session: string | null = null;
  let offset = 0;
  for (let failures = 0; ; ) {
    try {
      session ??= await beginUpload(repository, options.signal);
      return await send(repository, { session, offset, options });
    } catch (error) {
      options.signal.throwIfAborted();
      failures++;
      if (!(isTransient(error) || isElsewhere(error)) || failures >= uploadAttempts) throw error;
      await pause(failures, error, options);
      const before = offset;
      const there = session && (await received(repository, session, options.signal));
      offset = there && there.bytes < options.size ? there.bytes : 0;
      // Where it has nothing, all without taking it, or does not say, an upload of its own is surer.
      if (offset === 0) session = null;
      else if (offset > before) failures = 0;
    }
  }
}

/** Sees that a repository has a small blob that is in memory. Errors: as of `uploadBlob`. */
export async function uploadBytes(
  repository: Repository,
  blob: { digest: string; bytes: Uint8Array },
  signal: AbortSignal,
): Promise<void> {
  const { digest } = blob;
  if (await hasBlob(repository, digest, signal)) return;
  const bytes = Uint8Array.from(blob.bytes);
  const open = (offset: number): ReadableStream<Uint8Array> => new Blob([bytes.subarray(offset)]).stream();
  await uploadBlob(repository, { digest, size: bytes.length, open, signal });
}

/** The registry took more of the attempt before than it told when it was asked: its last bytes were still on their way. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 416;
}

/** Opens an upload; gives its address. */
export async function beginUpload(repository: Repository, signal: AbortSignal): Promise<string> {
  const session = await repository.request({
    method: 'POST',
    path: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    expected: [202],
    signal,
  });
  await session.body?.cancel();
  const location = locationOf(repository, session);
  if (!location) throw new RegistryError(session.status, '', 'the registry opened an upload and does not say where');
  return location;
}

/** Where an upload goes on after an answer; null: the answer does not say. */
export function locationOf(repository: Repository, answer: Response): string | null {
  const location = answer.headers.get('location');
  return location && new URL(location, `${repository.endpoint.base}/`).href;
}

async function send(
  repository: Repository,
  upload: { session: string; offset: number; options: UploadOptions },
): Promise<void> {
  const { offset, options } = upload;
  const { size } = options;
  const url = new URL(upload.session);
  url.searchParams.set('digest', options.digest);
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'content-length': String(size - offset),
  };
  if (offset > 0) headers['content-range'] = `${offset}-${size - 1}`;
  const answer = await repository.request({
    method: 'PUT',
    path: url.href,
    headers,
    body: () => counted(options.open(offset), (sent) => options.onProgress?.(offset + sent)),
    expected: [201, 204],
    signal: options.signal,
  });
  await answer.body?.cancel();
}

/** What the registry has of an upload, and where that goes on; null where it does not say. */
export async function received(
  repository: Repository,
  session: string,
  signal: AbortSignal,
): Promise<{ bytes: number; session: string } | null> {
  try {
    const answer = await repository.request({ method: 'GET', path: session, expected: [204], signal });
    const last = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1];
    // "0-0" is one byte or none.
    if (last === undefined || last === '0') return null;
    return { bytes: Number(last) + 1, session: locationOf(repository, answer) ?? session };
  } catch {
    // What is wrong shows in the next attempt.
    signal.throwIfAborted();
    return null;
  }
}

/** Stores a manifest or an index under a tag or its digest. */
export async function putManifest(
  repository: Repository,
  name: string,
  document: { bytes: Uint8Array; mediaType: string; signal?: AbortSignal },
): Promise<void> {
  const answer = await repository.request({
    method: 'PUT',
    path: `manifests/${name}`,
    headers: { 'content-type': document.mediaType },
    body: () => document.bytes,
    expected: [201, 200, 202],
    signal: document.signal,
  });
  await answer.body?.cancel();
}

/** The same stream, counted. */
function counted(source: ReadableStream<Uint8Array>, onProgress: (sent: number) => void): ReadableStream<Uint8Array> {
  let sent = 0;
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      sent += value.length;
      onProgress(sent);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
