/** The pull-through cache: what is asked, how often, with whose credentials, and what happens when the upstream is gone. */
import { afterEach, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthRegistry, type BerthRegistryOptions } from '../../support/berth-registry.ts';
import { imageFixture } from '../../support/image-fixture.ts';
import { TestRegistry } from '../../support/registry.ts';
import { SmallDisk } from '../../support/small-disk.ts';
import { until } from '../../support/until.ts';
import { digestOf, RegistryClient, someBytes } from './client.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function upstreamOf(options: Parameters<typeof TestRegistry.start>[0] = {}): Promise<TestRegistry> {
  const upstream = await TestRegistry.start(options);
  cleanUps.push(() => upstream.stop());
  return upstream;
}

async function mirrorOf(options: BerthRegistryOptions): Promise<{ mirror: BerthRegistry; client: RegistryClient }> {
  const mirror = await BerthRegistry.start(options);
  cleanUps.push(() => mirror.stop());
  return { mirror, client: new RegistryClient(mirror) };
}

function fill(disk: SmallDisk): void {
  for (let size = 1024 * 1024; size >= 1; ) {
    try {
      appendFileSync(join(disk.path, 'filler'), new Uint8Array(size));
    } catch {
      // Full, for so much.
      size = Math.floor(size / 2);
    }
  }
}

const image = imageFixture({ layers: [[{ name: 'a' }], [{ name: 'b' }]] });
const newer = imageFixture({ layers: [[{ name: 'c' }]] });

test('fetched once, kept, and served while the upstream is down', async () => {
  const upstream = await upstreamOf();
  upstream.add('app/web', 'v1', image);
  const { client } = await mirrorOf({ options: ['--mirror', upstream.url] });
  const blobs = [image.config, ...image.layers];
  for (const round of ['fetched', 'kept', 'upstream down']) {
    if (round === 'upstream down') await upstream.stop();
    const manifest = await client.request('GET', '/v2/app/web/manifests/v1');
    expect([round, manifest.status, manifest.headers.get('docker-content-digest')]).toEqual([
      round,
      200,
      image.manifest.digest,
    ]);
    for (const blob of blobs) {
      const { text, status } = await client.request('GET', `/v2/app/web/blobs/${blob.digest}`);
      expect([round, status, text.length > 0]).toEqual([round, 200, true]);
    }
  }
  for (const { digest } of blobs) expect(upstream.count('GET', new RegExp(`blobs/${digest}`))).toBe(1);
  expect(upstream.count('GET', /manifests/)).toBe(1);
  expect(JSON.parse((await client.request('GET', '/v2/_catalog')).text)).toEqual({ repositories: ['app/web'] });
  // What was never asked for cannot be had now, and the answer says why.
  expect(await client.request('GET', '/v2/app/web/manifests/v2')).toMatchObject({ status: 502, code: 'UNKNOWN' });
});

test('a tag follows the upstream; what was pushed here does not', async () => {
  const upstream = await upstreamOf();
  upstream.add('app/web', 'v1', image);
  const { client } = await mirrorOf({ options: ['--mirror', upstream.url] });
  await client.request('GET', '/v2/app/web/manifests/v1');
  upstream.add('app/web', 'v1', newer);
  const moved = await client.request('GET', '/v2/app/web/manifests/v1');
  expect(moved.headers.get('docker-content-digest')).toBe(newer.manifest.digest);
  const { manifest } = await client.image('app/web', 'v1');
  const own = await client.request('GET', '/v2/app/web/manifests/v1');
  expect(own.headers.get('docker-content-digest')).toBe(manifest);
  expect((await client.request('GET', '/v2/app/none/manifests/v1')).code).toBe('MANIFEST_UNKNOWN');
});

test('fifty at once are one fetch, and each gets every byte', async () => {
  const upstream = await upstreamOf();
  const bytes = someBytes(3_000_000);
  const digest = digestOf(bytes);
  upstream.blobs.set(digest, bytes);
  upstream.fail(/blobs/, { kind: 'slow', bytesPerSecond: 6_000_000 });
  const { mirror } = await mirrorOf({ options: ['--mirror', upstream.url] });
  const got = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const headers: Record<string, string> = index % 2 ? { range: 'bytes=1000-' } : {};
      const response = await fetch(`${mirror.url}/v2/app/web/blobs/${digest}`, { headers });
      return digestOf(new Uint8Array(await response.arrayBuffer()));
    }),
  );
  expect(new Set(got)).toEqual(new Set([digest, digestOf(bytes.subarray(1000))]));
  expect(upstream.count('GET', /blobs/)).toBe(1);
  upstream.add('app/web', 'v1', image);
  const path = `${mirror.url}/v2/app/web/manifests/v1`;
  const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(path)).status));
  expect([new Set(statuses), upstream.count('GET', /manifests/)]).toEqual([new Set([200]), 1]);
});

