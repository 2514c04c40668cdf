/**
 * The graph that a solver works through: vertices with digests, made by a front end and understood by runners of operations. Nothing
 * here knows where a vertex came from.
 */
import { createHash } from 'node:crypto';

/** JSON that says what an operation does; what it is done to are the vertex's inputs. */
export type Definition = { readonly [key: string]: unknown };

/** What a vertex carries for the people who look at it. */
export interface VertexLabel {
  /** For progress: `[2/5] RUN make`. */
  name: string;
  /** Where in the build the step stands, whatever it says there; what it was made of the last time is compared under this. */
  slot: string;
  /** Lines of the source text, for errors. */
  lines?: { first: number; last: number };
}

export interface Vertex {
  /** `sha256:…` over operation and inputs: two vertices with one digest do the same work. */
  readonly digest: string;
  readonly kind: string;
  readonly definition: Definition;
  /** For the runner's eyes only: what does not change the result (proxies) or must not be written down (secrets). */
  readonly aside: Definition;
  readonly inputs: readonly Vertex[];
  readonly label: VertexLabel;
  /** Done anew even where a result is known. */
  readonly fresh: boolean;
}

export interface VertexOptions {
  kind: string;
  definition: Definition;
  inputs?: readonly Vertex[];
  label: VertexLabel;
  aside?: Definition;
  fresh?: boolean;
}

export function makeVertex(options: VertexOptions): Vertex {
  const { kind, definition, inputs = [], label, aside = {}, fresh = false } = options;
  const digest = digestOf({ kind, definition, fresh, inputs: inputs.map((input) => input.digest) });
  return { digest, kind, definition, aside, inputs, label, fresh };
}

/** `sha256:…` of a value's JSON, whatever the order of its keys. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** Every vertex that `roots` need, inputs before those that use them. */
export function inOrder(roots: readonly Vertex[]): Vertex[] {
  const seen = new Set<string>();
  const order: Vertex[] = [];
  const visit = (vertex: Vertex): void => {
    if (seen.has(vertex.digest)) return;
    seen.add(vertex.digest);
    for (const input of vertex.inputs) visit(input);
    order.push(vertex);
  };
  for (const root of roots) visit(root);
  return order;
}
