/** kill -9 of the engine at every named step of a volume's life and of a removal: nothing is left of what was not kept. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  engine.failpoints.clear();
  await engine.removeContainers();
  await engine.request('POST', '/volumes/prune?filters={"all":["true"]}');
  await engine.expectNoLeaks();
});
afterAll(() => engine.cleanUp());

const directories = (): string[] => readdirSync(join(engine.identity.dataRoot, 'volumes')).sort();

async function volumes(): Promise<string[]> {
  const answer = (await (await engine.request('GET', '/volumes')).json()) as { Volumes: { Name: string }[] };
  return answer.Volumes.map(({ Name }) => Name).sort();
}

/** The status, or 0 where the engine died. */
async function ask(method: string, path: string, body?: unknown): Promise<number> {
  try {
    const response = await engine.request(method, path, body);
    await response.text();
    return response.status;
  } catch {
    // The engine died.
    return 0;
  }
}

async function dieAndComeBack(step: string): Promise<void> {
  expect(engine.failpoints.hits()).toEqual([step]);
  await engine.died();
  await engine.start();
}

describe('kill -9', () => {
  test.each(failpointsOf('volume-rename'))('at %s, the new name counts', async (step) => {
    await engine.ok('run', '--rm', '-v', 'one:/v', 'busybox', 'sh', '-c', 'echo kept > /v/f');
    await engine.ok('create', '--name', 'user', '-v', 'one:/v', 'busybox', 'cat', '/v/f');
    engine.failpoints.arm(step, 'kill9');
    expect(await ask('POST', '/berth/v1/volumes/one/rename?to=two')).toBe(0);
    await dieAndComeBack(step);
    expect(await volumes()).toEqual(['two']);
    expect(directories()).toEqual(['two']);
    expect(await engine.ok('start', '-a', 'user')).toBe('kept');
  });

  test.each(failpointsOf('volume-copy'))('at %s, of a clone and an import, nothing is left', async (step) => {
    await engine.ok('run', '--rm', '-v', 'one:/v', 'busybox', 'sh', '-c', 'echo kept > /v/f');
    const archive = join(engine.identity.notes, 'one.tar');
    await engine.ok('volume', 'export', '-o', archive, 'one');
    for (const words of [
      ['clone', 'one', 'two'],
      ['import', 'two', archive],
    ]) {
      engine.failpoints.arm(step, 'kill9');
      expect((await engine.berth('volume', ...words)).code).not.toBe(0);
      await engine.died();
      await engine.start();
      expect(await volumes()).toEqual(['one']);
      expect(directories()).toEqual(['one']);
      await engine.ok('volume', ...words);
      expect(await engine.ok('run', '--rm', '-v', 'two:/v', 'busybox', 'cat', '/v/f')).toBe('kept');
      await engine.ok('volume', 'rm', 'two');
    }
  });

  test.each(failpointsOf('volume-import'))('at %s, a volume is empty or has all of it', async (step) => {
    await engine.ok('run', '--rm', '-v', 'one:/v', 'busybox', 'sh', '-c', 'echo kept > /v/f');
    const archive = join(engine.identity.notes, 'one.tar');
    await engine.ok('volume', 'export', '-o', archive, 'one');
    await engine.ok('volume', 'create', 'two');
    engine.failpoints.arm(step, 'kill9');
    expect((await engine.berth('volume', 'import', 'two', archive)).code).not.toBe(0);
    await dieAndComeBack(step);
    const content = await engine.ok('run', '--rm', '-v', 'two:/v', 'busybox', 'ls', '/v');
    expect(content).toBe(step.endsWith('after-rename') ? 'f' : '');
    expect(readdirSync(join(engine.identity.dataRoot, 'tmp'))).toEqual([]);
  });

  test.each(failpointsOf('volume'))('at %s, of a volume that is made and removed', async (step) => {
    engine.failpoints.arm(step, 'kill9');
    // One of these strikes.
    if ((await ask('POST', '/volumes/create', { Name: 'one' })) !== 0) await ask('DELETE', '/volumes/one');
    await dieAndComeBack(step);
    await until('the books and the disk to agree', async () => Bun.deepEquals(await volumes(), directories()));
    expect(await volumes()).toEqual([]);
    expect(await ask('POST', '/volumes/create', { Name: 'one' })).toBe(201);
    expect(await engine.ok('run', '--rm', '-v', 'one:/v', 'busybox', 'ls', '/v')).toBe('');
  });

  test.each(failpointsOf('volume'))('at %s, of an anonymous volume of a container', async (step) => {
    await engine.ok('volume', 'create', 'stays');
    engine.failpoints.arm(step, 'kill9');
    await engine.berth('run', '--rm', '-v', '/anonymous', '-v', 'stays:/s', 'busybox', 'touch', '/s/file');
    await engine.died();
    expect(engine.failpoints.hits()).toEqual([step]);
    await engine.start();
    await until('the container to be gone', async () => (await engine.ok('ps', '-aq')) === '');
    await until('only the named volume to be left', () => Bun.deepEquals(directories(), ['stays']));
    expect(await volumes()).toEqual(['stays']);
  });

  test.each(failpointsOf('remove'))('at %s, of a running container with its volumes', async (step) => {
    await engine.ok('run', '-d', '--name', 'leaving', '-v', '/anonymous', 'busybox', 'sleep', '1000');
    const { Id, State } = await engine.inspect('leaving');
    engine.failpoints.arm(step, 'kill9');
    expect(await ask('DELETE', '/containers/leaving?force=1&v=1')).toBe(0);
    await dieAndComeBack(step);
    await until('the container to be gone', async () => (await ask('GET', `/containers/${Id}/json`)) === 404);
    await until('its process to be gone', () => !existsSync(`/proc/${State.Pid}`));
    await until('its volume to be gone', () => directories().length === 0);
    await engine.ok('run', '--rm', '--name', 'leaving', 'busybox', 'true');
  });
});