test('a connection that breaks is taken up where it broke; wrong bytes are nobody’s', async () => {
  const upstream = await upstreamOf();
  const bytes = someBytes(1_000_000);
  const digest = digestOf(bytes);
  upstream.blobs.set(digest, bytes);
  upstream.fail(/blobs/, { kind: 'break', after: 300_000 });
  const { mirror, client } = await mirrorOf({ options: ['--mirror', upstream.url] });
  const response = await fetch(`${mirror.url}/v2/app/web/blobs/${digest}`);
  expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digest);
  expect(upstream.requests.at(-1)?.headers['range']).toMatch(/^bytes=[1-9]\d*-$/);
  const other = someBytes(1000);
  upstream.blobs.set(digestOf(other), other);
  upstream.fail(/blobs/, { kind: 'corrupt' });
  const wrong = fetch(`${mirror.url}/v2/app/web/blobs/${digestOf(other)}`).then((answer) => answer.arrayBuffer());
  await expect(wrong).rejects.toThrow();
  await until('it to be forgotten', () => mirror.log.includes('did not match'));
  expect((await client.request('GET', `/v2/app/web/blobs/${digestOf(other)}`)).status).toBe(200);
});

test('told by the environment, as the image of Docker’s registry', async () => {
  const upstream = await upstreamOf({ auth: { kind: 'basic', user: 'one', password: 'p@ss:word' } });
  upstream.add('app/web', 'v1', image);
  const env = {
    REGISTRY_PROXY_REMOTEURL: upstream.url,
    REGISTRY_PROXY_USERNAME: 'one',
    REGISTRY_PROXY_PASSWORD: 'p@ss:word',
  };
  const { client } = await mirrorOf({ env });
  expect((await client.request('GET', '/v2/app/web/manifests/v1')).status).toBe(200);
});

test('any number of upstreams, each with its own credentials', async () => {
  const first = await upstreamOf({ auth: { kind: 'basic', user: 'one', password: 'first' } });
  const second = await upstreamOf({ auth: { kind: 'token', user: 'two', password: 'second' } });
  first.add('app/a', 'v1', image);
  second.add('app/b', 'v1', newer);
  const directory = mkdtempSync(join(tmpdir(), 'berth-mirror-'));
  cleanUps.push(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'auths.json');
  const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
  writeFileSync(
    file,
    JSON.stringify({ auths: { [first.host]: auth('one:first'), [second.host]: auth('two:second') } }),
  );
  const mirrors = ['--mirror', `first.example=${first.url}`, '--mirror', `second.example=${second.url}`];
  const { client } = await mirrorOf({ options: [...mirrors, '--mirror-credentials', file] });
  expect((await client.request('GET', '/v2/app/a/manifests/v1')).status).toBe(200);
  // By prefix, and as containerd asks a mirror.
  for (const path of ['/v2/second.example/app/b/manifests/v1', '/v2/app/b/manifests/v1?ns=second.example'])
    expect((await client.request('GET', path)).headers.get('docker-content-digest')).toBe(newer.manifest.digest);
  expect((await client.request('GET', '/v2/app/b/manifests/v1?ns=third.example')).status).toBe(404);
  const sent = (registry: TestRegistry): Set<string> =>
    new Set(registry.requests.map(({ headers }) => String(headers['authorization'] ?? '')));
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(sent(first)).toEqual(new Set(['', basic('one:first')]));
  expect([...sent(second)].filter((header) => header.startsWith('Basic'))).toEqual([basic('two:second')]);
});

test('an upstream that says nothing does not keep what is here from anybody', async () => {
  const upstream = await upstreamOf();
  upstream.add('app/web', 'v1', image);
  const { client, mirror } = await mirrorOf({ options: ['--mirror', upstream.url] });
  await client.request('GET', '/v2/app/web/manifests/v1');
  upstream.fail(/manifests/, { kind: 'hang' }, 1000);
  const began = performance.now();
  for (let round = 0; round < 20; round++)
    expect((await client.request('GET', '/v2/app/web/manifests/v1')).status).toBe(200);
  // It was waited for once; then it is left alone for a while.
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(upstream.count('HEAD', /manifests/)).toBe(1);
  expect(mirror.log).toContain('serving app/web:v1 from here');
}, 30_000);

test('blobs that lie elsewhere are fetched from there, without credentials', async () => {
  const upstream = await upstreamOf({ auth: { kind: 'token', user: 'one', password: 'first' } });
  const elsewhere = await upstreamOf();
  const bytes = someBytes(500_000);
  const digest = digestOf(bytes);
  elsewhere.blobs.set(digest, bytes);
  elsewhere.fail(/blobs/, { kind: 'break', after: 200_000 });
  upstream.fail(/\/blobs\//, { kind: 'redirect', to: `${elsewhere.url}/v2/signed/blobs/${digest}` }, 10);
  const { client, mirror } = await mirrorOf({
    env: {
      REGISTRY_PROXY_REMOTEURL: upstream.url,
      REGISTRY_PROXY_USERNAME: 'one',
      REGISTRY_PROXY_PASSWORD: 'first',
    },
  });
  upstream.add('app/web', 'v1', image);
  expect((await client.request('GET', '/v2/app/web/manifests/v1')).status).toBe(200);
  const response = await fetch(`${mirror.url}/v2/app/web/blobs/${digest}`);
  expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digest);
  expect(upstream.requests.some(({ headers }) => headers['authorization']?.toString().startsWith('Bearer'))).toBe(true);
  expect(elsewhere.requests.length).toBeGreaterThan(1);
  for (const { headers } of elsewhere.requests) expect(headers['authorization']).toBeUndefined();
});

