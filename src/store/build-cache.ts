/** The tables of the build cache: steps' results, what steps were made of, and digests of what they looked at. */
import type { BerthDatabase } from './db/database.ts';

export interface CachedStep {
  key: string;
  /** What its runner wrote down. */
  result: string;
  /** Layer that it made; null: none. */
  diffId: string | null;
  description: string;
  /** Unix milliseconds. */
  created: number;
  used: number;
  uses: number;
  /** Bytes of the layer. */
  size: number;
  /** An image has the layer too: removing the row frees nothing. */
  shared: boolean;
}

interface StepRow {
  key: string;
  result: string;
  diff_id: string | null;
  description: string;
  created: number;
  used: number;
  uses: number;
  size: number | null;
  shared: number;
}

/** Places whose parts are kept; beyond that the ones that were used longest ago go. */
const keptParts = 5000;
const keptContents = 20_000;

export class BuildCacheTables {
  readonly #database: BerthDatabase;

  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  find(key: string): { result: string; created: number } | null {
    return this.#database.sql
      .query<{ result: string; created: number }, [string]>('SELECT result, created FROM build_cache WHERE key = ?')
      .get(key);
  }

  /** Call inside a transaction; the layer's row is there already. */
  put(step: Pick<CachedStep, 'key' | 'result' | 'diffId' | 'description' | 'created'>): void {
    this.#database.sql
      .query(
        `INSERT INTO build_cache (key, result, diff_id, description, created, used, uses) VALUES (?, ?, ?, ?, ?, ?, 0)
         ON CONFLICT (key) DO UPDATE SET result = excluded.result, diff_id = excluded.diff_id, created = excluded.created,
         used = excluded.used`,
      )
      .run(step.key, step.result, step.diffId, step.description, step.created, Date.now());
  }

  /** Steps that a build has just found. */
  touch(keys: Iterable<string>): void {
    const update = this.#database.sql.query('UPDATE build_cache SET used = ?, uses = uses + 1 WHERE key = ?');
    const now = Date.now();
    for (const key of keys) update.run(now, key);
  }

  remove(keys: Iterable<string>): void {
    const remove = this.#database.sql.query('DELETE FROM build_cache WHERE key = ?');
    for (const key of keys) remove.run(key);
  }

  /** All steps, those that were used longest ago first. */
  all(): CachedStep[] {
    return this.#database.sql
      .query<StepRow, []>(
        `SELECT b.*, l.size AS size, EXISTS (SELECT 1 FROM image_layers i WHERE i.diff_id = b.diff_id) AS shared
         FROM build_cache b LEFT JOIN layers l ON l.diff_id = b.diff_id ORDER BY b.used`,
      )
      .all()
      .map(({ diff_id, size, shared, ...row }) => ({ ...row, diffId: diff_id, size: size ?? 0, shared: shared === 1 }));
  }

  /** Bytes of the layers that nobody else has. */
  size(): number {
    const row = this.#database.sql
      .query<{ size: number | null }, []>(
        `SELECT sum(size) AS size FROM layers WHERE diff_id IN (SELECT diff_id FROM build_cache)
         AND diff_id NOT IN (SELECT diff_id FROM image_layers)`,
      )
      .get();
    return row?.size ?? 0;
  }

  parts(slot: string): Map<string, string> | null {
    const row = this.#database.sql
      .query<{ parts: string }, [string]>('SELECT parts FROM build_parts WHERE slot = ?')
      .get(slot);
    if (!row) return null;
    return new Map(JSON.parse(row.parts) as [string, string][]);
  }

  putParts(slot: string, parts: ReadonlyMap<string, string>): void {
    this.#database.sql
      .query('INSERT OR REPLACE INTO build_parts VALUES (?, ?, ?)')
      .run(slot, JSON.stringify([...parts]), Date.now());
  }

  contents(question: string): string | null {
    return (
      this.#database.sql
        .query<{ digest: string }, [string]>('SELECT digest FROM build_contents WHERE question = ?')
        .get(question)?.digest ?? null
    );
  }

  putContents(question: string, digest: string): void {
    this.#database.sql
      .query('INSERT OR REPLACE INTO build_contents VALUES (?, ?, ?)')
      .run(question, digest, Date.now());
  }

  /** Keeps the small tables small. */
  trim(): void {
    for (const [table, kept] of [
      ['build_parts', keptParts],
      ['build_contents', keptContents],
    ] as const)
      this.#database.sql.run(
        `DELETE FROM ${table} WHERE used < (SELECT used FROM ${table} ORDER BY used DESC LIMIT 1 OFFSET ${kept})`,
      );
  }
}
