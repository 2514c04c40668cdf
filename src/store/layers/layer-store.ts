import { readdir, rename } from 'node:fs/promises';
import type { UnpackedLayer } from '../../archive/layer-unpacker.ts';
import { keptBlob } from '../../archive/layer-unpacker.ts';
import type { BerthDatabase } from '../db/database.ts';
import type { Paths } from '../paths.ts';
import type { StoredLayer } from '../types.ts';

interface LayerRow {
  diff_id: string;
  directory: number;
  size: number;
  tar_size: number;
}

interface BlobRow {
  digest: string;
  kept: number;
}

/** A layer in its place, but not yet known to be on disk: it is in no database until an image needs it. */
interface PendingLayer extends LayerRow {
  blob: { digest: string; size: number; kept: boolean } | null;
}

/**
 * Unpacked layers below `layers/`. A layer gets its place by rename at once and its row in the database only together with the first
 * image that has it, after a sync: a row never speaks of bytes that a power cut could take.
 */
export class LayerStore {
  readonly #paths: Paths;
  readonly #database: BerthDatabase;
  readonly #pending = new Map<string, PendingLayer>();
  readonly #placing = new Map<string, Promise<void>>();
  #nextDirectory: number;

  constructor(paths: Paths, database: BerthDatabase) {
    this.#paths = paths;
    this.#database = database;
    const row = database.sql.query<{ last: number | null }, []>('SELECT max(directory) AS last FROM layers').get();
    this.#nextDirectory = (row?.last ?? 0) + 1;
  }

  /** The layer of this diff id, or null. */
  get(diffId: string): StoredLayer | null {
    const pending = this.#pending.get(diffId);
    if (pending) return this.#stored(pending, pending.blob?.digest ?? null, pending.blob?.kept ?? false);
    const row = this.#database.sql
      .query<LayerRow, [string]>('SELECT diff_id, directory, size, tar_size FROM layers WHERE diff_id = ?')
      .get(diffId);
    if (!row) return null;
    const blob = this.#database.sql
      .query<BlobRow, [string]>('SELECT digest, kept FROM blobs WHERE diff_id = ? ORDER BY kept DESC LIMIT 1')
      .get(diffId);
    return this.#stored(row, blob?.digest ?? null, blob?.kept === 1);
  }

  /** Bytes of all layers, unpacked, each counted once. */
  totalSize(): number {
    const row = this.#database.sql.query<{ total: number | null }, []>('SELECT sum(size) AS total FROM layers').get();
    return row?.total ?? 0;
  }

