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

/** Packed bytes of a layer that are in no database yet. */
interface PendingBlob {
  diffId: string;
  size: number;
  kept: boolean;
  /** Null: not known. */
  packing: string | null;
}

/** What a layer is when it is packed; its bytes may be elsewhere. */
export interface PackedForm {
  /** `sha256:…` */
  digest: string;
  /** Bytes. */
  size: number;
}

/**
 * Unpacked layers below `layers/`. A layer gets its place by rename at once and its row in the database only together with the first
 * image that has it, after a sync: a row never speaks of bytes that a power cut could take.
 */
export class LayerStore {
  readonly #paths: Paths;
  readonly #database: BerthDatabase;
  /** Layers in their places, but not yet known to be on disk. */
  readonly #pending = new Map<string, LayerRow>();
  /** By digest. */
  readonly #pendingBlobs = new Map<string, PendingBlob>();
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
    const row = this.#pending.get(diffId) ?? this.#row(diffId);
    if (!row) return null;
    const blob = this.#blobOf(diffId);
    return {
      diffId,
      size: row.size,
      tarSize: row.tar_size,
      diff: this.#paths.layerDiff(row.directory),
      blob: blob?.digest ?? null,
      blobKept: blob?.kept ?? false,
    };
  }

  /** Bytes of all layers, unpacked, each counted once. */
  totalSize(): number {
    const row = this.#database.sql.query<{ total: number | null }, []>('SELECT sum(size) AS total FROM layers').get();
    return row?.total ?? 0;
  }

  /** The layer that came from the packed bytes of this digest, or null. */
  ofBlob(digest: string): StoredLayer | null {
    const pending = this.#pendingBlobs.get(digest);
    if (pending) return this.get(pending.diffId);
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

  /** Every digest, plain or of packed bytes that are here too, of a layer → its diff id: a load need not unpack these. */
  known(): Map<string, string> {
    const known = new Map<string, string>();
    for (const { diff_id } of this.#database.sql.query<{ diff_id: string }, []>('SELECT diff_id FROM layers').all())
      known.set(diff_id, diff_id);
    for (const { digest, diff_id } of this.#database.sql
      .query<{ digest: string; diff_id: string }, []>('SELECT digest, diff_id FROM blobs WHERE kept = 1')
      .all())
      known.set(digest, diff_id);
    return known;
  }

  /** True when the packed bytes of this digest are in `blobs/`. */
  isBlobKept(digest: string): boolean {
    if (this.#pendingBlobs.get(digest)?.kept) return true;
    const row = this.#database.sql
      .query<BlobRow, [string]>('SELECT digest, kept FROM blobs WHERE digest = ? AND kept = 1')
      .get(digest);
    return row !== null;
  }

  /**
   * Gives a freshly unpacked layer its place. Where another came first, the fresh tree stays where it is, for its lease to remove;
   * packed bytes that the store lacks are taken over all the same.
   * @param blobFile packed bytes to keep, when they are not where the unpacking left them
   */
  async adopt(layer: UnpackedLayer, blobFile: string | null = null): Promise<StoredLayer> {
    if (layer.packing !== 'none')
      await this.#adoptBlob(layer, blobFile ?? (layer.blobKept ? keptBlob(layer.directory) : null));
    const present = this.get(layer.diffId);
    if (present) return present;
    const { diffId, size, tarSize } = layer;
    const row = { diff_id: diffId, directory: this.#nextDirectory++, size, tar_size: tarSize };
    // Known before the first await: nobody else adopts the same layer meanwhile.
    this.#pending.set(diffId, row);
    const placing = this.#place(layer, row);
    this.#placing.set(diffId, placing);
    await placing;
    return this.get(diffId) as StoredLayer;
  }

  async #adoptBlob(layer: UnpackedLayer, file: string | null): Promise<void> {
    const { digest, diffId, length, packing } = layer;
    const keeps = file !== null && !this.isBlobKept(digest);
    if (keeps) await rename(file, this.#paths.blob(digest));
    const kept = keeps || (this.#pendingBlobs.get(digest)?.kept ?? false);
    this.#pendingBlobs.set(digest, { diffId, size: length, kept, packing });
  }

  /** What a stored layer is known to be when it is packed so; a few where they are many. */
  packedForms(diffId: string, packing: string): PackedForm[] {
    return this.#database.sql
      .query<PackedForm, [string, string]>(
        'SELECT digest, size FROM blobs WHERE diff_id = ? AND packing = ? ORDER BY kept DESC, digest LIMIT 4',
      )
      .all(diffId, packing);
  }

  /** Remembers what a stored layer is when it is packed so. Its bytes are not kept. */
  rememberPacked(diffId: string, packing: string, { digest, size }: PackedForm): void {
    this.#database.sql
      .query(
        'INSERT OR IGNORE INTO blobs (digest, diff_id, size, kept, packing) SELECT ?, diff_id, ?, 0, ? FROM layers WHERE diff_id = ?',
      )
      .run(digest, size, packing, diffId);
  }

  /** The packed bytes of a layer that are in `blobs/`, or null. */
  packed(diffId: string): { digest: string; size: number; path: string } | null {
    const [digest] = this.#keptBlobs(diffId);
    if (digest === undefined) return null;
    const size =
      this.#pendingBlobs.get(digest)?.size ??
      this.#database.sql.query<{ size: number }, [string]>('SELECT size FROM blobs WHERE digest = ?').get(digest)?.size;
    return size === undefined ? null : { digest, size, path: this.#paths.blob(digest) };
  }

  /** Takes over a file with a layer's packed bytes; it is written down with the next image that has the layer. */
  async keepPacked(diffId: string, blob: PackedForm & { packing: string; file: string }): Promise<void> {
    await rename(blob.file, this.#paths.blob(blob.digest));
    this.#pendingBlobs.set(blob.digest, { diffId, size: blob.size, kept: true, packing: blob.packing });
  }

  /** `layers/<n>` of a layer that is written in its place and adopted later; what is never adopted its writer removes, or the next start. */
  reserve(): { number: number; directory: string } {
    const number = this.#nextDirectory++;
    return { number, directory: this.#paths.layer(number) };
  }

  /** Takes a layer over that stands in the place `reserve` gave. False: the store has this layer already, and the place is the caller's to clear. */
  adoptReserved(number: number, layer: { diffId: string; size: number; tarSize: number }): boolean {
    if (this.get(layer.diffId)) return false;
    const { diffId, size, tarSize } = layer;
    this.#pending.set(diffId, { diff_id: diffId, directory: number, size, tar_size: tarSize });
    return true;
  }

  /** Resolves when layers that are on their way to their places have arrived; rejects where one did not. */
  async placed(diffIds: readonly string[]): Promise<void> {
    await Promise.all(diffIds.map((diffId) => this.#placing.get(diffId)));
  }

  /** What of these layers is not on disk for certain: sync it before `record`. */
  unsynced(diffIds: readonly string[]): string[] {
    const rows = [...new Set(diffIds)].flatMap((diffId) => this.#pending.get(diffId) ?? []);
    const blobs = this.#pendingBlobsOf(diffIds).filter(([, { kept }]) => kept);
    return [
      ...rows.map(({ directory }) => this.#paths.layer(directory)),
      ...blobs.map(([digest]) => this.#paths.blob(digest)),
    ];
  }

  /** Writes the rows of pending layers; call inside the transaction that makes an image of them, after a sync. */
  record(diffIds: readonly string[]): void {
    const layer = this.#database.sql.query(
      'INSERT INTO layers (diff_id, directory, size, tar_size, created) VALUES (?, ?, ?, ?, ?)',
    );
    for (const diffId of new Set(diffIds)) {
      const row = this.#pending.get(diffId);
      if (row) layer.run(diffId, row.directory, row.size, row.tar_size, Date.now());
    }
    const blob = this.#database.sql.query(
      `INSERT INTO blobs (digest, diff_id, size, kept, packing) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET kept = max(kept, excluded.kept), packing = coalesce(packing, excluded.packing)`,
    );
    for (const [digest, { diffId, size, kept, packing }] of this.#pendingBlobsOf(diffIds))
      blob.run(digest, diffId, size, kept ? 1 : 0, packing);
  }

  /** After the transaction: the rows speak for themselves. */
  recorded(diffIds: readonly string[]): void {
    for (const [digest] of this.#pendingBlobsOf(diffIds)) this.#pendingBlobs.delete(digest);
    for (const diffId of diffIds) this.#pending.delete(diffId);
  }

  /** Forgets layers that no image and no cached build step has; gives the paths to remove and the bytes they free. */
  forget(isNeeded: (diffId: string) => boolean): { paths: string[]; bytes: number } {
    const rows = this.#database.sql
      .query<LayerRow, []>(
        `SELECT diff_id, directory, size, tar_size FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers)
         AND diff_id NOT IN (SELECT diff_id FROM target_layers)
         AND diff_id NOT IN (SELECT diff_id FROM build_cache WHERE diff_id IS NOT NULL)`,
      )
      .all();
    const gone = [...rows, ...this.#pending.values()].filter((row) => !isNeeded(row.diff_id));
    const paths = gone.flatMap((row) => [
      this.#paths.layer(row.directory),
      ...this.#keptBlobs(row.diff_id).map((digest) => this.#paths.blob(digest)),
    ]);
    this.#database.transaction(() => {
      for (const row of gone) this.#database.sql.query('DELETE FROM layers WHERE diff_id = ?').run(row.diff_id);
    });
    this.recorded(gone.map((row) => row.diff_id));
    return { paths, bytes: gone.reduce((sum, row) => sum + row.size, 0) };
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

  async #place(layer: UnpackedLayer, row: LayerRow): Promise<void> {
    try {
      await rename(layer.directory, this.#paths.layer(row.directory));
    } catch (error) {
      this.#pending.delete(row.diff_id);
      throw error;
    } finally {
      this.#placing.delete(row.diff_id);
    }
  }

  #pendingBlobsOf(diffIds: readonly string[]): [digest: string, blob: PendingBlob][] {
    return [...this.#pendingBlobs].filter(([, { diffId }]) => diffIds.includes(diffId));
  }

  /** The packed bytes that a layer came from, kept ones first. */
  #blobOf(diffId: string): { digest: string; kept: boolean } | null {
    const pending = this.#pendingBlobsOf([diffId]).map(([digest, { kept }]) => ({ digest, kept }));
    const rows = this.#database.sql
      .query<BlobRow, [string]>('SELECT digest, kept FROM blobs WHERE diff_id = ? ORDER BY kept DESC')
      .all(diffId)
      .map((row) => ({ digest: row.digest, kept: row.kept === 1 }));
    const all = [...pending, ...rows];
    return all.find((blob) => blob.kept) ?? all[0] ?? null;
  }

  #keptBlobs(diffId: string): string[] {
    const pending = this.#pendingBlobsOf([diffId]).filter(([, { kept }]) => kept);
    const rows = this.#database.sql
      .query<BlobRow, [string]>('SELECT digest, kept FROM blobs WHERE diff_id = ? AND kept = 1')
      .all(diffId);
    return [...new Set([...pending.map(([digest]) => digest), ...rows.map((row) => row.digest)])];
  }

  #row(diffId: string): LayerRow | null {
    return this.#database.sql
      .query<LayerRow, [string]>('SELECT diff_id, directory, size, tar_size FROM layers WHERE diff_id = ?')
      .get(diffId);
  }
}
