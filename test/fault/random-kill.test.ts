/** kill -9 at random moments of many clients' work, twenty times; `./quickstart soak` does it three hundred times. */
import { afterAll, beforeAll, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { killAtRandom } from '../support/random-kill.ts';

const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

test(`twenty kills, seed ${seed}`, () => killAtRandom(engine, 20, seed));
