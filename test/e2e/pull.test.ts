/** Pulls through the whole program, by both clients, from a registry in this process. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { imageFixture, indexFixture, jsonBlob } from '../support/image-fixture.ts';
import { TestRegistry } from '../support/registry.ts';
import { repository } from '../support/repository.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let registry: TestRegistry;
let guarded: TestRegistry;
const hello = imageFixture({
  layers: [
    [{ name: 'etc/', type: '5' }],
    [{ name: 'hello', content: readFileSync(join(repository, 'build/hello')), mode: 0o755 }],
  ],
});
const elsewhere = imageFixture({ platform: { os: 'linux', architecture: 's390x' } });
beforeAll(async () => {
  registry = await TestRegistry.start();
  guarded = await TestRegistry.start({ auth: { kind: 'token', user: 'user', password: 'secret' } });
  engine = await startEngine();
});
afterEach(() => registry.clearFaults());
afterAll(async () => {
  await engine.cleanUp();
  for (const one of [registry, guarded]) await one.stop();
});

test('docker run pulls what is not here, from an index, and runs it', async () => {
  registry.add('app/hello', 'elsewhere', elsewhere);
  registry.add('app/hello', 'here', hello);
  const name = registry.addManifest('app/hello', 'v1', indexFixture([elsewhere, hello]));
  const result = await engine.docker('run', '--rm', '--network', 'none', name, '/hello');
  expect(result.stdout).toContain('Hello from Berth!');
  expect(result.stderr).toContain(`Unable to find image '${name}' locally`);
  expect(result.stderr).toContain(`Status: Downloaded newer image for ${name}`);
});

test('berth pull: quiet, all tags, what it prints at the end', async () => {
  const name = registry.add('app/tags', 'one', hello);
  registry.add('app/tags', 'two', elsewhere);
  expect(await engine.ok('pull', '-q', name)).toBe(name);
  const all = await engine.ok('pull', '-a', `${registry.host}/app/tags`);
  expect(all).toContain('two: Pulling from app/tags');
  const images = await engine.ok('images', '--format', '{{.Repository}}:{{.Tag}}');
  expect(images.split('\n')).toContain(`${registry.host}/app/tags:two`);
});

test('what is refused', async () => {
  const none = await engine.docker('pull', `${registry.host}/none:x`);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain(`Error response from daemon: repository ${registry.host}/none not found: name unknown`);
  const denied = await engine.docker('pull', guarded.add('app/one', 'v1', hello));
  expect(denied.stderr).toContain(
    `pull access denied for ${guarded.host}/app/one, repository does not exist or may require`,
  );
  const platform = await engine.docker('pull', '--platform', 'linux/riscv64', `${registry.host}/app/hello:v1`);
  expect(platform.stderr).toContain('no matching manifest for linux/riscv64 in the manifest list entries');
  const absent = await engine.request('POST', '/images/create?fromImage=127.0.0.1%3A1%2Fx&tag=y');
  expect(absent.status).toBe(500);
  expect(await absent.json()).toEqual({
    message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('docker login, then pull', async () => {
  const wrong = await engine.dockerWith({ stdin: 'wrong' }, 'login', '-u', 'user', '--password-stdin', guarded.host);
  expect(wrong.stderr).toContain('unauthorized: incorrect username or password');
  const right = await engine.dockerWith({ stdin: 'secret' }, 'login', '-u', 'user', '--password-stdin', guarded.host);
  expect(right.stdout).toContain('Login Succeeded');
  const name = guarded.add('app/two', 'v1', hello);
  expect((await engine.docker('pull', '-q', name)).stdout).toBe(`${name}\n`);
});

test('a client that leaves stops the download', async () => {
  const slow = imageFixture({
    layers: [[{ name: 'slow', content: crypto.randomUUID().repeat(10_000) }]],
    compression: 'none',
  });
  registry.fail(new RegExp(String(slow.layers[0]?.digest)), { kind: 'stall', after: 65_536 });
  const client = engine.spawn('docker', 'pull', registry.add('app/slow', 'v1', slow));
  await until('the download', () => registry.active === 1);
  await client.kill();
  await until('the end of the download', () => registry.active === 0);
  await until('its lease to be gone', () => readdirSync(join(engine.identity.dataRoot, 'tmp')).length === 0);
});

test('500 MB pass in constant memory, and others are served meanwhile', async () => {
  const name = publishBig(500 * 1024 * 1024);
  const resident = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))?.[1]) / 1024;
  const before = resident();
  let most = 0;
  const pulled = engine
    .request('POST', `/images/create?fromImage=${encodeURIComponent(name)}`)
    .then((one) => one.text());
  let isDone = false;
  const watched = pulled.then(() => {
    isDone = true;
  });
  await until(
    'the pull to end',
    async () => {
      most = Math.max(most, resident());
      await engine.request('HEAD', '/_ping');
      return isDone;
    },
    60_000,
  );
  await watched;
  expect(await pulled).toContain('Downloaded newer image');
  expect(most - before).toBeLessThan(64);
  expect(existsSync(join(engine.identity.dataRoot, 'downloads'))).toBe(true);
  expect(readdirSync(join(engine.identity.dataRoot, 'downloads')).length).toBeLessThanOrEqual(1);
}, 300_000);

/** An image with one big file, made while it is sent. */
function publishBig(size: number): string {
  const header = tar([{ name: 'big', size }], { end: false }).subarray(0, 512);
  const pattern = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * 7) ^ (index >> 8));
  const total = 512 + size + 1024;
  const read = (offset: number): Uint8Array => {
    if (offset < 512) return header.subarray(offset);
    if (offset >= 512 + size) return new Uint8Array(total - offset);
    return pattern.subarray((offset - 512) % pattern.length).subarray(0, 512 + size - offset);
  };
  const hash = createHash('sha256');
  for (let offset = 0; offset < total; ) {
    const part = read(offset);
    hash.update(part);
    offset += part.length;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  const { platform } = hello;
  const config = jsonBlob(mediaTypes.ociConfig, { ...platform, rootfs: { type: 'layers', diff_ids: [digest] } });
  const manifest = jsonBlob(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest, size: total }],
  });
  registry.blobs.set(config.digest, config.bytes).set(digest, { size: total, read });
  return registry.addManifest('app/big', 'v1', manifest);
}
