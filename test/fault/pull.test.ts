/** kill -9 of the engine at every named step of a pull: the next engine has nothing half done, and the next pull succeeds. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { type ImageFixture, imageFixture } from '../support/image-fixture.ts';
import { TestRegistry } from '../support/registry.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  engine = await startEngine();
});
afterEach(() => {
  engine.failpoints.clear();
  registry.clearFaults();
  registry.requests.length = 0;
});
afterAll(async () => {
  await engine.cleanUp();
  await registry.stop();
});

const random = (length: number): string => Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString('hex');

/** A new image each time, so that no step is skipped because of an earlier test. */
function freshImage(): ImageFixture {
  return imageFixture({
    layers: [[{ name: 'one', content: random(300_000) }], [{ name: 'two', content: random(10) }]],
    compression: 'none',
  });
}

/** The progress stream; a connection that breaks with the engine is an answer too. */
async function pull(name: string): Promise<string> {
  try {
    const response = await engine.request('POST', `/images/create?fromImage=${encodeURIComponent(name)}`);
    return await response.text();
  } catch (error) {
    return `broken: ${error}`;
  }
}

function left(directory: string): string[] {
  const path = join(engine.identity.dataRoot, directory);
  return existsSync(path) ? readdirSync(path) : [];
}

describe('kill -9', () => {
  test.each(failpointsOf('pull'))('at %s', async (step) => {
    const image = freshImage();
    const name = registry.add('app/one', step, image);
    const layersBefore = left('layers').length;
    engine.failpoints.arm(step, 'kill9');
    await pull(name);
    await engine.died();
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.start();
    const present = await engine.request('GET', `/images/${encodeURIComponent(name)}/json`);
    expect(present.status).toBe(step === 'pull.after-commit' ? 200 : 404);
    if (step !== 'pull.after-commit')
      await until('what the dead engine left to be gone', () => left('layers').length === layersBefore);
    expect(left('tmp')).toEqual([]);

    expect(await pull(name)).toContain('Status: ');
    const inspected = await engine.request('GET', `/images/${encodeURIComponent(name)}/json`);
    expect(((await inspected.json()) as { Id: string }).Id).toBe(image.config.digest);
    expect(left('downloads')).toEqual([]);
    await engine.expectNoLeaks();
  });
});

test('what was downloaded before the kill is not downloaded again', async () => {
  const image = freshImage();
  const [layer] = image.layers;
  const name = registry.add('app/one', 'resume', image);
  const path = new RegExp(`blobs/${layer?.digest}`);
  registry.fail(path, { kind: 'stall', after: 262_144 });
  const cut = pull(name);
  const partial = join(engine.identity.dataRoot, 'downloads', String(layer?.digest.slice(7)));
  await until('half of the layer', () => existsSync(partial) && Bun.file(partial).size >= 262_144);
  await engine.kill9();
  await cut;
  await engine.start();
  expect(await pull(name)).toContain('Downloaded newer image');
  const asked = registry.requests.filter((request) => path.test(request.path));
  expect(asked.map((request) => request.headers.range)).toEqual([undefined, 'bytes=262144-']);
});
