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
  const location = answer.headers.get('location');
  if (location) await cancel(repository, new URL(location, `${repository.endpoint.base}/`).href, blob.signal);
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
const attempts = 5;

/**
 * Sends a blob in one piece, and after a break from where the registry has it. Errors: `RegistryError`, `UnreachableError`; the signal's
 * reason.
 */
export async function uploadBlob(repository: Repository, options: UploadOptions): Promise<void> {
  let session: string | null = null;
  let offset = 0;
  for (let failures = 0; ; ) {
    try {
      session ??= await begin(repository, options.signal);
      return await send(repository, { session, offset, options });
    } catch (error) {
      options.signal.throwIfAborted();
      failures++;
      if (!(isTransient(error) || isElsewhere(error)) || failures >= attempts) throw error;
      await pause(failures, error, options);
      const before = offset;
      offset = session === null ? 0 : await received(repository, session, options);
      // Where it has nothing, or does not say, an upload of its own is surer.
      if (offset === 0) session = null;
      else if (offset > before) failures = 0;
    }
  }
}

/** The registry took more of the attempt before than it told when it was asked: its last bytes were still on their way. */
function isElsewhere(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 416;
}

async function begin(repository: Repository, signal: AbortSignal): Promise<string> {
  const session = await repository.request({
    method: 'POST',
    path: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    expected: [202],
    signal,
  });
  await session.body?.cancel();
  const location = session.headers.get('location');
  if (!location) throw new RegistryError(session.status, '', 'the registry opened an upload and does not say where');
  return new URL(location, `${repository.endpoint.base}/`).href;
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

/** Bytes that the registry has of an upload; 0 where it does not say, or has them all and did not take them. */
async function received(repository: Repository, session: string, options: UploadOptions): Promise<number> {
  try {
    const answer = await repository.request({ method: 'GET', path: session, expected: [204], signal: options.signal });
    const last = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1];
    const next = last === undefined || last === '0' ? 0 : Number(last) + 1;
    return next < options.size ? next : 0;
  } catch {
    // What is wrong shows in the next attempt.
    options.signal.throwIfAborted();
    return 0;
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
