import { type ImageConfigDocument, parseImageConfig } from '../../oci/image-config.ts';
import type { BerthDatabase } from '../db/database.ts';
import type { Document, NewTarget, StoredImage, StoredTarget } from '../types.ts';

interface ImageRow {
  id: string;
  manifest: string | null;
  size: number;
  parent: string | null;
  created: number;
  last_tagged: number | null;
  hidden: number;
}

/** Parsed configs that are kept; they never change, because their digest is their name. */
const cachedConfigs = 512;

/** Rows of images, references and documents. Every query is indexed and synchronous. */
export class ImageRecords {
  readonly #database: BerthDatabase;
  readonly #configs = new Map<string, { config: ImageConfigDocument; bytes: Uint8Array }>();

  /** Grows with every change of images and references: what was looked up before may be kept while it stays the same. */
  generation = 0;

  constructor(database: BerthDatabase) {
    this.#database = database;
  }

  get(id: string): StoredImage | null {
    const row = this.#database.sql.query<ImageRow, [string]>('SELECT * FROM images WHERE id = ?').get(id);
    return row ? this.#image(row) : null;
  }

  /** All images, hidden ones included, the newest first. */
  all(): StoredImage[] {
    return this.#database.sql
      .query<ImageRow, []>('SELECT * FROM images ORDER BY created DESC, id')
      .all()
      .map((row) => this.#image(row));
  }

  /** Ids of visible images that begin with these hex digits, at most two. */
  idsByPrefix(hex: string): string[] {
    return this.#database.sql
      .query<{ id: string }, [string, string]>('SELECT id FROM images WHERE id >= ? AND id < ? AND hidden = 0 LIMIT 2')
      .all(`sha256:${hex}`, `sha256:${hex}g`)
      .map((row) => row.id);
  }

  reference(canonical: string): string | null {
    return (
      this.#database.sql.query<{ image: string }, [string]>('SELECT image FROM tags WHERE name = ?').get(canonical)
        ?.image ??
      this.#byTarget(canonical)?.image ??
      null
    );
  }

  /** What a tag stands for outside of the engine; null: the image alone. */
  target(canonical: string): StoredTarget | null {
    const tag = this.#database.sql
      .query<{ target: string | null }, [string]>('SELECT target FROM tags WHERE name = ?')
      .get(canonical);
    const digest = tag?.target ?? this.#byTarget(canonical)?.target;
    return digest ? this.targetOf(digest) : null;
  }

  /** Digest of a tag's target, where the references that come with the image say that it still is what the tag stands for; null otherwise. */
  unmovedTarget(tag: string, image: string, references: readonly string[]): string | null {
    if (tag.includes('@')) return null;
    const target = this.target(tag);
    return target?.image === image && references.includes(`${repositoryOf(tag)}@${target.digest}`)
      ? target.digest
      : null;
  }

  /** A target by its digest, or null. */
  targetOf(digest: string): StoredTarget | null {
    const row = this.#database.sql
      .query<{ image: string }, [string]>('SELECT image FROM targets WHERE digest = ?')
      .get(digest);
    if (!row) return null;
    const documents = this.#database.sql
      .query<{ digest: string }, [string]>('SELECT digest FROM target_documents WHERE target = ?')
      .all(digest)
      .map((document) => document.digest);
    return { digest, image: row.image, documents };
  }

  /** The tag of `repository@digest` whose target has that digest. */
  #byTarget(canonical: string): { image: string; target: string } | undefined {
    const [repository, digest] = canonical.split('@');
    if (digest === undefined) return undefined;
    return this.#database.sql
      .query<{ name: string; image: string; target: string }, [string]>(
        'SELECT name, image, target FROM tags WHERE target = ?',
      )
      .all(digest)
      .find(({ name }) => repositoryOf(name) === repository);
  }

  /** Tags (no digests) of a repository, given by its full name. */
  tagsOf(repository: string): { name: string; image: string }[] {
    return this.#database.sql
      .query<{ name: string; image: string }, [string, string]>(
        'SELECT name, image FROM tags WHERE name >= ? AND name < ? ORDER BY name',
      )
      .all(`${repository}:`, `${repository};`);
  }

  document(digest: string): Document | null {
    const row = this.#database.sql
      .query<{ media_type: string; bytes: Uint8Array }, [string]>(
        'SELECT media_type, bytes FROM documents WHERE digest = ?',
      )
      .get(digest);
    return row ? { digest, mediaType: row.media_type, bytes: row.bytes } : null;
  }

  /** True where a removed image is still kept for a container. */
  hasHidden(): boolean {
    return this.#database.sql.query('SELECT 1 FROM images WHERE hidden = 1 LIMIT 1').get() !== null;
  }

  /** Ids of images made from this one here. */
  children(id: string): string[] {
    return this.#database.sql
      .query<{ id: string }, [string]>('SELECT id FROM images WHERE parent = ? AND hidden = 0')
      .all(id)
      .map((row) => row.id);
  }

  putDocument(document: Document): void {
    this.#database.sql
      .query('INSERT INTO documents (digest, media_type, bytes) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING')
      .run(document.digest, document.mediaType, document.bytes);
  }

