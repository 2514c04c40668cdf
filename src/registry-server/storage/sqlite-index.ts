/** The facts about repositories in one SQLite database. */
import type { BerthDatabase } from '../../store/db/database.ts';
import { RegistryProblem } from '../problem.ts';
import type {
  ManifestFacts,
  Page,
  Referrer,
  ReferrersPage,
  RegistryIndex,
  RepositorySummary,
  SearchOrder,
  Slice,
  StoredManifest,
  Visibility,
} from './types.ts';

/** Repositories that a blob without a named source is looked for in. */
const mostSources = 1000;

/** Each of them speaks of the term, as `?2`. */
const searchOrders: Record<SearchOrder, string> = {
  match: '(name = ?2) DESC, stars DESC, pulls DESC',
  stars: 'stars DESC, (name = ?2) DESC',
  pulls: 'pulls DESC, (name = ?2) DESC',
  pushed: 'pushed DESC, (name = ?2) DESC',
};

export class SqliteIndex implements RegistryIndex {
  readonly #database: BerthDatabase;
  readonly #touchInterval: number;
  readonly #pulls = new Map<string, number>();
  readonly #read = new ManifestCache();

  /**
   * @param database with the schema of `registryMigrations`
   * @param touchInterval milliseconds: a look at a blob is noted at most this often, so that looking does not write. Well below the grace.
   */
  constructor(database: BerthDatabase, touchInterval: number) {
    this.#database = database;
    this.#touchInterval = touchInterval;
  }

