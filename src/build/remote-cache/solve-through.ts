import { inOrder, type Vertex } from '../graph/vertex.ts';
import { parseSaved } from '../ops/trees.ts';
import { type BuildSession, type BuildValue, LostLayerError, lowerOf, treeOf } from '../ops/values.ts';
import type { SolveEvent, SolveListener } from '../solve/events.ts';
import type { Solved } from '../solve/runner.ts';
import type { SolveOptions, Solver } from '../solve/solver.ts';
import type { Imports } from './imports.ts';
import type { BuildNotes } from './write-cache.ts';

export type BuildSolver = Solver<BuildValue, BuildSession>;

/** So often work that is shared with another build may miss a layer that this one knows nothing of. */
const mostForeignLosses = 3;

/**
 * Solves a graph with the caches that a build brings along; gives the results of all vertices by digest. A layer that a cache promised and does not
 * give is found out when it is needed: then the graph is solved again without it, and what was done meanwhile is known by then. What `roots` came to is
 * on this machine in the end. Errors: the solver's.
 */
export async function solveThrough(
  solver: BuildSolver,
  graph: { vertices: readonly Vertex[]; roots: readonly Vertex[] },
  options: SolveOptions<BuildSession> & { imports: Imports | null },
): Promise<Map<string, Solved<BuildValue>>> {
  const everything = inOrder(graph.vertices);
  const telling = new Retelling(options.listener);
  for (let losses = 0; ; ) {
    try {
      const listener = telling.pass();
      const solved = await solver.solve(everything, { ...options, listener });
      const results = new Map(everything.map((vertex, index) => [vertex.digest, solved[index] as Solved<BuildValue>]));
      await lowerOf(graph.roots.flatMap((root) => [...treeOf(results.get(root.digest)?.value)]));
      return results;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof LostLayerError)) throw error;
      if (options.imports?.forget(error.diffIds)) continue;
      if (++losses > mostForeignLosses) throw error;
    }
  }
}

/** One progress of several passes: nothing is told twice, and a step that misses its layers has not failed, it will be done. */
class Retelling {
  readonly #listener: SolveListener;
  #isPlanTold = false;
  /** What was said of a vertex in the end. */
  readonly #told = new Map<string, 'done' | 'cached'>();

  constructor(listener: SolveListener) {
    this.#listener = listener;
  }

  pass(): SolveListener {
    const held = new Map<string, SolveEvent>();
    let isLost = false;
    return (event) => {
      if (event.type === 'planned') {
        if (!this.#isPlanTold) this.#listener(event);
        this.#isPlanTold = true;
        return;
      }
      const { digest } = event.vertex;
      const before = this.#told.get(digest);
      isLost ||= event.type === 'failed' && event.error instanceof LostLayerError;
      if (before === 'done' || (event.type === 'failed' && isLost)) return;
      if (before === 'cached') {
        if (event.type === 'started') held.set(digest, event);
        if (event.type !== 'missed') return;
        // It was said to be cached, and now it must be done.
        this.#told.delete(digest);
        this.#listener(held.get(digest) ?? event);
      }
      if (event.type === 'done') this.#told.set(digest, event.cached ? 'cached' : 'done');
      this.#listener(event);
    };
  }
}

/** What caches of others are told of a build. */
export async function notesOf(
  solver: BuildSolver,
  graph: { vertices: readonly Vertex[]; roots: readonly Vertex[] },
  what: { results: ReadonlyMap<string, Solved<BuildValue>>; contents: ReadonlyMap<string, string> },
): Promise<BuildNotes> {
  const { results, contents } = what;
  const steps = new Map<string, BuildNotes['steps'][number]>();
  for (const vertex of inOrder(graph.vertices)) {
    const solved = results.get(vertex.digest);
    const inputs = vertex.inputs.flatMap((input) => results.get(input.digest) ?? []);
    const record = solved && (await solver.record(vertex, solved, inputs));
    const layer = solved?.value.kind === 'tree' ? solved.value.layers.at(-1) : undefined;
    if (solved && record && layer)
      steps.set(solved.key, { key: solved.key, created: record.created, ...parseSaved(record.result), layer });
  }
  const layers = graph.roots.flatMap((root) => [...treeOf(results.get(root.digest)?.value)]);
  return {
    steps: [...steps.values()],
    results: new Set(await Promise.all(layers.map(({ diffId }) => diffId))),
    contents,
  };
}
