import type { BuildCacheTables } from '../../store/build-cache.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { CacheRecord, Parts, SolveCache } from '../solve/cache.ts';
import { parseSaved } from './trees.ts';

type NewRecord = CacheRecord & { description: string };

/** The solver's memory in the database. What builds find out is written down many at a time, behind one sync of the disk. */
export class StoredCache implements SolveCache {
  readonly #store: ImageStore;
  readonly #tables: BuildCacheTables;
  #pending = new Map<string, NewRecord>();
  /** On their way to the database. */
  #leaving: ReadonlyMap<string, NewRecord> = new Map();
  #flushing: Promise<void> = Promise.resolve();
  readonly #used = new Set<string>();

  constructor(store: ImageStore, tables: BuildCacheTables) {
    this.#store = store;
    this.#tables = tables;
  }

  find(key: string): CacheRecord | null {
    const found = this.#pending.get(key) ?? this.#leaving.get(key) ?? this.#tables.find(key);
    if (found) this.#used.add(key);
    return found;
  }

  put(key: string, record: NewRecord): void {
    this.#pending.set(key, record);
  }

  forget(key: string): void {
    this.#pending.delete(key);
    this.#tables.remove([key]);
  }

  partsOf(slot: string): Parts | null {
    return this.#tables.parts(slot);
  }

  rememberParts(slot: string, parts: Parts): void {
    this.#tables.putParts(slot, parts);
  }

  /** Writes down what is new, behind everything that is being written. The layers of it are still held by somebody. */
  flush(): Promise<void> {
    const flushing = this.#flushing.then(() => this.#write());
    this.#flushing = flushing.catch(() => undefined); // its caller hears of it
    return flushing;
  }

  /** True where a flush would write something. */
  get isDirty(): boolean {
    return this.#pending.size > 0;
  }

  async #write(): Promise<void> {
    const records = [...this.#pending]
      .map(([key, record]) => ({ key, ...record, ...parseSaved(record.result) }))
      .filter(({ diffId }) => this.#store.layer(diffId) !== null);
    this.#leaving = this.#pending;
    this.#pending = new Map();
    const used = [...this.#used];
    this.#used.clear();
    try {
      await this.#store.keepLayers(
        records.map(({ diffId }) => diffId),
        () => {
          for (const { key, result, diffId, created, description } of records)
            this.#tables.put({ key, result, diffId, created, description });
          this.#tables.touch(used);
        },
      );
    } finally {
      this.#leaving = new Map();
    }
    this.#tables.trim();
  }
}
