/**
 * Job `push-layers`: packs layers and uploads them, many at a time. What it is to do comes on standard input, because that holds secrets; that a
 * process of its own does it keeps packing, hashing and a gigabyte's way to the registry away from the engine's loop.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { errorKind, errorMessage } from '../../api/errors.ts';
import type { ByteSource } from '../../archive/byte-source.ts';
import { reuseBlock } from '../../archive/gzip-blocks.ts';
import { ordersOf, tell } from '../../archive/job-io.ts';
import { packStream } from '../../archive/pack-stream.ts';
import { type LayerPlace, rebuildLayer } from '../../archive/rebuild-layer.ts';
import { type BlobFacts, MadeBlob } from '../../distribution/made-blob.ts';
import type { RegistrySettings } from '../../distribution/registries.ts';
import { registryFailure } from '../../distribution/registry-errors.ts';
import { reopenRepository } from '../../distribution/reopen-repository.ts';
import type { Repository, RepositoryAddress } from '../../distribution/repository.ts';
import type { RetryOptions } from '../../distribution/retry.ts';
import { uploadBlob } from '../../distribution/upload.ts';
import { uploadMade } from '../../distribution/upload-made.ts';
import type { JobError } from '../../host/process/job.ts';
import type { Compression } from '../../oci/media-types.ts';
import { ProgressPace } from './progress-bar.ts';

/** A layer of the store, or a file of packed bytes. */
export type LayerSource =
  | ({ kind: 'layer'; compression: Compression } & LayerPlace)
  | ({ kind: 'file'; path: string } & BlobFacts);

/** The first order says where to, each that follows what; the last one is `end`. */
export type PushOrder =
  | { kind: 'open'; repository: RepositoryAddress; registries: RegistrySettings }
  | { kind: 'send'; id: number; source: LayerSource }
  | { kind: 'end' };

export type PushMessage = { id: number } & (
  | { progress: number } /** Bytes of the source that are on their way. */
  | { retry: number } /** Seconds. */
  | { pushed: BlobFacts }
  | { failed: JobError }
);

export async function run(): Promise<void> {
  let repository: Repository | null = null;
  const sending: Promise<void>[] = [];
  for await (const line of ordersOf()) {
    const order = line as PushOrder;
    if (order.kind === 'end') break;
    if (order.kind === 'open') repository = reopenRepository(order.repository, order.registries);
    else if (repository) sending.push(send(repository, order.id, order.source));
  }
  await Promise.all(sending);
}

async function send(repository: Repository, id: number, source: LayerSource): Promise<void> {
  const say = (message: PushMessage): void => tell(message);
  const pace = new ProgressPace();
  const onProgress = (progress: number): void => {
    if (pace.isDue(false)) say({ id, progress });
  };
  const common: RetryOptions = {
    // Who wants no more of it ends the process.
    signal: new AbortController().signal,
    onRetry: (retry) => say({ id, retry }),
  };
  try {
    const pushed =
      source.kind === 'file'
        ? await sendFile(repository, source, { ...common, onProgress })
        : await sendLayer(repository, source, { ...common, onProgress });
    say({ id, pushed });
  } catch (error) {
    const failure = registryFailure(error);
    say({ id, failed: { kind: errorKind(failure), message: errorMessage(failure) } });
  }
}

type SendOptions = RetryOptions & { onProgress: (current: number) => void };

async function sendFile(
  repository: Repository,
  { path, digest, size }: { path: string } & BlobFacts,
  options: SendOptions,
): Promise<BlobFacts> {
  const open = (start: number): ReadableStream<Uint8Array> => {
    const file = createReadStream(path, { start, highWaterMark: 256 * 1024 });
    return Readable.toWeb(file) as unknown as ReadableStream<Uint8Array>;
  };
  await uploadBlob(repository, { ...options, digest, size, open });
  return { digest, size };
}

async function sendLayer(
  repository: Repository,
  source: LayerPlace & { compression: Compression },
  { onProgress, ...options }: SendOptions,
): Promise<BlobFacts> {
  let read = 0;
  const begin = (): ByteSource => {
    const layer = rebuildLayer(source);
    read = 0;
    return {
      async read(target) {
        const count = await layer.read(target);
        read += count;
        return count;
      },
      close: () => layer.close(),
    };
  };
  const blob = new MadeBlob(() => packStream(begin(), source.compression), reuseBlock);
  try {
    return await uploadMade(repository, blob, { ...options, onProgress: () => onProgress(read) });
  } finally {
    await blob.close();
  }
}
