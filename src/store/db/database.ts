import { Database } from 'bun:sqlite';
import { closeSync, fdatasync, fstatSync, openSync, statfsSync } from 'node:fs';
import { BerthError, errorMessage } from '../../api/errors.ts';
import { reserveRoom } from '../../host/files/reserve-room.ts';
import { type Migration, migrations } from './migrations.ts';

/** Bytes on the disk that its log has to itself, and that must be free for whatever makes the database larger. */
const reserve = 8 * 1024 * 1024;
const leastFree = 1024 * 1024;

/**
 * The engine's one SQLite database, opened by one process only. `synchronous=NORMAL` in WAL mode: a commit survives the death
 * of the engine at once, and a power cut after `durable()`.
 */
export class BerthDatabase {
  readonly sql: Database;
  readonly #walFile: number | null;
  readonly #path: string;
  /** Bytes that the log's file was made long. */
  #reserved = reserve;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param path of the file, or `:memory:` in tests; @param steps of its schema */
  constructor(path: string, steps: readonly Migration[] = migrations) {
    this.sql = open(path);
    this.sql.run('PRAGMA synchronous=NORMAL');
    this.sql.run('PRAGMA foreign_keys=ON');
    this.sql.run('PRAGMA wal_autocheckpoint=0');
    // The checkpoint in a child (checkpoints.ts) takes its locks for microseconds.
    this.sql.run('PRAGMA busy_timeout=1000');
    // Where a storm of writes made the log long, its file is cut when it begins again.
    this.sql.run('PRAGMA journal_size_limit=16777216');
    this.#migrate(steps);
    this.#path = path;
    this.#walFile = path === ':memory:' ? null : openSync(`${path}-wal`, 'r+');
    this.reserve();
  }

  /** Resolves when everything committed before the call is on disk. Callers share one sync (group commit). */
  durable(): Promise<void> {
    if (this.#walFile === null) return Promise.resolve();
    if (!this.#running) {
      this.#running = this.#sync(this.#walFile);
      return this.#running;
    }
    // A sync that already runs may have missed the caller's pages, so it waits for the following one.
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      this.#running = this.#sync(this.#walFile as number);
      return this.#running;
    });
    return this.#next;
  }

  /**
   * Keeps the file of the log longer than the log, so that what must be written finds room however full the disk is, and finds it
   * quickly. Call it every now and then, the log grows. (Only a file that has grown by itself says that the log has come to its end: the
   * index of the log would say more, but whoever opens and closes it in this process takes SQLite's locks on it away.)
   */
  reserve(): void {
    if (this.#walFile === null) return;
    const { size } = fstatSync(this.#walFile);
    const wanted = size > this.#reserved ? size + reserve : reserve;
    if (size >= reserve && size <= this.#reserved) return;
    if (reserveRoom(this.#walFile, wanted)) this.#reserved = wanted;
  }

  /** Before something new is entered. Error: `internal` on a full disk: what is left of it belongs to removals. */
  requireRoom(): void {
    if (this.#walFile === null) return;
    const { bavail, bsize } = statfsSync(this.#path);
    if (bavail * bsize < leastFree) throw new BerthError('internal', `write ${this.#path}: no space left on device`);
  }

  /** Runs `work` in one transaction; an exception rolls back. */
  transaction<T>(work: () => T): T {
    return this.sql.transaction(work)();
  }

  /** A value of the `meta` table, or null. */
  meta(key: string): string | null {
    return this.sql.query<{ value: string }, [string]>('SELECT value FROM meta WHERE key = ?').get(key)?.value ?? null;
  }

  setMeta(key: string, value: string): void {
    this.sql
      .query('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
      .run(key, value);
  }

  /** Rows that were changed since it was opened. */
  changes(): number {
    return this.sql.query<{ count: number }, []>('SELECT total_changes() AS count').get()?.count ?? 0;
  }

  close(): void {
    if (this.#walFile !== null) closeSync(this.#walFile);
    this.sql.close();
  }

  async #sync(file: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(file, (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } finally {
      this.#running = null;
    }
  }

  #migrate(steps: readonly Migration[]): void {
    const version = this.sql.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version ?? 0;
    for (const migration of steps) {
      if (migration.id <= version) continue;
      this.transaction(() => {
        this.sql.run(migration.sql);
        this.sql.run(`PRAGMA user_version = ${migration.id}`);
      });
    }
  }
}

/** Error: `internal` that names the file: nobody makes a new one in the place of one that cannot be read. */
function open(path: string): Database {
  try {
    const database = new Database(path, { create: true, strict: true });
    database.run('PRAGMA journal_mode=WAL');
    return database;
  } catch (error) {
    throw new BerthError('internal', `${path}: ${errorMessage(error)}`, { cause: error });
  }
}
