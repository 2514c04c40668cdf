import { SharedWork } from '../../base/shared-work.ts';
import { digestOf, inOrder, type Vertex } from '../graph/vertex.ts';
import type { CacheRecord, Parts, SolveCache, SolveImports } from './cache.ts';
import type { SolveEvent, SolveListener } from './events.ts';
import { explain } from './explain.ts';
import type { OperationRunner, RunContext, Solved } from './runner.ts';

export interface SolveOptions<Session> {
  session: Session;
  signal: AbortSignal;
  listener: SolveListener;
  /** Give the reasons of every hit and miss. */
  explain: boolean;
  /** Asked for what the cache has not; null: nobody is. */
  imports: SolveImports | null;
}

/** What is known of a step, and where: null: in the cache. */
interface Known<Value> {
  solved: Solved<Value>;
  origin: string | null;
}

type Message = { stream: 1 | 2; data: Uint8Array } | { text: string; current?: number; total?: number };

/**
 * Works through graphs: what is independent at once, what nobody needs not at all, what is known not again, and what two builds want once.
 * It knows no operation: their runners do.
 */
export class Solver<Value, Session> {
  readonly #runners: ReadonlyMap<string, OperationRunner<Value, Session>>;
  readonly #cache: SolveCache;
  readonly #shared = new SharedWork<Solved<Value>, Message>();
  readonly #now: () => number;
  readonly #saving = new Set<Promise<void>>();
  /** Work under way, and what calls it off. */
  readonly #flights = new Map<Promise<unknown>, AbortSignal>();

