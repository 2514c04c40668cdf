import { describe, expect, test } from 'bun:test';
import { makeVertex, type Vertex } from '../graph/vertex.ts';
import type { CacheRecord, Parts, SolveCache, SolveImports } from './cache.ts';
import type { SolveEvent } from './events.ts';
import type { OperationRunner, RunContext, Solved } from './runner.ts';
import { Solver } from './solver.ts';

class FakeCache implements SolveCache {
  readonly records = new Map<string, CacheRecord>();
  readonly parts = new Map<string, Parts>();
  find(key: string): CacheRecord | null {
    return this.records.get(key) ?? null;
  }
  put(key: string, record: CacheRecord): void {
    this.records.set(key, record);
  }
  forget(key: string): void {
    this.records.delete(key);
  }
  partsOf(slot: string): Parts | null {
    return this.parts.get(slot) ?? null;
  }
  rememberParts(slot: string, parts: Parts): void {
    this.parts.set(slot, parts);
  }
}

/** Adds a letter to what its inputs are. */
class Letters implements OperationRunner<string, { files: string }> {
  readonly shares = true;
  readonly runs: string[] = [];
  gate: Promise<void> = Promise.resolve();
  failing = new Set<string>();
  lost = false;

  parts(
    vertex: Vertex,
    inputs: readonly Solved<string>[],
    { session }: { session: { files: string } },
  ): Promise<Parts> {
    const parts = new Map([['the letter', String(vertex.definition['letter'])]]);
    if (vertex.definition['reads']) parts.set('file f', session.files);
    for (const [index, input] of inputs.entries()) parts.set(`input ${index}`, input.key);
    return Promise.resolve(parts);
  }
  async run(vertex: Vertex, inputs: readonly Solved<string>[], { context }: { context: RunContext }): Promise<string> {
    const letter = String(vertex.definition['letter']);
    this.runs.push(letter);
    context.output(1, Buffer.from(`doing ${letter}`));
    await this.gate;
    context.signal.throwIfAborted();
    if (this.failing.has(letter)) throw new Error(`${letter} failed`);
    return inputs.map(({ value }) => value).join('') + letter;
  }
  save(value: string): Promise<string> {
    return Promise.resolve(value);
  }
  restore({ text }: { text: string }): Promise<string | null> {
    return Promise.resolve(this.lost ? null : text);
  }
}

function vertex(letter: string, inputs: Vertex[] = [], more: { fresh?: boolean; reads?: boolean } = {}): Vertex {
  const { fresh = false, reads = false } = more;
  return makeVertex({
    kind: 'letter',
    definition: { letter, reads },
    inputs,
    label: { name: letter, slot: letter },
    fresh,
  });
}

function setUp() {
  const cache = new FakeCache();
  const letters = new Letters();
  const solver = new Solver({ runners: { letter: letters }, cache, now: () => 1 });
  const solve = async (
    roots: Vertex[],
    options: { files?: string; signal?: AbortSignal; explain?: boolean; imports?: SolveImports } = {},
  ): Promise<{ values: string[]; events: SolveEvent[] }> => {
    const events: SolveEvent[] = [];
    const solved = await solver.solve(roots, {
      session: { files: options.files ?? '' },
      signal: options.signal ?? new AbortController().signal,
      listener: (event) => events.push(event),
      explain: options.explain ?? false,
      imports: options.imports ?? null,
    });
    await solver.settled();
    return { values: solved.map(({ value }) => value), events };
  };
  return { cache, letters, solver, solve };
}

function reasons(events: readonly SolveEvent[], letter: string): readonly string[] {
  const done = events.find((event) => event.type === 'done' && event.vertex.label.name === letter);
  return done?.type === 'done' ? done.reasons : [];
}

