/** What a solver says while it works. */
import type { Vertex } from '../graph/vertex.ts';

export type SolveEvent =
  | { type: 'planned'; vertices: readonly Vertex[] }
  | { type: 'started'; vertex: Vertex; time: number }
  /** Its result is not known: the work begins. */
  | { type: 'missed'; vertex: Vertex }
  /** `cached`: nothing was done. `reasons`: why it was, or why it was not. */
  | { type: 'done'; vertex: Vertex; time: number; cached: boolean; reasons: readonly string[] }
  | { type: 'failed'; vertex: Vertex; time: number; error: unknown }
  | { type: 'output'; vertex: Vertex; stream: 1 | 2; data: Uint8Array }
  /** Something that grows: bytes of a context, a layer of a pull. */
  | { type: 'status'; vertex: Vertex; text: string; current?: number; total?: number };

export type SolveListener = (event: SolveEvent) => void;
