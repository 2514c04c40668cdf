/** Job `layer`: one layer from standard input, a file or a tree into a directory. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { BerthError, errorKind } from '../../api/errors.ts';
import { dieWithEngine, lent, ordersOf, readDescriptor, tell } from '../job-io.ts';
import { LayerUnpacker, type UnpackedLayer } from '../layer-unpacker.ts';

export interface LayerJob {
  helper: string;
  directory: string;
  source:
    | { kind: 'stdin' }
    | { kind: 'file'; path: string }
    /** Standard input says how far it is. */
    | { kind: 'growing'; path: string }
    | { kind: 'tree' | 'upper'; path: string };
  keepBlob: boolean;
  /** What the bytes must be; null: whatever they are. */
  digest: string | null;
  length: number | null;
  diffId: string | null;
}

/** How far a growing file has come. */
export interface GrowthOrder {
  length: number;
  isComplete: boolean;
}

export type LayerMessage = { progress: number } | { layer: UnpackedLayer };

/** Milliseconds between two reports of progress. */
const progressPause = 50;

export async function run(job: LayerJob): Promise<void> {
  if (job.source.kind !== 'stdin' && job.source.kind !== 'growing') dieWithEngine();
  const unpacker = new LayerUnpacker({ ...job, keepBlob: job.keepBlob && job.source.kind === 'stdin' });
  let length = 0;
  let told = 0; // milliseconds
  for await (const chunk of source(job)) {
    await unpacker.write(chunk);
    // Bytes that are not those of the digest are the reason of whatever cannot be unpacked: that shows at their end.
    if (unpacker.failure && !(job.digest !== null && errorKind(unpacker.failure) === 'invalid')) break;
    length += chunk.length;
    if (job.length !== null && length > job.length) break;
    const now = performance.now();
    if (now - told >= progressPause) {
      told = now;
      tell({ progress: length } satisfies LayerMessage);
    }
  }
  const layer = await unpacker.finish().catch((error: unknown) => {
    if (errorKind(error) === 'invalid') checkDigest(job, unpacker.digest);
    throw error;
  });
  check(job, layer);
  tell({ progress: length } satisfies LayerMessage);
  tell({ layer } satisfies LayerMessage);
}

function check(job: LayerJob, layer: UnpackedLayer): void {
  if (job.length !== null && layer.length !== job.length)
    throw new BerthError('invalid', `failed size validation: ${layer.length} != ${job.length}`);
  checkDigest(job, layer.digest);
  if (job.diffId !== null && layer.diffId !== job.diffId)
    throw new BerthError('invalid', `wrong diff id calculated on extraction "${layer.diffId}"`);
}

function checkDigest(job: LayerJob, digest: string): void {
  if (job.digest === null || digest === job.digest) return;
  const message = `filesystem layer verification failed for digest ${job.digest}`;
  throw new BerthError('invalid', message, { code: 'digest-mismatch' });
}

async function* source({ source: from, helper }: LayerJob): AsyncGenerator<Buffer> {
  if (from.kind === 'stdin') {
    yield* readDescriptor(0);
  } else if (from.kind === 'growing') {
    yield* readGrowing(from.path);
  } else if (from.kind === 'file') {
    const file = openSync(from.path, 'r');
    yield* readDescriptor(file);
    closeSync(file);
  } else {
    yield* packTree(helper, from);
  }
}

/** Bytes a read: they stay in the processor's cache until they are hashed and passed on. */
const readSize = 128 * 1024;

/** The file's bytes as they come. The buffers are used again: a chunk is good until three more have been taken. */
async function* readGrowing(path: string): AsyncGenerator<Buffer> {
  const file = openSync(path, 'r');
  const ring = Array.from({ length: 4 }, () => Buffer.allocUnsafeSlow(readSize));
  let position = 0;
  let turn = 0;
  for await (const order of ordersOf()) {
    const { length, isComplete } = order as GrowthOrder;
    for (; position < length; turn++) {
      const buffer = ring[turn % ring.length] as Buffer;
      const count = readSync(file, buffer, 0, Math.min(readSize, length - position), position);
      // It begins again, and comes back to here.
      if (count === 0) break;
      position += count;
      yield lent(buffer, count);
    }
    if (isComplete) break;
  }
  closeSync(file);
}

async function* packTree(helper: string, tree: { kind: 'tree' | 'upper'; path: string }): AsyncGenerator<Buffer> {
  const child = spawn(helper, ['pack', tree.kind === 'tree' ? '--root' : '--live', tree.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  yield* child.stdout as AsyncIterable<Buffer>;
  const code = await promise;
  if (code !== 0) throw new BerthError('internal', `cannot read the tree ${tree.path}`);
}
