/** Replies of the engine have the shape of dockerd 28.5's, per API version (recorded by `record-shapes.ts`). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import recorded from './docker-shapes.json' with { type: 'json' };
import type { Recorded } from './record-shapes.ts';
import { type Ask, askOver, makeWorld, type World } from './scenario.ts';
import { applyChanges, compareShapes, type Shape, shapeOf } from './shape.ts';

/** Where we may differ, and why. */
const free: Record<string, readonly RegExp[]> = {
  // No containerd and no CDI here; runtimes tell their features only where they know the command.
  info: [
    /^\.Containerd/,
    /^\.CDISpecDirs/,
    /^\.Runtimes\./,
    /^\.DriverStatus/,
    /^\.(Containerd|Runc|Init)Commit\.Expected$/,
    /^\.Labels/,
    /^\.Warnings/,
    /^\.DefaultAddressPools/,
    /^\.RegistryConfig\.(Mirrors|IndexConfigs)/,
  ],
  version: [/^\.Components\[\]\.Details/],
  // Data of the storage driver; Docker's own differ from driver to driver.
  'container inspect, running': [/^\.GraphDriver\.Data/],
  'container inspect, created': [/^\.GraphDriver\.Data/],
  'container inspect with size': [/^\.GraphDriver\.Data/],
  'image inspect': [/^\.GraphDriver\.Data/],
  // What the kernel counts depends on the host's cgroups. Docker forgets id and name in a single reading from 1.41 on.
  'container stats': [
    /^\.memory_stats\./,
    /^\.blkio_stats\./,
    /percpu_usage/,
    /^\.pids_stats/,
    /^\.networks/,
    /^\.(id|name)$/,
  ],
  'disk usage': [/^\.(Volumes|BuildCache|Images)\[\]/],
};

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

describe('shapes of dockerd 28.5', () => {
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
        for (const line of compareShapes(shape, shapeOf(answer.value), free[name] ?? []))
          different.push(`${name}: ${line}`);
      }
      expect(different).toEqual([]);
    });
  }
});