describe('the solver', () => {
  test('inputs come first, each once', async () => {
    const { letters, solve } = setUp();
    const a = vertex('a');
    const { values } = await solve([vertex('d', [vertex('b', [a]), vertex('c', [a])])]);
    expect(values).toEqual(['abacd']);
    expect(letters.runs.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('what is known is not done again', async () => {
    const { letters, solve } = setUp();
    const graph = (): Vertex => vertex('b', [vertex('a')]);
    await solve([graph()]);
    const { values, events } = await solve([graph()]);
    expect(values).toEqual(['ab']);
    expect(letters.runs).toEqual(['a', 'b']);
    expect(events.filter((event) => event.type === 'done' && event.cached)).toHaveLength(2);
  });

  test('a result that is gone is made again', async () => {
    const { letters, solve } = setUp();
    await solve([vertex('a')]);
    letters.lost = true;
    const { values, events } = await solve([vertex('a')], { explain: true });
    expect(values).toEqual(['a']);
    expect(letters.runs).toEqual(['a', 'a']);
    expect(reasons(events, 'a')).toEqual(['its result is gone, or was made upon another one than there is now']);
  });

  test('what another machine has done is not done again, and it says where that was found', async () => {
    const there = setUp();
    await there.solve([vertex('b', [vertex('a')])]);
    const { letters, solve } = setUp();
    const imports: SolveImports = {
      find: (key) => {
        const found = there.cache.find(key);
        return found && { ...found, created: 7, origin: 'elsewhere' };
      },
      took: () => undefined,
    };
    const { values, events } = await solve([vertex('c', [vertex('b', [vertex('a')])])], { imports, explain: true });
    expect(values).toEqual(['abc']);
    expect(letters.runs).toEqual(['c']);
    expect(reasons(events, 'b')).toEqual(['found in the cache elsewhere']);
    expect(reasons(events, 'c')).toEqual(['never built here before']);
  });

  test('a fresh vertex is done, whatever is known', async () => {
    const { letters, solve } = setUp();
    await solve([vertex('a')]);
    await solve([vertex('a', [], { fresh: true })]);
    expect(letters.runs).toEqual(['a', 'a']);
  });

  test('two solves share work that is under way, and both hear of it', async () => {
    const { letters, solve } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    letters.gate = promise;
    const both = Promise.all([solve([vertex('a')]), solve([vertex('a')])]);
    await Promise.resolve();
    resolve();
    const [left, right] = await both;
    expect(letters.runs).toEqual(['a']);
    for (const { events } of [left, right]) expect(events.some(({ type }) => type === 'output')).toBe(true);
  });

  test('one that leaves does not end the work of another', async () => {
    const { letters, solve } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    letters.gate = promise;
    const leaving = new AbortController();
    const left = solve([vertex('a')], { signal: leaving.signal }).catch((error: unknown) => error);
    const stays = solve([vertex('a')]);
    leaving.abort(new Error('left'));
    expect(String(await left)).toContain('left');
    resolve();
    expect((await stays).values).toEqual(['a']);
  });

  test('a failure is told, and what needs it is not begun', async () => {
    const { letters, solve } = setUp();
    letters.failing.add('a');
    await expect(solve([vertex('b', [vertex('a')])])).rejects.toThrow('a failed');
    expect(letters.runs).toEqual(['a']);
    letters.failing.clear();
    expect((await solve([vertex('b', [vertex('a')])])).values).toEqual(['ab']);
  });

  test('it says why', async () => {
    const { solve } = setUp();
    const graph = (): Vertex => vertex('b', [vertex('a', [], { reads: true })]);
    const first = await solve([graph()], { files: '1', explain: true });
    expect(reasons(first.events, 'a')).toEqual(['never built here before']);
    const same = await solve([graph()], { files: '1', explain: true });
    expect(reasons(same.events, 'a')).toEqual(['nothing it depends on has changed']);
    const changed = await solve([graph()], { files: '2', explain: true });
    expect(reasons(changed.events, 'a')).toEqual(['file f has changed']);
    expect(reasons(changed.events, 'b')).toEqual(['a step it builds upon gave something new']);
    const back = await solve([graph()], { files: '1', explain: true });
    expect(reasons(back.events, 'a')).toEqual(['another build has done the same step']);
  });
});
