import type { Vertex } from '../graph/vertex.ts';
import type { Parts } from './cache.ts';

/** What a vertex came to. */
export interface Solved<Value> {
  /** Stands for the result in the keys of those that build upon it. */
  key: string;
  value: Value;
  /** Unix milliseconds; when the work was done, this time or long ago. */
  created: number;
}

export interface RunContext {
  signal: AbortSignal;
  output(stream: 1 | 2, data: Uint8Array): void;
  status(text: string, current?: number, total?: number): void;
}

/**
 * Does the operations of one kind. `Session` is what the build brought along: its client's files, secrets, leases. Two builds share the work
 * of one key, so `run` must not depend on more than the parts that it named.
 */
export interface OperationRunner<Value, Session> {
  /**
   * Everything that the result depends on besides the kind: two runs with equal parts give equal results. May look at files, runs nothing.
   */
  parts(vertex: Vertex, inputs: readonly Solved<Value>[], work: { session: Session; context: RunContext }): Promise<Parts>;
  run(vertex: Vertex, inputs: readonly Solved<Value>[], work: { session: Session; context: RunContext }): Promise<Value>;
  /** The result as text for the cache; null: not to be kept (sources, which are found anew each time). */
  save(value: Value): Promise<string | null>;
  /** The other way; null: it is gone. */
  restore(text: string, inputs: readonly Solved<Value>[], session: Session): Promise<Value | null>;
}
