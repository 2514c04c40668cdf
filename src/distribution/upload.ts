/** The push side of a repository (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push). */
import { RegistryError } from './registry-errors.ts';
import type { Repository } from './repository.ts';

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

export interface UploadOptions {
  digest: string;
  /** Bytes. */
  size: number;
  /** The bytes from the first one; called again when the registry wants them again. */
  open: () => ReadableStream<Uint8Array>;
  onProgress?: (sent: number) => void;
  signal?: AbortSignal;
}

/** Sends a blob in one piece. Errors: `RegistryError`, `UnreachableError`; the signal's reason. */
export async function uploadBlob(repository: Repository, options: UploadOptions): Promise<void> {
  const { signal } = options;
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
  const url = new URL(location, `${repository.endpoint.base}/`);
  url.searchParams.set('digest', options.digest);
  const answer = await repository.request({
    method: 'PUT',
    path: url.href,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(options.size) },
    body: () => counted(options.open(), options.onProgress),
    expected: [201, 204],
    signal,
  });
  await answer.body?.cancel();
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

function counted(
  source: ReadableStream<Uint8Array>,
  onProgress: ((sent: number) => void) | undefined,
): ReadableStream<Uint8Array> {
  let sent = 0;
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      sent += value.length;
      onProgress?.(sent);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
