/** kill -9 of the engine at every named step of a push: what it had begun ends with it, and the next push is whole. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { TestRegistry } from '../support/registry.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => {
  engine.failpoints.clear();
  registry.clearFaults();
  registry.requests.length = 0;
  registry.blobs.clear();
});
afterAll(async () => {
  await engine.cleanUp();
  await registry.stop();
});

/** The progress stream; a connection that breaks with the engine is an answer too. */
async function push(repository: string): Promise<string> {
  try {
    const response = await engine.request('POST', `/images/${repository}/push?tag=v1`, undefined, {
      'x-registry-auth': 'e30=',
    });
    return await response.text();
  } catch (error) {
    return `broken: ${error}`;
  }
}

/** Processes that push for this engine. */
function pushers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isPusher(pid) && new RegExp(`^PPid:\\s+${engine.pid}$`, 'm').test(read(pid, 'status')));
}

const isPusher = (pid: number): boolean => read(pid, 'cmdline').includes('--job\0push-layers');

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

const left = (): string[] => readdirSync(join(engine.identity.dataRoot, 'tmp'));

describe('kill -9', () => {
  test.each(failpointsOf('push'))('at %s', async (step) => {
    const repository = `${registry.host}/app/${step.replaceAll('.', '-')}`;
    await engine.ok('tag', 'busybox', `${repository}:v1`);
    registry.fail(/uploads\/upload/, { kind: 'slow', bytesPerSecond: 2_000_000 }, 1, 'PATCH');
    engine.failpoints.arm(step, 'kill9');
    const pushed = push(repository);
    let begun: number[] = [];
    await until('what sends the layer', () => {
      begun = pushers();
      return begun.length > 0;
    });
    await pushed;
    await engine.died();
    expect(engine.failpoints.hits()).toEqual([step]);
    await until('the end of what it had begun', () => !begun.some(isPusher), 2000);
    await engine.start();
    expect(left()).toEqual([]);
    expect(await push(repository)).toContain('v1: digest: sha256:');
    const document = registry.manifests.get(repository.slice(registry.host.length + 1))?.get('v1');
    const { layers } = JSON.parse(new TextDecoder().decode(document?.bytes)) as { layers: { digest: string }[] };
    for (const { digest } of layers) expect(registry.blobs.has(digest)).toBe(true);
    await engine.expectNoLeaks();
  });
});

test('a client that leaves ends its push within a second, and nothing of it stays', async () => {
  const name = `${registry.host}/app/left:v1`;
  await engine.ok('tag', 'busybox', name);
  registry.fail(/uploads\/upload/, { kind: 'slow', bytesPerSecond: 20_000 }, 1, 'PATCH');
  const client = engine.spawn('docker', 'push', name);
  await until('the upload', () => registry.count('PATCH', /uploads/) === 1);
  await client.kill();
  await until('its end', () => pushers().length === 0 && left().length === 0, 1000);
  registry.clearFaults();
  expect(await engine.ok('push', name)).toContain('v1: digest: sha256:');
});

test('what a layer was packed as is known to the next engine: nothing is packed or sent again', async () => {
  const base = `${registry.host}/app/base:v1`;
  await engine.ok('tag', 'busybox', base);
  await engine.ok('push', base);
  await engine.restart();
  // An image of its own, that has the layer below one that is new.
  await engine.ok('run', '--name', 'top', '--network', 'none', 'busybox', 'sh', '-c', 'echo top > /top');
  const top = `${registry.host}/app/top:v1`;
  await engine.ok('commit', 'top', top);
  await engine.ok('rm', 'top');
  registry.requests.length = 0;
  const output = await engine.ok('push', top);
  expect(output.match(/: Layer already exists/g)).toHaveLength(1);
  expect(output.match(/: Pushed/g)).toHaveLength(1);
  expect(registry.count('PATCH', /uploads/)).toBe(1);
});

test('a layer that is refused ends the push, however long the others would take', async () => {
  await engine.ok(
    'run',
    '--name',
    'two',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'head -c 900000 /dev/urandom > /two',
  );
  const name = `${registry.host}/app/refused:v1`;
  await engine.ok('commit', 'two', name);
  await engine.ok('rm', 'two');
  const body = '{"errors":[{"code":"DENIED","message":"quota exceeded"}]}';
  registry.fail(/uploads\/upload/, { kind: 'status', status: 403, body }, 1, 'PATCH');
  registry.fail(/uploads\/upload/, { kind: 'slow', bytesPerSecond: 5_000 }, 1e9, 'PATCH');
  const { code, stderr } = await engine.berth('push', name);
  expect([code, stderr]).toEqual([1, expect.stringContaining('denied: quota exceeded')]);
  await until('its end', () => pushers().length === 0 && left().length === 0, 1000);
}, 60_000);
