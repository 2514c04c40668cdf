import { Database } from 'bun:sqlite';
import { tell } from '../../archive/job-io.ts';

interface Progress {
  busy: number;
  log: number;
  checkpointed: number;
}

/** Milliseconds. */
const patience = 3_000;

/**
 * The job `checkpoint`. The log begins again only when every page of it was moved and none was added meanwhile, so a busy writer
 * is tried again for a while: each try has less to do than the one before. Says whether it came to the end.
 */
export async function run({ path }: { path: string }): Promise<void> {
  const database = new Database(path, { create: false, readwrite: true });
  try {
    database.run('PRAGMA wal_autocheckpoint=0');
    database.run('PRAGMA busy_timeout=100');
    const end = performance.now() + patience;
    let progress: Progress | null;
    do {
      progress = database.query<Progress, []>('PRAGMA wal_checkpoint(PASSIVE)').get();
    } while (progress && progress.checkpointed < progress.log && performance.now() < end);
    tell({ complete: progress !== null && progress.checkpointed === progress.log });
  } finally {
    // A child that ends with the database open locks the engine out for a moment (test/runtime/data.test.ts).
    database.close(true);
  }
}
