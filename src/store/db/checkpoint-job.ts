import { Database } from 'bun:sqlite';

/** The job `checkpoint`. Where a reader or writer is in the way, what is left waits for the next one. */
export async function run({ path }: { path: string }): Promise<void> {
  const database = new Database(path, { create: false, readwrite: true });
  try {
    database.run('PRAGMA wal_autocheckpoint=0');
    database.query('PRAGMA wal_checkpoint(PASSIVE)').get();
  } finally {
    // A child that ends with the database open locks the engine out for a moment (test/runtime/data.test.ts).
    database.close(true);
  }
}
