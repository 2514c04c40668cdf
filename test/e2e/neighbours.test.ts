/** What one machine has once belongs to one engine: its data root, its bridge. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.cleanUp());

/** The command of the running engine, with other flags after its own: the last one counts. */
async function second(...flags: string[]): Promise<string> {
  const { code, stderr } = await run([...engine.command, ...flags]);
  expect(code).toBe(1);
  expect(await engine.answers()).toBe(true);
  return stderr;
}

test('a second engine on the same data root says so and ends', async () => {
  expect(await second()).toContain(`another engine uses the data root ${engine.identity.dataRoot} already`);
});

test('a second engine on the same bridge says so and ends', async () => {
  const own = join(engine.identity.dataRoot, 'tmp', 'second');
  expect(await second('--data-root', own, '--exec-root', `${own}/run`, '--pidfile', `${own}.pid`)).toContain(
    `another engine uses the bridge ${engine.identity.bridge} already`,
  );
  await run(['rm', '-r', own]);
});