describe('an error', () => {
  test.each(failpointsOf('remove'))('at %s is told; the container can be removed again', async (step) => {
    await engine.ok('run', '-d', '--name', 'staying', 'busybox', 'sleep', '1000');
    engine.failpoints.arm(step, 'error no room for it');
    expect(await ask('DELETE', '/containers/staying?force=1')).toBe(500);
    expect((await engine.inspect('staying')).State.Status).toBe('dead');
    expect(await ask('DELETE', '/containers/staying?force=1')).toBe(204);
  });

  test.each(failpointsOf('volume').filter((step) => step !== 'volume.after-delete'))('at %s is told', async (step) => {
    engine.failpoints.arm(step, 'error no room for it');
    const created = await ask('POST', '/volumes/create', { Name: 'one' });
    if (created === 201) expect(await ask('DELETE', '/volumes/one')).toBe(500);
    else expect(created).toBe(500);
    expect(engine.failpoints.hits()).toEqual([step]);
    expect(await volumes()).toEqual(directories());
    expect(await ask('DELETE', '/volumes/one?force=1')).toBe(204);
    expect(directories()).toEqual([]);
  });
});

describe('a device', () => {
  const mounted = (): number =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${engine.identity.dataRoot}/volumes/`)).length;
  const device = { Name: 'memory', DriverOpts: { type: 'tmpfs', device: 'tmpfs' } };

  const steps = ['run.after-network', 'run.after-bundle', 'run.after-shim', 'run.after-start'];
  test.each(steps)('that a start had mounted at %s goes with the next engine', async (step) => {
    expect(await ask('POST', '/volumes/create', device)).toBe(201);
    engine.failpoints.arm(step, 'kill9');
    await engine.berth('run', '-d', '--name', 'one', '-v', 'memory:/v', 'busybox', 'sleep', '1000');
    await dieAndComeBack(step);
    // The container may live: then the device is its own.
    await engine.removeContainers();
    await until('the end of the mount', () => mounted() === 0);
    expect(await ask('DELETE', '/volumes/memory')).toBe(204);
  });

  test('of a container that ended while there was no engine is let go', async () => {
    expect(await ask('POST', '/volumes/create', device)).toBe(201);
    await engine.ok(
      'run',
      '-d',
      '--name',
      'one',
      '-v',
      'memory:/v',
      'busybox',
      'sh',
      '-c',
      'until [ -e /v/go ]; do usleep 10000; done',
    );
    const { State } = await engine.inspect('one');
    expect(mounted()).toBe(1);
    await engine.kill9();
    writeFileSync(`/proc/${State.Pid}/root/v/go`, '');
    await until('the end of the container', () => !existsSync(`/proc/${State.Pid}`));
    await engine.start();
    await until('the end of the mount', () => mounted() === 0);
  });
});
