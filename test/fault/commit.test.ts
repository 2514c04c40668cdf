/** kill -9 of the engine at every named step of a commit, and in the middle of one: an image is there whole, or nothing of it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.failpoints.clear());
afterAll(() => engine.cleanUp());

const left = (directory: string): string[] => readdirSync(join(engine.identity.dataRoot, directory));

/** A running container that counts, with `megabytes` of its own. */
async function counter(name: string, megabytes: number): Promise<void> {
  const script = `head -c ${megabytes}m /dev/urandom >/big; i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.02; done`;
  await engine.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', script);
  await until('it to count', async () => (await engine.berth('exec', name, 'cat', '/count')).code === 0);
}

async function commit(name: string): Promise<number> {
  try {
    const response = await engine.request('POST', `/commit?container=${name}&repo=${name}&tag=1`);
    await response.text();
    return response.status;
  } catch {
    // The engine died.
    return 0;
  }
}

async function expectWhole(name: string, isThere: boolean, layersBefore: number): Promise<void> {
  const { status } = await engine.request('GET', `/images/${name}:1/json`);
  expect(status).toBe(isThere ? 200 : 404);
  await until('what the dead engine left to be gone', () => left('layers').length === layersBefore + (isThere ? 1 : 0));
  expect(left('tmp')).toEqual([]);
  // It goes on: nothing stays frozen.
  const count = await engine.ok('exec', name, 'cat', '/count');
  await until('it to count on', async () => (await engine.ok('exec', name, 'cat', '/count')) !== count);
  expect((await engine.inspect(name)).State).toMatchObject({ Status: 'running', Paused: false });
  expect(await commit(name)).toBe(201);
  expect((await engine.request('GET', `/images/${name}:1/json`)).status).toBe(200);
  await engine.ok('rm', '-f', name);
  await engine.expectNoLeaks();
}

test('there are named steps', () => {
  expect(failpointsOf('commit')).toEqual(['commit.after-layer', 'commit.after-image', 'commit.after-pause']);
});

test.each(failpointsOf('commit'))('kill -9 at %s', async (step) => {
  const name = step.replace('.', '-');
  await counter(name, 1);
  const before = left('layers').length;
  engine.failpoints.arm(step, 'kill9');
  expect(await commit(name)).toBe(0);
  await engine.died();
  await engine.start();
  await expectWhole(name, step === 'commit.after-image', before);
});

test('kill -9 while the layer is written', async () => {
  await counter('half', 60);
  const before = left('layers').length;
  const answer = commit('half');
  await until('a layer to be on its way', () => left('tmp').some((name) => left(join('tmp', name)).length > 0));
  await engine.kill9();
  expect(await answer).toBe(0);
  await engine.start();
  await expectWhole('half', false, before);
});

test('a container that is removed while it is committed makes no image', async () => {
  await counter('gone', 1);
  const flag = join(engine.identity.dataRoot, '..', `${engine.identity.bridge}-go-on`);
  engine.failpoints.arm('commit.after-pause', `delay ${flag}`);
  const answer = commit('gone');
  await until('it to stand still', async () => (await engine.inspect('gone')).State.Paused);
  await engine.ok('rm', '-f', 'gone');
  await Bun.write(flag, '');
  expect([404, 409, 500]).toContain(await answer);
  await Bun.file(flag).delete();
  expect((await engine.request('GET', '/images/gone:1/json')).status).toBe(404);
  await engine.expectNoLeaks();
});
