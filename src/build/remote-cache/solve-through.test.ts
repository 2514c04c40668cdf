import { expect, test } from 'bun:test';
import { BerthError } from '../../api/errors.ts';
import { sha256 } from '../../oci/digest.ts';
import { digestOf, makeVertex, type Vertex } from '../graph/vertex.ts';
import { type BuildSession, type BuildValue, type Layer, lowerOf, treeOf } from '../ops/values.ts';
import type { CacheRecord, SolveCache } from '../solve/cache.ts';
import type { SolveEvent } from '../solve/events.ts';
import type { OperationRunner } from '../solve/runner.ts';
import { Solver } from '../solve/solver.ts';
import { Imports, type OpenedCache } from './imports.ts';
import { notesOf, solveThrough } from './solve-through.ts';

/** A store, an engine's memory, and steps that put a layer of their name upon what they are given. */
class Machine {
  readonly stored = new Set<string>();
  readonly runs: string[] = [];
  readonly records = new Map<string, CacheRecord>();

  readonly solver = new Solver<BuildValue, BuildSession>({ cache: this.#memory(), runners: { step: this.#steps() } });

  layer(diffId: string): Layer {
    return { diffId: Promise.resolve(diffId), place: () => Promise.resolve(`/layers/${diffId}`) };
  }

  async build(vertices: Vertex[], imports: Imports | null) {
    const events: SolveEvent[] = [];
    const session = { foreign: imports } as BuildSession;
    const graph = { vertices, roots: vertices };
    const results = await solveThrough(this.solver, graph, {
      session,
      signal: new AbortController().signal,
      explain: false,
      imports,
      listener: (event) => events.push(event),
    });
    await this.solver.settled();
    return { results, events, notes: await notesOf(this.solver, graph, { results, contents: new Map() }) };
  }

  imports(cache: Pick<OpenedCache, 'document' | 'blobs' | 'fetch'>): { imports: Imports; told: string[] } {
    const told: string[] = [];
    const imports = new Imports({
      caches: [{ name: 'elsewhere', repository: null, ...cache }],
      stored: (diffId) => (this.stored.has(diffId) ? ({ diff: `/layers/${diffId}` } as never) : null),
      event: (event) => told.push(event.type === 'warning' ? event.message : event.type),
      signal: new AbortController().signal,
    });
    return { imports, told };
  }

  #memory(): SolveCache {
    return {
      find: (key) => this.records.get(key) ?? null,
      put: (key, record) => void this.records.set(key, record),
      forget: (key) => void this.records.delete(key),
      partsOf: () => null,
      rememberParts: () => undefined,
    };
  }

  #steps(): OperationRunner<BuildValue, BuildSession> {
    return {
      shares: true,
      parts: (vertex, inputs) =>
        Promise.resolve(
          new Map([
            ['name', vertex.label.name],
            ['input', inputs.map(({ key }) => key).join()],
          ]),
        ),
      run: async (vertex, inputs) => {
        const below = inputs.flatMap(({ value }) => [...treeOf(value)]);
        await lowerOf(below);
        this.runs.push(vertex.label.name);
        const diffId = sha256(vertex.label.name);
        this.stored.add(diffId);
        return { kind: 'tree', layers: [...below, this.layer(diffId)] };
      },
      save: async (value) => (await treeOf(value).at(-1)?.diffId) ?? null,
      restore: ({ text, inputs, session }) => {
        const layer = this.stored.has(text) ? this.layer(text) : session.foreign?.layer(text);
        const below = inputs.flatMap(({ value }) => [...treeOf(value)]);
        return Promise.resolve(layer ? { kind: 'tree', layers: [...below, layer] } : null);
      },
    };
  }
}

function step(name: string, inputs: Vertex[] = []): Vertex {
  return makeVertex({ kind: 'step', definition: { name }, inputs, label: { name, slot: name } });
}

const chain = (): Vertex => step('c', [step('b', [step('a')])]);