  async openUpload(id: string, repository: string): Promise<void> {
    this.#database.transaction(() => {
      this.#run('INSERT INTO uploads VALUES (?, ?, ?)', id, this.#repositoryId(repository), Date.now());
    });
  }

  async uploadRepository(id: string): Promise<string | null> {
    const sql = 'SELECT r.name FROM uploads u JOIN repositories r ON r.id = u.repository WHERE u.id = ?';
    return this.#row<{ name: string }>(sql, id)?.name ?? null;
  }

  async closeUpload(id: string): Promise<void> {
    this.#run('DELETE FROM uploads WHERE id = ?', id);
  }

  async openUploads(before: number): Promise<string[]> {
    return this.#rows<{ id: string }>('SELECT id FROM uploads WHERE started < ?', before).map(({ id }) => id);
  }

  async linkBlob(repository: string, digest: string, size: number): Promise<void> {
    this.#database.transaction(() => {
      this.#run(
        `INSERT INTO blobs VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET touched = excluded.touched`,
        this.#repositoryId(repository),
        digest,
        size,
        Date.now(),
      );
    });
    await this.#database.durable();
  }

  async blob(repository: string, digest: string): Promise<number | null> {
    const row = this.#row<{ repository: number; size: number; touched: number }>(
      'SELECT b.* FROM blobs b JOIN repositories r ON r.id = b.repository WHERE r.name = ? AND b.digest = ?',
      repository,
      digest,
    );
    if (!row) return null;
    const now = Date.now();
    if (row.touched < now - this.#touchInterval)
      this.#run('UPDATE blobs SET touched = ? WHERE repository = ? AND digest = ?', now, row.repository, digest);
    return row.size;
  }

  async findBlob(digest: string, visible: Visibility): Promise<string | null> {
    const rows = this.#rows<{ name: string }>(
      `SELECT r.name FROM blobs b JOIN repositories r ON r.id = b.repository WHERE b.digest = ? LIMIT ${mostSources}`,
      digest,
    );
    return rows.find(({ name }) => visible === null || visible(name))?.name ?? null;
  }

  async unlinkBlob(repository: string, digest: string): Promise<boolean> {
    const sql = 'DELETE FROM blobs WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ?';
    const isGone = this.#run(sql, repository, digest) > 0;
    if (isGone) await this.#database.durable();
    return isGone;
  }

  async putManifest(
    repository: string,
    manifest: StoredManifest,
    options: { tag: string | null; facts: ManifestFacts; mayBeSparse: boolean; by?: string | null },
  ): Promise<void> {
    const { tag, facts, by = null } = options;
    const now = Date.now();
    this.#database.transaction(() => {
      const id = this.#repositoryId(repository);
      if (!options.mayBeSparse) this.#checkParts(id, facts);
      const { digest, mediaType, bytes } = manifest;
      this.#run('INSERT INTO documents VALUES (?, ?) ON CONFLICT DO NOTHING', digest, bytes);
      const annotations = facts.annotations && JSON.stringify(facts.annotations);
      const isNew = this.#run(
        'INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        id,
        digest,
        mediaType,
        facts.subject,
        facts.artifactType,
        annotations,
      );
      this.#run('UPDATE repositories SET pushed = ? WHERE id = ?', now, id);
      if (isNew > 0) {
        this.#run('UPDATE repositories SET manifests = manifests + 1 WHERE id = ?', id);
        for (const part of new Set([...facts.blobs, ...facts.manifests]))
          this.#run('INSERT INTO parts VALUES (?, ?, ?)', id, digest, part);
      } else
        this.#run('UPDATE manifests SET media_type = ? WHERE repository = ? AND digest = ?', mediaType, id, digest);
      if (tag !== null) {
        // Whoever pushes a tag owns it; the mirror says so again when it was the mirror.
        this.#run('DELETE FROM mirrored WHERE repository = ? AND tag = ?', id, tag);
        this.#run(
          `INSERT INTO tags (repository, name, digest, pushed, pushed_by) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed = excluded.pushed, pushed_by = excluded.pushed_by`,
          id,
          tag,
          digest,
          now,
          by,
        );
      }
    });
    this.#read.forget(repository);
    await this.#database.durable();
  }

  #checkParts(id: number, facts: ManifestFacts): void {
    const has = (table: 'blobs' | 'manifests', digest: string): boolean =>
      this.#row(`SELECT 1 FROM ${table} WHERE repository = ? AND digest = ?`, id, digest) !== null;
    const missing =
      facts.blobs.find((digest) => !has('blobs', digest)) ??
      facts.manifests.find((digest) => !has('manifests', digest));
    if (missing !== undefined) throw new RegistryProblem('MANIFEST_BLOB_UNKNOWN', { detail: { digest: missing } });
  }

  async manifest(repository: string, tagOrDigest: string): Promise<StoredManifest | null> {
    const known = this.#read.get(repository, tagOrDigest);
    if (known) return known;
    const lookup = tagOrDigest.includes(':')
      ? 'm.digest = ?2'
      : 'm.digest = (SELECT digest FROM tags WHERE repository = r.id AND name = ?2)';
    const manifest = this.#row<StoredManifest>(
      `SELECT m.digest, m.media_type AS mediaType, d.bytes FROM repositories r JOIN manifests m ON m.repository = r.id
       JOIN documents d ON d.digest = m.digest WHERE r.name = ?1 AND ${lookup}`,
      repository,
      tagOrDigest,
    );
    if (manifest) this.#read.add(repository, tagOrDigest, manifest);
    return manifest;
  }

  async deleteManifest(repository: string, digest: string): Promise<boolean> {
    const isGone = this.#database.transaction(() => {
      const id = this.#knownId(repository);
      if (id === null || this.#run('DELETE FROM manifests WHERE repository = ? AND digest = ?', id, digest) === 0)
        return false;
      this.#run('UPDATE repositories SET manifests = manifests - 1 WHERE id = ?', id);
      this.#forgetDocument(digest);
      return true;
    });
    this.#read.forget(repository);
    if (isGone) await this.#database.durable();
    return isGone;
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    const sql = 'DELETE FROM tags WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ?';
    const isGone = this.#run(sql, repository, tag) > 0;
    this.#read.forget(repository);
    if (isGone) await this.#database.durable();
    return isGone;
  }

  /** A few at a time: others are answered in between. A crash leaves what was not taken yet. */
  async deleteRepository(repository: string): Promise<boolean> {
    const id = this.#knownId(repository);
    if (id === null) return false;
    while (this.#deleteSomeManifests(id)) {
      this.#read.forget(repository);
      await this.#database.durable();
    }
    this.#database.transaction(() => {
      for (const table of ['stars', 'readmes']) this.#run(`DELETE FROM ${table} WHERE repository = ?`, id);
      this.#run(`UPDATE repositories SET description = '', pulls = 0, pushed = 0 WHERE id = ?`, id);
    });
    this.#pulls.delete(repository);
    await this.#database.durable();
    return true;
  }

  #deleteSomeManifests(id: number): boolean {
    return this.#database.transaction(() => {
      const rows = this.#rows<{ digest: string }>('SELECT digest FROM manifests WHERE repository = ? LIMIT 200', id);
      for (const { digest } of rows) {
        this.#run('DELETE FROM manifests WHERE repository = ? AND digest = ?', id, digest);
        this.#forgetDocument(digest);
      }
      this.#run('UPDATE repositories SET manifests = manifests - ? WHERE id = ?', rows.length, id);
      return rows.length > 0;
    });
  }

  /** The bytes of a manifest, unless some repository has it. */
  #forgetDocument(digest: string): void {
    const sql = 'DELETE FROM documents WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM manifests WHERE digest = ?1)';
    this.#run(sql, digest);
  }

  async isMirrored(repository: string, tag: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM mirrored WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND tag = ?';
    return this.#row(sql, repository, tag) !== null;
  }

  async markMirrored(repository: string, tag: string): Promise<void> {
    const id = this.#knownId(repository);
    if (id !== null) this.#run('INSERT INTO mirrored VALUES (?, ?) ON CONFLICT DO NOTHING', id, tag);
    await this.#database.durable();
  }

  async tags(repository: string, page: Page): Promise<string[] | null> {
    const id = this.#knownId(repository);
    if (id === null) return null;
    const sql = 'SELECT name FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?';
    return this.#rows<{ name: string }>(sql, id, page.last, page.limit).map(({ name }) => name);
  }

  async repositories(page: Page, visible: Visibility): Promise<string[]> {
    const found: string[] = [];
    let last = page.last;
    while (found.length < page.limit) {
      const sql = 'SELECT name FROM repositories WHERE manifests > 0 AND name > ? ORDER BY name LIMIT ?';
      const rows = this.#rows<{ name: string }>(sql, last, Math.max(page.limit, 1000));
      for (const { name } of rows) if (found.length < page.limit && (!visible || visible(name))) found.push(name);
      if (rows.length < Math.max(page.limit, 1000)) break;
      last = (rows.at(-1) as { name: string }).name;
    }
    return found;
  }

  async referrers(repository: string, of: ReferrersPage): Promise<{ referrers: Referrer[]; hasMore: boolean }> {
    const rows = this.#database.sql
      .query<Omit<Referrer, 'annotations'> & { annotations: string | null }, Value[]>(
        `SELECT m.media_type AS mediaType, m.digest, length(d.bytes) AS size, m.artifact_type AS artifactType, m.annotations
         FROM repositories r JOIN manifests m ON m.repository = r.id JOIN documents d ON d.digest = m.digest
         WHERE r.name = ?1 AND m.subject = ?2 AND m.digest > ?3 AND (?4 = '' OR m.artifact_type = ?4) ORDER BY m.digest`,
      )
      .iterate(repository, of.subject, of.last, of.artifactType);
    const referrers: Referrer[] = [];
    let bytes = 0;
    // Strangers choose how long their annotations are: no row is read that would not be shown.
    for (const { annotations, ...row } of rows) {
      bytes += row.mediaType.length + row.digest.length + row.artifactType.length + (annotations?.length ?? 0) + 64;
      if (bytes > of.mostBytes && referrers.length > 0) return { referrers, hasMore: true };
      referrers.push({ ...row, annotations: annotations === null ? null : JSON.parse(annotations) });
    }
    return { referrers, hasMore: false };
  }

  async search(
    term: string,
    page: Slice & { order?: SearchOrder },
    visible: Visibility,
  ): Promise<{ count: number; results: RepositorySummary[] }> {
    const pattern = `%${term.replace(/[\\%_]/g, '\\$&')}%`;
    const found = `FROM repositories r LEFT JOIN (SELECT repository, count(*) AS stars FROM stars GROUP BY repository) s ON s.repository = r.id
      WHERE manifests > 0 AND (name LIKE ?1 ESCAPE '\\' OR description LIKE ?1 ESCAPE '\\')`;
    const order = `ORDER BY ${searchOrders[page.order ?? 'match']}, name`;
    if (visible === null) {
      const count = this.#row<{ count: number }>(`SELECT count(*) AS count ${found}`, pattern)?.count ?? 0;
      const sql = `SELECT name, description, pulls, pushed, coalesce(stars, 0) AS stars ${found} ${order} LIMIT ?3 OFFSET ?4`;
      return { count, results: this.#rows<RepositorySummary>(sql, pattern, term, page.limit, page.offset) };
    }
    // Of thousands that fit, a page is read whole.
    const names = this.#rows<{ name: string }>(`SELECT name ${found} ${order}`, pattern, term);
    const seen = names.filter(({ name }) => visible(name));
    const shown = seen.slice(page.offset, page.offset + page.limit);
    return { count: seen.length, results: shown.flatMap(({ name }) => this.#summary(name) ?? []) };
  }

  async summary(repository: string): Promise<RepositorySummary | null> {
    return this.#summary(repository);
  }

  #summary(repository: string): RepositorySummary | null {
    const row = this.#row<RepositorySummary>(
      `SELECT name, description, pulls, pushed, (SELECT count(*) FROM stars s WHERE s.repository = r.id) AS stars FROM repositories r
       WHERE manifests > 0 AND name = ?`,
      repository,
    );
    return row && { ...row, pulls: row.pulls + (this.#pulls.get(repository) ?? 0) };
  }

  async describe(repository: string, description: string): Promise<boolean> {
    const isKnown = this.#run('UPDATE repositories SET description = ? WHERE name = ?', description, repository) > 0;
    if (isKnown) await this.#database.durable();
    return isKnown;
  }

  async readme(repository: string): Promise<string> {
    const sql = 'SELECT text FROM readmes WHERE repository = (SELECT id FROM repositories WHERE name = ?)';
    return this.#row<{ text: string }>(sql, repository)?.text ?? '';
  }

  async setReadme(repository: string, text: string): Promise<boolean> {
    const id = this.#knownId(repository);
    if (id === null) return false;
    this.#run('INSERT INTO readmes VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text', id, text);
    await this.#database.durable();
    return true;
  }

  async star(repository: string, user: string, starred: boolean): Promise<boolean> {
    const id = this.#knownId(repository);
    if (id === null) return false;
    if (starred) this.#run('INSERT INTO stars VALUES (?, ?) ON CONFLICT DO NOTHING', id, user);
    else this.#run('DELETE FROM stars WHERE repository = ? AND user = ?', id, user);
    await this.#database.durable();
    return true;
  }

  /** Collected in memory and written by the collector: a pull that is not counted after a crash is no loss. */
  countPull(repository: string): void {
    this.#pulls.set(repository, (this.#pulls.get(repository) ?? 0) + 1);
  }

  async collectLinks(before: number): Promise<string[]> {
    this.#writePulls();
    return this.#database.transaction(() => {
      // While somebody pushes into a repository, what was touched since that push began is taken as part of it.
      const rows = this.#rows<{ repository: number; digest: string }>(
        `SELECT b.repository, b.digest FROM blobs b
         WHERE b.touched < min(?1, coalesce((SELECT min(u.started) FROM uploads u WHERE u.repository = b.repository), ?1))
         AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.repository = b.repository AND p.digest = b.digest)`,
        before,
      );
      for (const { repository, digest } of rows)
        this.#run('DELETE FROM blobs WHERE repository = ? AND digest = ?', repository, digest);
      this.#run(
        // Uploads have an `id` of their own.
        `DELETE FROM repositories AS r WHERE manifests = 0 AND description = '' AND NOT EXISTS (SELECT 1 FROM blobs WHERE repository = r.id)
         AND NOT EXISTS (SELECT 1 FROM uploads WHERE repository = r.id) AND NOT EXISTS (SELECT 1 FROM stars WHERE repository = r.id)`,
      );
      return [...new Set(rows.map(({ digest }) => digest))];
    });
  }

  async isUnused(digest: string): Promise<boolean> {
    return this.#row('SELECT 1 FROM blobs WHERE digest = ? LIMIT 1', digest) === null;
  }

  #writePulls(): void {
    this.#database.transaction(() => {
      for (const [name, count] of this.#pulls)
        this.#run('UPDATE repositories SET pulls = pulls + ? WHERE name = ?', count, name);
    });
    this.#pulls.clear();
  }

  /** Made where it is missing. */
  #repositoryId(name: string): number {
    this.#run('INSERT INTO repositories (name) VALUES (?) ON CONFLICT DO NOTHING', name);
    return this.#knownId(name) as number;
  }

  #knownId(name: string): number | null {
    return this.#row<{ id: number }>('SELECT id FROM repositories WHERE name = ?', name)?.id ?? null;
  }

  #row<Row>(sql: string, ...values: Value[]): Row | null {
    return this.#database.sql.query<Row, Value[]>(sql).get(...values);
  }

  #rows<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#database.sql.query<Row, Value[]>(sql).all(...values);
  }

  /** Gives the number of rows that changed. */
  #run(sql: string, ...values: Value[]): number {
    return this.#database.sql.query<unknown, Value[]>(sql).run(...values).changes;
  }
}

/** Bytes of manifests in memory; beyond that all are forgotten. */
const mostCached = 4 * 1024 * 1024;

/**
 * Manifests as they were read. Nobody else changes them: a registry has its directory for itself, and whatever writes into a repository
 * forgets what was read of it.
 */
class ManifestCache {
  readonly #repositories = new Map<string, Map<string, StoredManifest>>();
  #bytes = 0;

  get(repository: string, tagOrDigest: string): StoredManifest | undefined {
    return this.#repositories.get(repository)?.get(tagOrDigest);
  }

  add(repository: string, tagOrDigest: string, manifest: StoredManifest): void {
    // The names count too: a manifest may be small.
    this.#bytes += manifest.bytes.length + 1024;
    if (this.#bytes > mostCached) {
      this.#repositories.clear();
      this.#bytes = manifest.bytes.length + 1024;
    }
    const known = this.#repositories.get(repository);
    if (known) known.set(tagOrDigest, manifest);
    else this.#repositories.set(repository, new Map([[tagOrDigest, manifest]]));
  }

  forget(repository: string): void {
    this.#repositories.delete(repository);
  }
}

type Value = string | number | null | Uint8Array;
