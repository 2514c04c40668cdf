/**
 * The leak checker is proved on a whole engine: a start fails, one step of its undoing is left out, and the checker must see what
 * that step would have taken away. The next engine then cleans it up.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.failpoints.clear());
afterAll(() => engine.cleanUp());

const sabotages: [undo: string, failing: string, leak: RegExp][] = [
  ['undo.network', 'run.after-network', /database: 1 rows in endpoints/],
  ['undo.bundle', 'run.after-bundle', /file: .*\/containers\/[0-9a-f]{64}/],
  ['undo.process', 'run.after-shim', /process: \d+ .*shim/],
];

test.each(sabotages)('without %s', async (undo, failing, leak) => {
  engine.failpoints.arm(failing, 'error no room for it');
  engine.failpoints.arm(undo, 'drop');
  const run = await engine.berth('run', '-d', '--name', 'failing', 'busybox', 'sleep', '1000');
  expect(run.stderr).toContain('no room for it');
  expect(engine.failpoints.hits()).toEqual([failing, undo]);
  await engine.removeContainers();
  await expect(engine.expectNoLeaks(5_000)).rejects.toThrow(leak);
  await engine.kill9();
  await engine.start();
  await engine.expectNoLeaks();
});

test('with all of them nothing is seen', async () => {
  for (const [, failing] of sabotages) {
    engine.failpoints.arm(failing, 'error no room for it');
    expect((await engine.berth('run', '-d', 'busybox', 'sleep', '1000')).code).not.toBe(0);
  }
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
