/** kill -9 at random moments. The seed is printed; `SOAK_SEED` repeats a run, `SOAK_ROUNDS` makes it shorter or longer. */
import { afterAll, beforeAll, test } from 'bun:test';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { killAtRandom } from '../support/random-kill.ts';

const rounds = Number(process.env['SOAK_ROUNDS'] ?? 300);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(() => engine.cleanUp());

test(`${rounds} kills, seed ${seed}`, () => killAtRandom(engine, rounds, seed));
