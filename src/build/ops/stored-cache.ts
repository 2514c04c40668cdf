import type { BuildCacheTables } from '../../store/build-cache.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { CacheRecord, Parts, SolveCache } from '../solve/cache.ts';

type NewRecord = CacheRecord & { description: string };

/** The solver's memory in the database. What a build finds out is written down once at its end, behind one sync of the disk. */
export class StoredCache implements SolveCache {
  readonly #store: ImageStore;
  readonly #tables: BuildCacheTables;
  #pending = new Map<string, NewRecord>();
  readonly #used = new Set<string>();

  constructor(store: ImageStore, tables: BuildCacheTables) {
    this.#store = store;
    this.#tables = tables;
  }

  find(key: string): CacheRecord | null {
    const found = this.#pending.get(key) ?? this.#tables.find(key);
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

  /** Writes down what is new. The layers of it are still held by somebody. */
  async flush(): Promise<void> {
    const records = [...this.#pending].filter(([, { result }]) => this.#store.layer(result) !== null);
    this.#pending = new Map();
    const used = [...this.#used];
    this.#used.clear();
    await this.#store.keepLayers(
      records.map(([, { result }]) => result),
      () => {
        for (const [key, { result, created, description }] of records)
          this.#tables.put({ key, result, diffId: result, created, description });
        this.#tables.touch(used);
      },
    );
    this.#tables.trim();
  }
}
