/** kill -9 of the engine at every named step of a load, and in the middle of one: an image is there whole, or nothing of it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { dockerArchive } from '../support/images.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterEach(() => engine.failpoints.clear());
afterAll(() => engine.cleanUp());

const left = (directory: string): string[] => readdirSync(join(engine.identity.dataRoot, directory));

function archive(name: string, bytes = 100_000): Uint8Array<ArrayBuffer> {
  const layers = [
    tar([{ name: 'one', content: randomBytes(bytes) }]),
    tar([{ name: 'two', content: randomBytes(10) }]),
  ];
  return dockerArchive({ tags: [name], layers });
}

async function load(body: Uint8Array<ArrayBuffer> | ReadableStream): Promise<string> {
  try {
    return await (await engine.request('POST', '/images/load', body, { 'content-type': 'application/x-tar' })).text();
  } catch (error) {
    return `broken: ${error}`;
  }
}

async function has(name: string): Promise<boolean> {
  return (await engine.request('GET', `/images/${name}/json`)).status === 200;
}

test.each(failpointsOf('load'))('kill -9 at %s', async (step) => {
  const name = `${step.replaceAll('.', '-')}:1`;
  const bytes = archive(name);
  const before = left('layers').length;
  engine.failpoints.arm(step, 'kill9');
  await load(bytes);
  await engine.died();
  await engine.start();
  const isThere = step === 'load.after-commit';
  expect(await has(name)).toBe(isThere);
  await until('what the dead engine left to be gone', () => left('layers').length === before + (isThere ? 2 : 0));
  expect(left('tmp')).toEqual([]);
  expect(await load(bytes)).toContain(`Loaded image: ${name}`);
  expect(await has(name)).toBe(true);
  await engine.expectNoLeaks();
});

test('kill -9 while the archive streams', async () => {
  const bytes = archive('half:1', 3_000_000);
  const before = left('layers').length;
  const killed = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, 2_000_000));
      await until('a layer to be unpacked', () => left('tmp').length > 0);
      await engine.kill9();
      killed.resolve();
      controller.close();
    },
  });
  await load(body);
  await killed.promise;
  await engine.start();
  expect(await has('half:1')).toBe(false);
  await until(
    'what the dead engine left to be gone',
    () => left('layers').length === before && left('tmp').length === 0,
  );
  await engine.expectNoLeaks();
});