/** What another machine has of a graph; `blobs`: layers that can be had. */
async function cacheOf(vertex: Vertex, blobs: readonly string[]): Promise<Pick<OpenedCache, 'document' | 'blobs'>> {
  const { notes } = await new Machine().build([vertex], null);
  const layers = new Map(notes.steps.map(({ diffId }) => [diffId, null]));
  const steps = new Map(notes.steps.map(({ key, diffId }) => [key, { layer: diffId, upon: null, created: 1 }]));
  const blob = (name: string) => ({ mediaType: '', digest: digestOf(name), size: 1 });
  return {
    document: { layers, steps, contents: new Map() },
    blobs: new Map(blobs.map((name) => [sha256(name), blob(name)])),
  };
}

const ends = (events: readonly SolveEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'done' ? [`${event.vertex.label.name} ${event.cached ? 'cached' : 'done'}`] : [],
  );

test('layers come when all is solved, and nothing is done', async () => {
  const machine = new Machine();
  const { imports } = machine.imports({
    ...(await cacheOf(chain(), ['a', 'b', 'c'])),
    fetch: (_, diffId) => Promise.resolve(machine.stored.add(diffId)),
  });
  const { events } = await machine.build([chain()], imports);
  expect(machine.runs).toEqual([]);
  expect(ends(events)).toEqual(['a cached', 'b cached', 'c cached']);
  expect(machine.stored.size).toBe(3);
  expect([...imports.taken.values()].map(({ description }) => description)).toEqual(['a', 'b', 'c']);
});

test('a layer that does not come has its step done, and what is told is told once', async () => {
  const machine = new Machine();
  const { imports, told } = machine.imports({
    ...(await cacheOf(chain(), ['a', 'b', 'c'])),
    fetch: (_, diffId) => {
      if (diffId === sha256('b')) return Promise.reject(new Error('no such blob'));
      return Promise.resolve(machine.stored.add(diffId));
    },
  });
  const { events } = await machine.build([chain()], imports);
  expect(machine.runs).toEqual(['b']);
  expect(ends(events)).toEqual(['a cached', 'b cached', 'c cached', 'b done']);
  expect(events.filter(({ type }) => type === 'planned' || type === 'failed')).toHaveLength(1);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('its steps are done anew: no such blob');
  expect([...imports.taken.values()].map(({ description }) => description)).toEqual(['a', 'c']);
});

test('a step whose layer is nowhere is of use as long as nobody looks into it', async () => {
  const machine = new Machine();
  const { imports, told } = machine.imports({
    ...(await cacheOf(chain(), [])),
    fetch: () => Promise.reject(new Error('not asked')),
  });
  const { events } = await machine.build([step('d', [chain()])], imports);
  expect(machine.runs).toEqual(['a', 'b', 'c', 'd']);
  expect(told).toEqual([]);
  expect(ends(events).filter((end) => end.endsWith('done'))).toEqual(['a done', 'b done', 'c done', 'd done']);
});

test('a full disk is no fault of the cache', async () => {
  const machine = new Machine();
  const { imports } = machine.imports({
    ...(await cacheOf(chain(), ['a'])),
    fetch: () => Promise.reject(new BerthError('unavailable', 'no space left on device')),
  });
  await expect(machine.build([step('a')], imports)).rejects.toThrow('no space left on device');
});

test('an image that nobody looks into is not fetched', async () => {
  const machine = new Machine();
  const { imports } = machine.imports({ ...(await cacheOf(chain(), [])), fetch: () => Promise.resolve(null) });
  let fetched = 0;
  const [one, two] = [sha256('one'), sha256('two')];
  imports.promise({ name: 'base', layers: [one, two] }, () => {
    fetched++;
    machine.stored.add(one).add(two);
    return Promise.resolve();
  });
  const layers = [one, two].map((diffId) => imports.layer(diffId) as Layer);
  expect(fetched).toBe(0);
  expect(await lowerOf(layers)).toEqual([`/layers/${two}`, `/layers/${one}`]);
  expect(fetched).toBe(1);
});
