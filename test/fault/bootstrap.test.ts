/** kill -9 of the engine while debootstrap works for it: nothing works on for nobody, and nothing is left. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.cleanUp());

/** Command lines of processes that carry this engine's data root and run debootstrap. */
function workers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(engine.identity.dataRoot) && line.includes('debootstrap'));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

test('debootstrap dies with the engine', async () => {
  const client = engine.spawn('berth', 'image', 'bootstrap', 'debian');
  await until('packages to be unpacked', () => /Unpacking|Extracting/.test(client.stdout), 90_000);
  expect(workers().length).toBeGreaterThan(0);
  await engine.kill9();
  await until('debootstrap to be gone', () => workers().length === 0);
  await client.kill();
  await engine.start();
  await until('its files to be gone', () => readdirSync(join(engine.identity.dataRoot, 'tmp')).length === 0);
  await engine.expectNoLeaks();
}, 300_000);
