/** Large layers come through a child: what goes wrong on the way is known here as if it had happened here. */
import { afterEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BerthError } from '../../src/api/errors.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { type FixtureBlob, imageFixture } from '../support/image-fixture.ts';
import { PullBench } from '../support/pull-bench.ts';
import { type RegistryOptions, TestRegistry } from '../support/registry.ts';
import { until } from '../support/until.ts';

const image = imageFixture({
  layers: [[{ name: 'big', content: randomBytes(12 * 1024 * 1024).toString('hex') }]],
  compression: 'none',
});
const layer = image.layers[0] as FixtureBlob;
const path = new RegExp(`blobs/${layer.digest}`);
const half = 3_000_000;

const owned: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of owned.splice(0)) await one.stop();
});

async function start(
  options: RegistryOptions = {},
): Promise<{ registry: TestRegistry; bench: PullBench; name: string }> {
  const registry = await TestRegistry.start(options);
  const bench = await PullBench.start();
  owned.push(registry, bench);
  return { registry, bench, name: registry.add('app/big', 'v1', image) };
}

const ranges = (registry: TestRegistry): (string | undefined)[] =>
  registry.requests
    .filter((request) => path.test(request.path))
    .map(({ headers }) => headers.range as string | undefined);

test('a break, a bad answer and a connection that dies are gone on behind', async () => {
  const { registry, bench, name } = await start();
  registry.fail(path, { kind: 'break', after: half });
  registry.fail(path, { kind: 'status', status: 503 });
  registry.fail(path, { kind: 'reset' });
  expect((await bench.pull(name)).error).toBeNull();
  const asked = ranges(registry).map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
  expect(asked[0]).toBe(0);
  expect(asked.length).toBe(4);
  expect(asked[3]).toBeGreaterThan(0);
});

test('a registry without ranges sends it again from the beginning', async () => {
  const { registry, bench, name } = await start({ ranges: false });
  registry.fail(path, { kind: 'break', after: half });
  expect((await bench.pull(name)).error).toBeNull();
});

test('a refusal is final, in the registry’s words', async () => {
  const { registry, bench, name } = await start();
  const body = '{"errors":[{"code":"DENIED","message":"not for you"}]}';
  registry.fail(path, { kind: 'status', status: 403, body }, 1e9);
  const error = (await bench.pull(name)).error as BerthError;
  expect([error.kind, error.code]).toEqual(['not-found', 'pull-access-denied']);
  expect(error.message).toContain('denied: not for you');
  expect(ranges(registry)).toHaveLength(1);
});

test('wrong bytes are asked for once more, and no more', async () => {
  const { registry, bench, name } = await start();
  registry.fail(path, { kind: 'corrupt' }, 1e9);
  expect((await bench.pull(name)).error?.message).toBe(
    `filesystem layer verification failed for digest ${layer.digest}`,
  );
  expect(ranges(registry)).toEqual([undefined, undefined]);
  expect(await readdir(bench.directory)).toEqual([]);
});

test('a token goes along, and another is had where it dies', async () => {
  const { registry, bench, name } = await start({ auth: { kind: 'token', user: 'u', password: 'p' } });
  const auth = { username: 'u', password: 'p' };
  expect((await bench.pull(name, { auth })).error).toBeNull();
  expect(registry.count('GET', /^\/token/)).toBe(1);
  const again = await PullBench.start();
  owned.push(again);
  const headers = { 'www-authenticate': `Bearer realm="${registry.url}/token",service="x",error="invalid_token"` };
  registry.fail(path, { kind: 'status', status: 401, headers });
  expect((await again.pull(name, { auth })).error).toBeNull();
});

test('whoever leaves stops it; the next one goes on from there', async () => {
  const { registry, bench, name } = await start();
  registry.fail(path, { kind: 'slow', bytesPerSecond: 4_000_000 });
  const leaving = new AbortController();
  const pulled = bench.pull(name, { signal: leaving.signal });
  const file = join(bench.directory, digestHex(layer.digest));
  await until('a part of it', async () => (await stat(file).catch(() => ({ size: 0 }))).size > half);
  leaving.abort();
  expect((await pulled).error?.message).toBe('context canceled');
  await until('the end of the connection', () => registry.active === 0);
  expect((await bench.pull(name)).error).toBeNull();
  expect(Number(/\d+/.exec(String(ranges(registry).at(-1)))?.[0])).toBeGreaterThan(half);
});
