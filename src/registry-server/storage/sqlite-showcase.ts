/** What pages show, out of the SQLite database of the index. */
import type { BerthDatabase } from '../../store/db/database.ts';
import type { RepositorySummary, Showcase, ShownTag, Slice, StoredManifest, Visibility } from './types.ts';

const tagColumns = `name, digest, pushed, pushed_by AS pushedBy,
  EXISTS (SELECT 1 FROM mirrored m WHERE m.repository = tags.repository AND m.tag = tags.name) AS isMirrored`;
const summaryColumns = `name, description, pulls, pushed, (SELECT count(*) FROM stars s WHERE s.repository = r.id) AS stars`;

export class SqliteShowcase implements Showcase {
  readonly #database: BerthDatabase;

  /** @param database with the schema of `registryMigrations` */
  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  newest(limit: number, visible: Visibility): RepositorySummary[] {
    return this.#first(
      'SELECT name FROM repositories WHERE manifests > 0 ORDER BY pushed DESC, id DESC',
      limit,
      visible,
    );
  }

  mostStarred(limit: number, visible: Visibility): RepositorySummary[] {
    const sql = `SELECT name FROM (SELECT repository, count(*) AS stars FROM stars GROUP BY repository)
      JOIN repositories ON id = repository WHERE manifests > 0 ORDER BY stars DESC, pulls DESC, name`;
    return this.#first(sql, limit, visible);
  }

  /** Read no further than to the last that is shown. */
  #first(sql: string, limit: number, visible: Visibility): RepositorySummary[] {
    const names: string[] = [];
    for (const { name } of this.#database.sql.query<{ name: string }, []>(sql).iterate()) {
      if (visible === null || visible(name)) names.push(name);
      if (names.length === limit) break;
    }
    const summary = `SELECT ${summaryColumns} FROM repositories r WHERE name = ?`;
    return names.flatMap((name) => this.#row<RepositorySummary>(summary, name) ?? []);
  }

  ofNamespace(namespace: string, slice: Slice): { count: number; results: RepositorySummary[] } {
    // The character behind "/" is "0".
    const own = `manifests > 0 AND (name > ?1 || '/' AND name < ?1 || '0' ${namespace === 'library' ? "OR instr(name, '/') = 0" : ''})`;
    const count = this.#row<{ count: number }>(`SELECT count(*) AS count FROM repositories WHERE ${own}`, namespace);
    const sql = `SELECT ${summaryColumns} FROM repositories r WHERE ${own} ORDER BY pushed DESC, name LIMIT ?2 OFFSET ?3`;
    return { count: count?.count ?? 0, results: this.#rows(sql, namespace, slice.limit, slice.offset) };
  }

  isTaken(namespace: string): boolean {
    const sql = `SELECT EXISTS (SELECT 1 FROM repositories WHERE name > ?1 || '/' AND name < ?1 || '0')
      OR EXISTS (SELECT 1 FROM members WHERE namespace = ?1) OR EXISTS (SELECT 1 FROM namespaces WHERE name = ?1) AS taken`;
    return this.#row<{ taken: number }>(sql, namespace)?.taken === 1;
  }

  members(namespace: string): { user: string; role: string }[] {
    return this.#rows('SELECT user, role FROM members WHERE namespace = ? ORDER BY user', namespace);
  }

  repositoryCounts(): Map<string, number> {
    const sql = `SELECT CASE instr(name, '/') WHEN 0 THEN 'library' ELSE substr(name, 1, instr(name, '/') - 1) END AS namespace,
      count(*) AS count FROM repositories WHERE manifests > 0 GROUP BY 1`;
    const rows = this.#rows<{ namespace: string; count: number }>(sql);
    return new Map(rows.map(({ namespace, count }) => [namespace, count]));
  }

  tags(repository: string, term: string, slice: Slice): { count: number; results: ShownTag[] } {
    // Found by the index alone; of what is shown the rest is read.
    const fitting = `FROM tags INDEXED BY tags_by_pushed
      WHERE repository = (SELECT id FROM repositories WHERE name = ?1) AND (?2 = '' OR instr(name, ?2) > 0)`;
    const count = this.#row<{ count: number }>(`SELECT count(*) AS count ${fitting}`, repository, term)?.count ?? 0;
    const found = `SELECT repository, name ${fitting} ORDER BY pushed DESC, name DESC LIMIT ?3 OFFSET ?4`;
    const sql = `SELECT ${tagColumns} FROM tags WHERE (repository, name) IN (${found})
      ORDER BY pushed DESC, name DESC`;
    return { count, results: this.#rows(sql, repository, term, slice.limit, slice.offset) };
  }

  tag(repository: string, name: string): ShownTag | null {
    const sql = `SELECT ${tagColumns} FROM tags
      WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ?`;
    return this.#row(sql, repository, name);
  }

  tagsOf(repository: string, digest: string, most: number): string[] {
    const sql = `SELECT name FROM tags WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ? ORDER BY name LIMIT ?`;
    return this.#rows<{ name: string }>(sql, repository, digest, most).map(({ name }) => name);
  }

  isPart(repository: string, digest: string): boolean {
    const sql =
      'SELECT 1 FROM parts WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ? LIMIT 1';
    return this.#row(sql, repository, digest) !== null;
  }

  manifest(repository: string, digest: string, longest: number): StoredManifest | null {
    const sql = `SELECT m.digest, m.media_type AS mediaType, d.bytes FROM repositories r JOIN manifests m ON m.repository = r.id
      JOIN documents d ON d.digest = m.digest WHERE r.name = ? AND m.digest = ? AND length(d.bytes) <= ?`;
    return this.#row(sql, repository, digest, longest);
  }

  isStarred(repository: string, user: string): boolean {
    const sql = 'SELECT 1 FROM stars WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND user = ?';
    return this.#row(sql, repository, user) !== null;
  }

  #row<Row>(sql: string, ...values: (string | number)[]): Row | null {
    return this.#database.sql.query<Row, (string | number)[]>(sql).get(...values);
  }

  #rows<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.sql.query<Row, (string | number)[]>(sql).all(...values);
  }
}
