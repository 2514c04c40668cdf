/** Ten thousand execs in one container leave the memory of its shim and of the engine where it was. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { manyExecs, privateKilobytes, zombiesOf } from '../support/many-execs.ts';
import { shimOf } from '../support/shim-of.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

test('ten thousand execs', async () => {
  await engine.ok('run', '-d', '--name', 'host', 'busybox', 'sleep', '100000');
  const shim = await shimOf((await engine.inspect('host')).State.Pid);
  // As many as the engine keeps for those who ask later.
  await manyExecs(engine, 'host', { count: 1500, together: 10 });
  const before = { shim: privateKilobytes(shim), engine: privateKilobytes(engine.pid) };
  await manyExecs(engine, 'host', { count: 10_000, together: 10 });
  expect(privateKilobytes(shim) - before.shim).toBeLessThan(64);
  expect(privateKilobytes(engine.pid) - before.engine).toBeLessThan(30_000);
  expect(zombiesOf(shim)).toEqual([]);
  await engine.ok('rm', '-f', 'host');
});