test('an upstream that knows no ranges is read over up to where it broke', async () => {
  const upstream = await upstreamOf({ ranges: false });
  const bytes = someBytes(1_000_000);
  upstream.blobs.set(digestOf(bytes), bytes);
  upstream.fail(/blobs/, { kind: 'break', after: 300_000 });
  const { mirror } = await mirrorOf({ options: ['--mirror', upstream.url] });
  const response = await fetch(`${mirror.url}/v2/app/web/blobs/${digestOf(bytes)}`);
  expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digestOf(bytes));
});

test('a manifest that is not what its digest says is nobody’s; HEAD of a blob fetches none', async () => {
  const upstream = await upstreamOf();
  upstream.add('app/web', 'v1', image);
  const { client } = await mirrorOf({ options: ['--mirror', upstream.url] });
  const path = `/v2/app/web/manifests/${image.manifest.digest}`;
  upstream.fail(/manifests/, { kind: 'corrupt' });
  expect(await client.request('GET', path)).toMatchObject({ status: 502, code: 'UNKNOWN' });
  expect((await client.request('GET', path)).status).toBe(200);
  const [layer] = image.layers;
  const head = await client.request('HEAD', `/v2/app/web/blobs/${layer?.digest}`);
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(layer?.bytes.length)]);
  expect((await client.request('HEAD', `/v2/app/web/blobs/${digestOf('none')}`)).status).toBe(404);
  expect([upstream.count('HEAD', /blobs/), upstream.count('GET', /blobs/)]).toEqual([2, 0]);
});

test('a tag that is gone upstream is gone here; by its digest the image stays', async () => {
  const upstream = await upstreamOf();
  upstream.add('app/web', 'v1', image);
  const { client } = await mirrorOf({ options: ['--mirror', upstream.url] });
  await client.request('GET', '/v2/app/web/manifests/v1');
  upstream.manifests.get('app/web')?.delete('v1');
  expect((await client.request('GET', '/v2/app/web/manifests/v1')).status).toBe(404);
  expect((await client.request('GET', `/v2/app/web/manifests/${image.manifest.digest}`)).status).toBe(200);
});

test('one upstream’s repositories do not pass for another’s', async () => {
  const first = await upstreamOf();
  const second = await upstreamOf();
  first.add('second.example/app', 'v1', image);
  first.add('localhost-1/app', 'v1', image);
  second.add('app', 'v1', newer);
  const mirrors = [`first.example=${first.url}`, `second.example=${second.url}`, `localhost:1=${second.url}`];
  const { client } = await mirrorOf({ options: mirrors.flatMap((mirror) => ['--mirror', mirror]) });
  const digest = async (path: string): Promise<string | null> =>
    (await client.request('GET', `/v2/${path}`)).headers.get('docker-content-digest');
  expect(await digest('second.example/app/manifests/v1?ns=first.example')).toBe(image.manifest.digest);
  expect(await digest('second.example/app/manifests/v1')).toBe(newer.manifest.digest);
  // A name has no colon: the folder stands for the registry, with the parameter and without.
  expect(await digest('app/manifests/v1?ns=localhost:1')).toBe(newer.manifest.digest);
  expect(await digest('localhost-1/app/manifests/v1')).toBe(newer.manifest.digest);
});

test('a full disk: what cannot be kept is passed on', async () => {
  const disk = await SmallDisk.make({ bytes: 16 * 1024 * 1024 });
  cleanUps.push(() => disk.remove());
  const upstream = await upstreamOf();
  const bytes = someBytes(24_000_000);
  const digest = digestOf(bytes);
  upstream.blobs.set(digest, bytes);
  upstream.add('app/web', 'v1', image);
  const { client, mirror } = await mirrorOf({ root: join(disk.path, 'root'), options: ['--mirror', upstream.url] });
  for (const headers of [{}, { range: 'bytes=1000-' }, {}] as Record<string, string>[]) {
    const response = await fetch(`${mirror.url}/v2/app/web/blobs/${digest}`, { headers });
    const wanted = headers['range'] ? bytes.subarray(1000) : bytes;
    expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digestOf(wanted));
  }
  await until('the pieces to be gone', () => readdirSync(join(mirror.root, 'uploads')).length === 0);
  fill(disk);
  for (const path of ['manifests/v1', `blobs/${image.layers[0]?.digest}`])
    expect([path, (await client.request('GET', `/v2/app/web/${path}`)).status]).toEqual([path, 200]);
}, 60_000);