  /** The layer that came from the packed bytes of this digest, or null. */
  ofBlob(digest: string): StoredLayer | null {
    for (const pending of this.#pending.values()) if (pending.blob?.digest === digest) return this.get(pending.diff_id);
    const row = this.#database.sql
      .query<{ diff_id: string }, [string]>('SELECT diff_id FROM blobs WHERE digest = ?')
      .get(digest);
    return row ? this.get(row.diff_id) : null;
  }

  /** `layers/<n>` of a stored layer. */
  directoryOf(diffId: string): string | null {
    const number = this.#pending.get(diffId)?.directory ?? this.#row(diffId)?.directory;
    return number === undefined ? null : this.#paths.layer(number);
  }

  /** Every digest, packed or plain, of a layer that is here → its diff id. */
  known(): Map<string, string> {
    const known = new Map<string, string>();
    for (const { diff_id } of this.#database.sql.query<{ diff_id: string }, []>('SELECT diff_id FROM layers').all())
      known.set(diff_id, diff_id);
    for (const { digest, diff_id } of this.#database.sql
      .query<{ digest: string; diff_id: string }, []>('SELECT digest, diff_id FROM blobs')
      .all())
      known.set(digest, diff_id);
    return known;
  }

  /** True when the packed bytes of this digest are in `blobs/`. */
  isBlobKept(digest: string): boolean {
    for (const pending of this.#pending.values()) if (pending.blob?.digest === digest && pending.blob.kept) return true;
    return (
      this.#database.sql
        .query<BlobRow, [string]>('SELECT digest, kept FROM blobs WHERE digest = ? AND kept = 1')
        .get(digest) !== null
    );
  }

  /**
   * Gives a freshly unpacked layer its place. Where another came first, the fresh one stays where it is, for its lease to remove.
   * @param blobFile packed bytes to keep, when they are not where the unpacking left them
   */
  async adopt(layer: UnpackedLayer, blobFile: string | null = null): Promise<StoredLayer> {
    const present = this.get(layer.diffId);
    if (present) return present;
    const directory = this.#nextDirectory++;
    const file = blobFile ?? (layer.blobKept ? keptBlob(layer.directory) : null);
    const pending: PendingLayer = {
      diff_id: layer.diffId,
      directory,
      size: layer.size,
      tar_size: layer.tarSize,
      blob: layer.packing === 'none' ? null : { digest: layer.digest, size: layer.length, kept: file !== null },
    };
    // Known before the first await: nobody else adopts the same layer meanwhile.
    this.#pending.set(layer.diffId, pending);
    const placing = this.#place(layer, pending, file);
    this.#placing.set(layer.diffId, placing);
    await placing;
    return this.get(layer.diffId) as StoredLayer;
  }

  /** Resolves when layers that are on their way to their places have arrived; rejects where one did not. */
  async placed(diffIds: readonly string[]): Promise<void> {
    await Promise.all(diffIds.map((diffId) => this.#placing.get(diffId)));
  }

  /** True where a layer of these is not on disk for certain: sync before `record`. */
  needSync(diffIds: readonly string[]): boolean {
    return diffIds.some((diffId) => this.#pending.has(diffId));
  }

  /** Writes the rows of pending layers; call inside the transaction that makes an image of them, after a sync. */
  record(diffIds: readonly string[]): void {
    const layer = this.#database.sql.query(
      'INSERT INTO layers (diff_id, directory, size, tar_size, created) VALUES (?, ?, ?, ?, ?)',
    );
    const blob = this.#database.sql.query(
      'INSERT INTO blobs (digest, diff_id, size, kept) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING',
    );
    for (const diffId of new Set(diffIds)) {
      const pending = this.#pending.get(diffId);
      if (!pending) continue;
      layer.run(diffId, pending.directory, pending.size, pending.tar_size, Date.now());
      if (pending.blob) blob.run(pending.blob.digest, diffId, pending.blob.size, pending.blob.kept ? 1 : 0);
    }
  }

  /** After the transaction: the rows speak for themselves. */
  recorded(diffIds: readonly string[]): void {
    for (const diffId of diffIds) this.#pending.delete(diffId);
  }

  /** Forgets layers that no image has; gives the paths to remove and the bytes they free. */
  forget(isNeeded: (diffId: string) => boolean): { paths: string[]; bytes: number } {
    const rows = this.#database.sql
      .query<LayerRow, []>(
        'SELECT diff_id, directory, size, tar_size FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers)',
      )
      .all();
    const gone = [...rows, ...this.#pending.values()].filter((row) => !isNeeded(row.diff_id));
    const paths: string[] = [];
    let bytes = 0;
    this.#database.transaction(() => {
      for (const row of gone) {
        const stored = this.get(row.diff_id);
        if (stored?.blobKept && stored.blob) paths.push(this.#paths.blob(stored.blob));
        paths.push(this.#paths.layer(row.directory));
        bytes += row.size;
        this.#database.sql.query('DELETE FROM layers WHERE diff_id = ?').run(row.diff_id);
      }
    });
    for (const row of gone) this.#pending.delete(row.diff_id);
    return { paths, bytes };
  }

  /** Paths below `layers/` and `blobs/` that no row speaks of: a crash left them. Call before anything else writes. */
  async strays(): Promise<string[]> {
    const directories = new Set(
      this.#database.sql
        .query<{ directory: number }, []>('SELECT directory FROM layers')
        .all()
        .map((row) => String(row.directory)),
    );
    const blobs = new Set(
      this.#database.sql
        .query<{ digest: string }, []>('SELECT digest FROM blobs WHERE kept = 1')
        .all()
        .map((row) => row.digest.slice('sha256:'.length)),
    );
    const strays: string[] = [];
    for (const name of await readdir(this.#paths.layers))
      if (!directories.has(name)) strays.push(`${this.#paths.layers}/${name}`);
    for (const name of await readdir(this.#paths.blobs))
      if (!blobs.has(name)) strays.push(`${this.#paths.blobs}/${name}`);
    return strays;
  }

  async #place(layer: UnpackedLayer, pending: PendingLayer, file: string | null): Promise<void> {
    try {
      if (file !== null && pending.blob) await rename(file, this.#paths.blob(layer.digest));
      await rename(layer.directory, this.#paths.layer(pending.directory));
    } catch (error) {
      this.#pending.delete(layer.diffId);
      throw error;
    } finally {
      this.#placing.delete(layer.diffId);
    }
  }

  #row(diffId: string): LayerRow | null {
    return this.#database.sql
      .query<LayerRow, [string]>('SELECT diff_id, directory, size, tar_size FROM layers WHERE diff_id = ?')
      .get(diffId);
  }

  #stored(row: LayerRow, blob: string | null, blobKept: boolean): StoredLayer {
    return {
      diffId: row.diff_id,
      size: row.size,
      tarSize: row.tar_size,
      diff: this.#paths.layerDiff(row.directory),
      blob,
      blobKept,
    };
  }
}
