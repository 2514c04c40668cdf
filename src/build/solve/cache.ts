/** What a solver remembers between builds. Implemented by the store's tables, and by a fake. */
import type { Vertex } from '../graph/vertex.ts';

/** What a step was made of: `file src/app.ts` → digest, `definition` → digest, … Never a secret, never a value of an argument in the open. */
export type Parts = ReadonlyMap<string, string>;

export interface CacheRecord {
  /** What the runner wrote down of its result. */
  result: string;
  /** Unix milliseconds; when the work was done. */
  created: number;
}

/** Results that a build brings along: those of other machines. */
export interface SolveImports {
  /** Null: none of them has the step's result. `origin`: where it was found, for people. */
  find(key: string): (CacheRecord & { origin: string }) | null;
  /** What was found is used. */
  took(key: string, record: CacheRecord, vertex: Vertex): void;
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