  constructor(options: {
    runners: Readonly<Record<string, OperationRunner<Value, Session>>>;
    cache: SolveCache;
    now?: () => number;
  }) {
    this.#runners = new Map(Object.entries(options.runners));
    this.#cache = options.cache;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Solves `roots` and what they need; gives their results in order. The first failure stops the rest; the call returns when everything it
   * started has come to an end. Errors: the runners', the reason of the signal.
   */
  async solve(roots: readonly Vertex[], options: SolveOptions<Session>): Promise<Solved<Value>[]> {
    const failed = new AbortController();
    const signal = AbortSignal.any([options.signal, failed.signal]);
    const work = new Map<string, Promise<Solved<Value>>>();
    const start = (vertex: Vertex): Promise<Solved<Value>> => {
      const known = work.get(vertex.digest);
      if (known) return known;
      const inputs = vertex.inputs.map(start);
      const solved = Promise.all(inputs).then((results) => this.#solveOne(vertex, results, { ...options, signal }));
      solved.catch((error: unknown) => failed.abort(error));
      work.set(vertex.digest, solved);
      return solved;
    };
    options.listener({ type: 'planned', vertices: inOrder(roots) });
    const results = roots.map(start);
    await Promise.allSettled(work.values());
    options.signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    return Promise.all(results);
  }

  async #solveOne(
    vertex: Vertex,
    inputs: readonly Solved<Value>[],
    options: SolveOptions<Session>,
  ): Promise<Solved<Value>> {
    const { listener, signal } = options;
    signal.throwIfAborted();
    listener({ type: 'started', vertex, time: this.#now() });
    try {
      const { solved, cached, reasons } = await this.#resultOf(vertex, inputs, options);
      listener({ type: 'done', vertex, time: this.#now(), cached, reasons });
      return solved;
    } catch (error) {
      listener({ type: 'failed', vertex, time: this.#now(), error });
      throw error;
    }
  }

  async #resultOf(vertex: Vertex, inputs: readonly Solved<Value>[], options: SolveOptions<Session>) {
    const runner = this.#runners.get(vertex.kind);
    if (!runner) throw new Error(`nothing runs operations of kind ${vertex.kind}`);
    const { listener, session, signal } = options;
    const contextFor = (inner: AbortSignal, emit: (message: Message) => void): RunContext => ({
      signal: inner,
      output: (stream, data) => emit({ stream, data }),
      status: (text, current, total) =>
        emit({ text, ...(current !== undefined && { current }), ...(total !== undefined && { total }) }),
    });
    const tell = (message: Message): void => listener(toEvent(vertex, message));
    const parts = await runner.parts(vertex, inputs, { session, context: contextFor(signal, tell) });
    const key = digestOf({ kind: vertex.kind, parts: [...parts].sort() });
    const alone = vertex.fresh || !runner.shares;
    const known = alone ? null : await this.#known({ key, runner, vertex, inputs, ...options });
    const hit = known === 'unfit' ? null : known;
    const reasons = options.explain && runner.shares ? this.#explain(vertex, parts, known) : [];
    if (runner.shares) this.#cache.rememberParts(vertex.label.slot, parts);
    if (hit) return { solved: hit.solved, cached: true, reasons };
    listener({ type: 'missed', vertex });
    const solved = await this.#shared.join(alone ? `${key} ${crypto.randomUUID()}` : key, {
      signal,
      listener: tell,
      start: ({ signal: inner, emit }) =>
        this.#track(inner, async () => {
          const value = await runner.run(vertex, inputs, { session, context: contextFor(inner, emit) });
          const created = this.#now();
          this.#saveSoon({ key, created, description: vertex.label.name }, runner.save(value, inputs));
          return { key, value, created };
        }),
    });
    return { solved, cached: false, reasons };
  }

  /** Resolves when work that was called off has come to its end, and everything that was done so far is in the cache. */
  async settled(): Promise<void> {
    for (;;) {
      const ending = [...this.#flights].filter(([, signal]) => signal.aborted).map(([flight]) => flight);
      if (ending.length === 0 && this.#saving.size === 0) return;
      await Promise.allSettled([...ending, ...this.#saving]);
    }
  }

  #track<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const flight = work();
    this.#flights.set(flight, signal);
    // Its followers hear of a failure.
    flight.catch(() => undefined).finally(() => this.#flights.delete(flight));
    return flight;
  }

  /** What builds upon a result need not wait until it is written down. */
  #saveSoon(what: { key: string; created: number; description: string }, text: Promise<string | null>): void {
    const saving: Promise<void> = text
      .then(
        (result) => {
          if (result === null) return;
          this.#cache.put(what.key, { result, created: what.created, description: what.description });
        },
        () => undefined, // whoever needs the result itself hears of it
      )
      .then(() => {
        this.#saving.delete(saving);
      });
    this.#saving.add(saving);
  }

  async #known(what: {
    key: string;
    runner: OperationRunner<Value, Session>;
    vertex: Vertex;
    inputs: readonly Solved<Value>[];
    session: Session;
    imports: SolveImports | null;
  }): Promise<Known<Value> | 'unfit' | null> {
    const { key, runner, vertex, inputs, session } = what;
    const restore = async (record: CacheRecord): Promise<Solved<Value> | null> => {
      const value = await runner.restore({ text: record.result, vertex, inputs, session });
      return value === null ? null : { key, value, created: record.created };
    };
    const own = this.#cache.find(key);
    if (own) {
      const solved = await restore(own);
      if (solved) return { solved, origin: null };
      this.#cache.forget(key);
    }
    const record = what.imports?.find(key);
    const solved = record ? await restore(record) : null;
    if (!record || !solved) return own || record ? 'unfit' : null;
    what.imports?.took(key, record, vertex);
    return { solved, origin: record.origin };
  }

  /** What the cache keeps of a result; null: nothing. */
  async record(
    vertex: Vertex,
    { value, created }: Solved<Value>,
    inputs: readonly Solved<Value>[],
  ): Promise<CacheRecord | null> {
    const result = await this.#runners.get(vertex.kind)?.save(value, inputs);
    return result === undefined || result === null ? null : { result, created };
  }

  #explain(vertex: Vertex, parts: Parts, known: Known<Value> | 'unfit' | null): string[] {
    const isUnfit = known === 'unfit';
    return explain({
      before: this.#cache.partsOf(vertex.label.slot),
      now: parts,
      hit: known !== null && !isUnfit,
      unfit: isUnfit,
      fresh: vertex.fresh,
      origin: isUnfit ? null : (known?.origin ?? null),
    });
  }
}

function toEvent(vertex: Vertex, message: Message): SolveEvent {
  return 'stream' in message ? { type: 'output', vertex, ...message } : { type: 'status', vertex, ...message };
}
