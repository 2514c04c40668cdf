/**
 * Job `fetch-blob`: one connection's worth of a blob into its file. The engine asks, follows fallbacks and tries again; the bytes of a large layer pass through
 * a child, whose heap has nothing else in it that a collection must look at. What it is to do comes on standard input, because that holds secrets.
 */
import { open } from 'node:fs/promises';
import { BerthError, type ErrorKind, errorMessage } from '../../api/errors.ts';
import { ordersOf, tell } from '../../archive/job-io.ts';
import { type BlobConnection, streamBlob } from '../../distribution/download.ts';
import type { RegistrySettings } from '../../distribution/registries.ts';
import { RegistryError, UnreachableError } from '../../distribution/registry-errors.ts';
import { reopenRepository } from '../../distribution/reopen-repository.ts';
import type { RepositoryAddress } from '../../distribution/repository.ts';
import { runJob } from '../../host/process/job.ts';

interface FetchOrder {
  repository: RepositoryAddress;
  registries: RegistrySettings;
  digest: string;
  size: number;
  path: string;
  offset: number;
  stallTimeout: number | undefined;
  headTimeout: number | undefined;
}

/** An error on its way to another process: what decides whether it is tried again. */
type WireError = { message: string } & (
  | { kind: 'registry'; status: number; code: string; retryAfter: number }
  | { kind: 'unreachable'; isPlain: boolean }
  | { kind: 'berth'; error: ErrorKind; code: string }
  | { kind: 'other'; code: string | undefined }
);

type FetchMessage = { current: number } | { failed: WireError };

/** Bytes between two reports. */
const reportStep = 512 * 1024;

export async function run(): Promise<void> {
  const orders = ordersOf();
  const order = (await orders.next()).value as FetchOrder;
  // Ends this process where the engine ends.
  void orders.next();
  try {
    await fetchPart(order);
  } catch (error) {
    tell({ failed: toWire(error) } satisfies FetchMessage);
  }
}

async function fetchPart(order: FetchOrder): Promise<void> {
  const repository = reopenRepository(order.repository, order.registries, order.headTimeout);
  const file = await open(order.path, 'a+', 0o600);
  let told = order.offset;
  const say = (current: number): void => {
    told = current;
    tell({ current } satisfies FetchMessage);
  };
  const { digest, size, stallTimeout } = order;
  const progress = { current: order.offset };
  try {
    await streamBlob(repository, {
      file,
      progress,
      options: {
        digest,
        size,
        stallTimeout,
        signal: new AbortController().signal,
        onProgress: (current) => Math.abs(current - told) >= reportStep && say(current),
      },
    });
  } finally {
    say(progress.current);
    await file.close();
  }
}

/** The engine's side: has a child fetch, as `streamBlob` would. Errors: the same. */
export async function fetchElsewhere({
  repository,
  registries,
  signal,
  onProgress,
  ...what
}: BlobConnection): Promise<void> {
  const order: FetchOrder = { ...what, repository: repository.address, registries };
  let failure: Error | null = null;
  await runJob(
    'fetch-blob',
    {},
    {
      signal,
      onStart: (give) => give(order),
      onMessage: (message) => {
        const said = message as FetchMessage;
        if ('failed' in said) failure = fromWire(said.failed);
        else onProgress(said.current);
      },
    },
  );
  if (failure) throw failure;
}

function toWire(error: unknown): WireError {
  const message = errorMessage(error);
  if (error instanceof RegistryError)
    return { kind: 'registry', message, status: error.status, code: error.registryCode, retryAfter: error.retryAfter };
  if (error instanceof UnreachableError) return { kind: 'unreachable', message, isPlain: error.isPlain };
  if (error instanceof BerthError) return { kind: 'berth', message, error: error.kind, code: error.code };
  return { kind: 'other', message, code: (error as NodeJS.ErrnoException).code };
}

function fromWire(error: WireError): Error {
  const { message } = error;
  switch (error.kind) {
    case 'registry':
      return new RegistryError(error.status, error.code, message, error.retryAfter);
    case 'unreachable':
      return new UnreachableError(message, { isPlain: error.isPlain });
    case 'berth':
      return new BerthError(error.error, message, { code: error.code });
    case 'other':
      return Object.assign(new Error(message), error.code !== undefined && { code: error.code });
  }
}
