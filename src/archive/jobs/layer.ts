/** Job `layer`: one layer from standard input, a file or a tree into a directory. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { BerthError } from '../../api/errors.ts';
import { dieWithEngine, readDescriptor, tell } from '../job-io.ts';
import { LayerUnpacker, type UnpackedLayer } from '../layer-unpacker.ts';

export interface LayerJob {
  helper: string;
  directory: string;
  source: { kind: 'stdin' } | { kind: 'file'; path: string } | { kind: 'tree' | 'upper'; path: string };
  keepBlob: boolean;
  /** What the bytes must be; null: whatever they are. */
  digest: string | null;
  length: number | null;
  diffId: string | null;
}

export type LayerMessage = { progress: number } | { layer: UnpackedLayer };

/** Bytes between two reports of progress. */
const progressStep = 512 * 1024;

export async function run(job: LayerJob): Promise<void> {
  if (job.source.kind !== 'stdin') dieWithEngine();
  const unpacker = new LayerUnpacker({ ...job, keepBlob: job.keepBlob && job.source.kind === 'stdin' });
  let length = 0;
  let told = 0;
  for await (const chunk of source(job)) {
    await unpacker.write(chunk);
    if (unpacker.failed) break;
    length += chunk.length;
    if (job.length !== null && length > job.length) break;
    if (length - told >= progressStep) {
      told = length;
      tell({ progress: length } satisfies LayerMessage);
    }
  }
  const layer = await unpacker.finish();
  check(job, layer);
  tell({ progress: length } satisfies LayerMessage);
  tell({ layer } satisfies LayerMessage);
}

function check(job: LayerJob, layer: UnpackedLayer): void {
  if (job.length !== null && layer.length !== job.length)
    throw new BerthError('invalid', `failed size validation: ${layer.length} != ${job.length}`);
  if (job.digest !== null && layer.digest !== job.digest)
    throw new BerthError('invalid', `filesystem layer verification failed for digest ${job.digest}`);
  if (job.diffId !== null && layer.diffId !== job.diffId)
    throw new BerthError('invalid', `wrong diff id calculated on extraction "${layer.diffId}"`);
}

async function* source({ source: from, helper }: LayerJob): AsyncGenerator<Buffer> {
  if (from.kind === 'stdin') {
    yield* readDescriptor(0);
  } else if (from.kind === 'file') {
    const file = openSync(from.path, 'r');
    yield* readDescriptor(file);
    closeSync(file);
  } else {
    yield* packTree(helper, from);
  }
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