  /** Makes or completes an image's row; true where it is new (or was hidden). */
  putImage(image: {
    id: string;
    manifest: string | null;
    size: number;
    parent: string | null;
    layers: string[];
    documents: string[];
  }): boolean {
    this.generation++;
    const before = this.#database.sql
      .query<{ hidden: number }, [string]>('SELECT hidden FROM images WHERE id = ?')
      .get(image.id);
    this.#database.sql
      .query(
        `INSERT INTO images (id, manifest, size, parent, created) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET manifest = coalesce(excluded.manifest, manifest), parent = coalesce(parent, excluded.parent), hidden = 0`,
      )
      .run(image.id, image.manifest, image.size, image.parent, Date.now());
    const layer = this.#database.sql.query(
      'INSERT INTO image_layers (image, position, diff_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    for (const [position, diffId] of image.layers.entries()) layer.run(image.id, position, diffId);
    const document = this.#database.sql.query(
      'INSERT INTO image_documents (image, digest) VALUES (?, ?) ON CONFLICT DO NOTHING',
    );
    for (const digest of image.documents) document.run(image.id, digest);
    return before === null || before.hidden === 1;
  }

  /** Writes down what a target consists of; its documents and layers have rows already. */
  putTarget(image: string, { digest, documents, layers }: NewTarget): void {
    const { sql } = this.#database;
    sql
      .query(
        'INSERT INTO targets (digest, image) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET image = excluded.image',
      )
      .run(digest, image);
    const document = sql.query('INSERT INTO target_documents (target, digest) VALUES (?, ?) ON CONFLICT DO NOTHING');
    for (const one of documents) document.run(digest, one.digest);
    const layer = sql.query('INSERT INTO target_layers (target, diff_id) VALUES (?, ?) ON CONFLICT DO NOTHING');
    for (const diffId of layers) layer.run(digest, diffId);
  }

  /** Points a reference at an image; gives the image it named before. */
  setReference(canonical: string, id: string, target: string | null = null): string | null {
    const row = this.#database.sql
      .query<{ image: string; target: string | null }, [string]>('SELECT image, target FROM tags WHERE name = ?')
      .get(canonical);
    const before = row?.image ?? null;
    if (before === id && row?.target === target) return before;
    this.generation++;
    this.#database.sql
      .query(
        'INSERT INTO tags (name, image, created, target) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image, created = excluded.created, target = excluded.target',
      )
      .run(canonical, id, Date.now(), target);
    this.#database.sql.query('UPDATE images SET last_tagged = ? WHERE id = ?').run(Date.now(), id);
    return before;
  }

  /** Takes a name away. Tags whose target has this repository digest stand for the image alone from then on. */
  removeReference(canonical: string): void {
    this.generation++;
    this.#database.sql.query('DELETE FROM tags WHERE name = ?').run(canonical);
    const [repository, digest] = canonical.split('@');
    if (digest === undefined) return;
    const tags = this.#database.sql
      .query<{ name: string }, [string]>('SELECT name FROM tags WHERE target = ?')
      .all(digest);
    const forget = this.#database.sql.query('UPDATE tags SET target = NULL WHERE name = ?');
    for (const { name } of tags) if (repositoryOf(name) === repository) forget.run(name);
  }

  removeImage(id: string): void {
    this.generation++;
    this.#database.sql.query('DELETE FROM tags WHERE image = ?').run(id);
    this.#database.sql.query('DELETE FROM images WHERE id = ?').run(id);
    this.#configs.delete(id);
  }

  hideImage(id: string): void {
    this.generation++;
    this.#database.sql.query('DELETE FROM tags WHERE image = ?').run(id);
    this.#database.sql.query('UPDATE images SET hidden = 1 WHERE id = ?').run(id);
  }

  /** Removes targets that no name has any more, and documents that no image and no target needs. */
  forgetDocuments(isNeeded: (digest: string) => boolean): void {
    const targets = this.#database.sql
      .query<{ digest: string }, []>(
        'SELECT digest FROM targets WHERE digest NOT IN (SELECT target FROM tags WHERE target IS NOT NULL)',
      )
      .all();
    const removeTarget = this.#database.sql.query('DELETE FROM targets WHERE digest = ?');
    for (const { digest } of targets) if (!isNeeded(digest)) removeTarget.run(digest);
    const loose = this.#database.sql
      .query<{ digest: string }, []>(
        `SELECT digest FROM documents WHERE digest NOT IN (SELECT digest FROM image_documents) AND digest NOT IN (SELECT id FROM images)
         AND digest NOT IN (SELECT digest FROM target_documents)`,
      )
      .all();
    const remove = this.#database.sql.query('DELETE FROM documents WHERE digest = ?');
    for (const { digest } of loose) if (!isNeeded(digest)) remove.run(digest);
  }

  #image(row: ImageRow): StoredImage {
    const { config, bytes } = this.#config(row.id);
    return {
      id: row.id,
      config,
      configBytes: bytes,
      manifest: row.manifest,
      parent: row.parent,
      size: row.size,
      created: row.created,
      lastTagged: row.last_tagged,
      hidden: row.hidden === 1,
      references: this.#references(row.id),
      layers: config.rootfs.diff_ids,
    };
  }

  /** Tags and repository digests; a target's is one too, wherever it is. */
  #references(id: string): string[] {
    const tags = this.#database.sql
      .query<{ name: string; target: string | null }, [string]>(
        'SELECT name, target FROM tags WHERE image = ? ORDER BY name',
      )
      .all(id);
    const names = tags.map(({ name }) => name);
    if (tags.every(({ target }) => target === null)) return names;
    const digests = tags.flatMap(({ name, target }) => (target === null ? [] : [`${repositoryOf(name)}@${target}`]));
    return [...new Set([...names, ...digests])].sort();
  }

  #config(id: string): { config: ImageConfigDocument; bytes: Uint8Array } {
    const cached = this.#configs.get(id);
    if (cached) return cached;
    const bytes = (this.document(id) as Document).bytes;
    const entry = { config: parseImageConfig(bytes), bytes };
    if (this.#configs.size >= cachedConfigs) this.#configs.delete(this.#configs.keys().next().value as string);
    this.#configs.set(id, entry);
    return entry;
  }
}

/** `domain/path` of `domain/path:tag`. */
function repositoryOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}
