/** `berth --job <name> <arguments as JSON>`: bulk work of the engine in a process of its own (src/host/process/job.ts is the other end). */
import { setPriority } from 'node:os';
import { BerthError, errorKind, errorMessage } from '../api/errors.ts';
import type { JobError } from '../host/process/job.ts';

const jobs: Record<string, () => Promise<{ run: (argument: never) => Promise<void> }>> = {
  checkpoint: () => import('../store/db/checkpoint-job.ts'),
  layer: () => import('../archive/jobs/layer.ts'),
  load: () => import('../archive/jobs/load.ts'),
  save: () => import('../archive/jobs/save.ts'),
  'fetch-blob': () => import('../engine/images/fetch-job.ts'),
  'push-layers': () => import('../engine/images/push-job.ts'),
  'layer-tar': () => import('../archive/jobs/layer-tar.ts'),
};

/** The `nice` value of jobs. */
const lowPriority = 10;

export async function main(argv: string[]): Promise<void> {
  // Whoever waits for the engine's next answer goes first; what this job starts inherits it.
  setPriority(lowPriority);
  const [name = '', argument = '{}'] = argv;
  try {
    const job = jobs[name];
    if (!job) throw new Error(`no such job: ${name}`);
    const { run } = await job();
    await run(JSON.parse(argument) as never);
  } catch (error) {
    const code = error instanceof BerthError ? error.code : undefined;
    console.error(JSON.stringify({ kind: errorKind(error), message: errorMessage(error), code } satisfies JobError));
    process.exit(1);
  }
  process.exit(0);
}
