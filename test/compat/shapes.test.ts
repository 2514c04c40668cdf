/** Replies of the engine have the shape of dockerd 28.5's, per API version (recorded by `record-shapes.ts`). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import recorded from './docker-shapes.json' with { type: 'json' };
import type { Recorded } from './record-shapes.ts';
import { type Ask, askOver, makeWorld, type World } from './scenario.ts';
import { applyChanges, compareShapes, type Shape, shapeOf } from './shape.ts';

interface Difference {
  /** Of the questions of `scenario.ts`. */
  question: RegExp;
  path: RegExp;
  why: string;
  /** Seen on some hosts, or in some configurations, only. */
  varies?: boolean;
}

/** Where we may differ: at most thirty entries, each with its reason, none that is not needed. */
const allowed: readonly Difference[] = [
  { question: /^info$/, path: /^\.Containerd/, why: 'there is no containerd' },
  { question: /^info$/, path: /^\.Runtimes\./, why: 'features are told of known runtimes only' },
  {
    question: /^info$/,
    path: /^\.(DriverStatus|Warnings|RegistryConfig|DefaultAddressPools)/,
    why: 'host and configuration',
    varies: true,
  },
  { question: /inspect/, path: /^\.GraphDriver\.Data/, why: "the storage driver's own words", varies: true },
  { question: /stats/, path: /^\.(memory_stats|blkio_stats|pids_stats)/, why: "the host's cgroups", varies: true },
  { question: /stats/, path: /percpu_usage/, why: "the host's cgroups", varies: true },
  { question: /stats/, path: /^\.(id|name):/, why: 'Docker forgets them in a single reading since 1.41' },
  {
    question: /^disk usage$/,
    path: /^\.(Volumes|BuildCache|Images|Containers)/,
    why: 'everything on the host',
    varies: true,
  },
];

const { replies } = recorded as unknown as Recorded;

let engine: TestEngine;
let ask: Ask;
let world: World;
beforeAll(async () => {
  engine = await startEngine();
  ask = askOver(engine.identity.socket);
  world = await makeWorld(ask, 'ours');
});
afterAll(async () => {
  await world?.dispose();
  await engine?.cleanUp();
});

test('the list of differences is short', () => {
  expect(allowed.length).toBeLessThanOrEqual(30);
});

describe('shapes of dockerd 28.5', () => {
  const needed = new Set<Difference>();
  const shapes = new Map<string, { status: number; shape: Shape }>();
  for (const [version, changed] of Object.entries(replies)) {
    for (const [name, { status, changes }] of Object.entries(changed))
      shapes.set(name, { status, shape: applyChanges(shapes.get(name)?.shape ?? {}, changes) });
    const wanted = new Map(shapes);
    test(`API ${version}`, async () => {
      const different: string[] = [];
      for (const [name, path] of world.questions) {
        const { status, shape } = wanted.get(name) as { status: number; shape: Shape };
        const answer = await ask('GET', `/v${version}${path}`);
        if (answer.status !== status) different.push(`${name}: status ${answer.status}, Docker has ${status}`);
        const here = allowed.filter(({ question }) => question.test(name));
        for (const line of compareShapes(shape, shapeOf(answer.value))) {
          const why = here.find(({ path: where }) => where.test(line));
          if (why) needed.add(why);
          else different.push(`${name}: ${line}`);
        }
      }
      expect(different).toEqual([]);
    });
  }
  test('no difference is listed that there is not', () => {
    expect(allowed.filter((one) => !one.varies && !needed.has(one))).toEqual([]);
  });
});
