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

/** A result as the cache has it, and what the vertex would have been given to make it again. */
export interface Saved<Value, Session> {
  text: string;
  vertex: Vertex;
  inputs: readonly Solved<Value>[];
  session: Session;
}

/**
 * Does the operations of one kind. `Session` is what the build brought along: its client's files, secrets, leases. Two builds share the work
 * of one key, so `run` must not depend on more than the parts that it named.
 */
export interface OperationRunner<Value, Session> {
  /** False: each build has results of its own, which the cache does not have (a client's files). */
  readonly shares: boolean;
  /**
   * Everything that the result depends on besides the kind: two runs with equal parts give equal results. May look at files, runs nothing.
   */
  parts(
    vertex: Vertex,
    inputs: readonly Solved<Value>[],
    work: { session: Session; context: RunContext },
  ): Promise<Parts>;
  run(
    vertex: Vertex,
    inputs: readonly Solved<Value>[],
    work: { session: Session; context: RunContext },
  ): Promise<Value>;
  /** The result as text for the cache; null: not to be kept (sources, which are found anew each time). */
  save(value: Value, inputs: readonly Solved<Value>[]): Promise<string | null>;
  /** The other way; null: it is gone, or was made of inputs that came to something else. */
  restore(what: Saved<Value, Session>): Promise<Value | null>;
}
