/** Pushes by docker's client into a registry in this process, and back again. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BerthRegistry } from '../support/berth-registry.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { imageFixture } from '../support/image-fixture.ts';
import { TestRegistry } from '../support/registry.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let registry: TestRegistry;
let guarded: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  guarded = await TestRegistry.start({ auth: { kind: 'token', user: 'user', password: 'secret' } });
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => {
  registry.clearFaults();
  registry.requests.length = 0;
});
afterAll(async () => {
  await engine.cleanUp();
  for (const one of [registry, guarded]) await one.stop();
});

async function docker(...args: string[]): Promise<string> {
  const result = await engine.docker(...args);
  if (result.code !== 0) throw new Error(`docker ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trimEnd();
}
const idOf = (name: string): Promise<string> => docker('image', 'inspect', '-f', '{{.Id}}', name);

test('push, again, and pull it back', async () => {
  const name = `${registry.host}/app/busybox:v1`;
  await docker('tag', 'busybox', name);
  const output = await docker('push', name);
  const document = registry.manifests.get('app/busybox')?.get('v1');
  expect(output.split('\n')).toEqual([
    `The push refers to repository [${registry.host}/app/busybox]`,
    expect.stringMatching(/^[0-9a-f]{12}: Preparing$/),
    expect.stringMatching(/^[0-9a-f]{12}: Pushed$/),
    `v1: digest: ${document?.digest} size: ${document?.bytes.length}`,
  ]);
  expect(await docker('image', 'inspect', '-f', '{{.RepoDigests}}', name)).toContain(
    `${registry.host}/app/busybox@${document?.digest}`,
  );
  registry.requests.length = 0;
  expect(await docker('push', name)).toContain('Layer already exists');
  expect(registry.count('POST', /uploads/)).toBe(0);
  const id = await idOf(name);
  await docker('rmi', '-f', id);
  expect(await docker('pull', name)).toContain(`Digest: ${document?.digest}`);
  expect(await idOf(name)).toBe(id);
  await docker('tag', name, 'busybox');
  expect(await docker('run', '--rm', '--network', 'none', name, 'echo', 'back')).toBe('back');
});

test('an image that was pulled keeps its digest where the registry has its layers', async () => {
  const image = imageFixture({ layers: [[{ name: 'a' }], [{ name: 'b' }]] });
  await docker('pull', '-q', registry.add('app/pulled', 'v1', image));
  await docker('tag', `${registry.host}/app/pulled:v1`, `${registry.host}/app/pulled:v2`);
  expect(await docker('push', `${registry.host}/app/pulled:v2`)).toContain(`v2: digest: ${image.manifest.digest}`);
  expect(registry.count('POST', /uploads/)).toBe(0);
});

test('berth push, with credentials from berth login', async () => {
  const login = ['login', '-u', 'user', '--password-stdin', guarded.host];
  const { code, stderr } = await engine.berthWith({ stdin: 'secret' }, ...login);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const name = `${guarded.host}/app/ours:v1`;
  await engine.ok('tag', 'busybox', name);
  expect(await engine.ok('push', name)).toContain('v1: digest: sha256:');
  expect(await engine.ok('push', '-q', name)).toBe(name);
  await engine.ok('logout', guarded.host);
  const denied = await engine.berth('push', name);
  expect([denied.code, denied.stderr]).toEqual([
    1,
    expect.stringContaining('denied: requested access to the resource'),
  ]);
});

test('every tag where none is named', async () => {
  const repository = `${registry.host}/app/many`;
  for (const tag of ['a', 'b']) await docker('tag', 'busybox', `${repository}:${tag}`);
  const output = await docker('push', '-a', repository);
  expect(output).toContain('a: digest: sha256:');
  expect(output).toContain('b: digest: sha256:');
});

test('a layer that another repository has is mounted, not sent; the top comes first', async () => {
  const own = await BerthRegistry.start();
  try {
    await docker('run', '--name', 'topped', '--network', 'none', 'busybox', 'sh', '-c', 'echo top > /top');
    await docker('commit', 'topped', `${own.host}/one/app`);
    await docker('rm', 'topped');
    const layers = JSON.parse(
      await docker('inspect', '-f', '{{json .RootFS.Layers}}', `${own.host}/one/app`),
    ) as string[];
    const short = layers.toReversed().map((digest) => digest.slice(7, 19));
    const output = (await docker('push', `${own.host}/one/app`)).split('\n');
    expect(output.filter((line) => line.endsWith(': Preparing'))).toEqual(short.map((id) => `${id}: Preparing`));
    await docker('tag', `${own.host}/one/app`, `${own.host}/two/app`);
    const mounted = await docker('push', `${own.host}/two/app`);
    for (const id of short) expect(mounted).toContain(`${id}: Mounted from one/app`);
    expect(mounted.split('\n').at(-1)).toBe(output.at(-1) as string);
  } finally {
    await own.stop();
  }
});

test('what is refused', async () => {
  const none = await engine.docker('push', `${registry.host}/none:x`);
  expect(none.stderr).toContain(`An image does not exist locally with the tag: ${registry.host}/none`);
  const tag = await engine.docker('push', `${registry.host}/app/many:none`);
  expect(tag.stderr).toContain(`tag does not exist: ${registry.host}/app/many:none`);
  const name = `${guarded.host}/app/busybox:v1`;
  await docker('tag', 'busybox', name);
  const denied = await engine.docker('push', name);
  expect(denied.stderr).toContain('denied: requested access to the resource is denied');
  await engine.dockerWith({ stdin: 'secret' }, 'login', '-u', 'user', '--password-stdin', guarded.host);
  expect(await docker('push', name)).toContain('v1: digest: sha256:');
  registry.fail(/broken\/blobs\/sha256/, { kind: 'status', status: 404 }, 1e9);
  const body = '{"errors":[{"code":"UNSUPPORTED","message":"this registry is read-only"}]}';
  registry.fail(/uploads/, { kind: 'status', status: 405, body }, 1e9);
  await docker('tag', 'busybox', `${registry.host}/app/broken:v1`);
  const broken = await engine.docker('push', `${registry.host}/app/broken:v1`);
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('unsupported: this registry is read-only')]);
  await until('its files to be gone', () => readdirSync(join(engine.identity.dataRoot, 'tmp')).length === 0);
});
