/** What a solver remembers between builds. Implemented by the store's tables, and by a fake. */

/** What a step was made of: `file src/app.ts` → digest, `definition` → digest, … Never a secret, never a value of an argument in the open. */
export type Parts = ReadonlyMap<string, string>;

export interface CacheRecord {
  /** What the runner wrote down of its result. */
  result: string;
  /** Unix milliseconds; when the work was done. */
  created: number;
}

export interface SolveCache {
  find(key: string): CacheRecord | null;
  put(key: string, record: CacheRecord & { description: string }): void;
  /** A result that turned out to be gone. */
  forget(key: string): void;
  /** What the step at this place was made of the last time. */
  partsOf(slot: string): Parts | null;
  rememberParts(slot: string, parts: Parts): void;
}
