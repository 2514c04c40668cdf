/** The registry is killed, starved and abused in the middle of pushes: what was accepted is whole, what was not leaves nothing. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { digestOf, manifestOf, RegistryClient, someBytes } from '../contract/registry/client.ts';
import { BerthRegistry } from '../support/berth-registry.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

let registry: BerthRegistry;
let client: RegistryClient;
beforeEach(async () => {
  // No grace: what nobody needs goes with the first collection, which is at the start.
  registry = await BerthRegistry.start({ options: ['--gc-grace', '0s', '--upload-lifetime', '0s'] });
  client = new RegistryClient(registry);
});
afterEach(() => registry.stop());

/** Blobs that are on disk. */
function onDisk(): string[] {
  const base = join(registry.root, 'blobs/sha256');
  if (!existsSync(base)) return [];
  return readdirSync(base).flatMap((prefix) => readdirSync(join(base, prefix)).map((hex) => `sha256:${hex}`));
}

function uploads(): string[] {
  return readdirSync(join(registry.root, 'uploads'));
}

/** True when the image is there with every byte. */
async function isWhole(repository: string, tag: string): Promise<boolean> {
  const manifest = await client.request('GET', `/v2/${repository}/manifests/${tag}`);
  if (manifest.status !== 200) return false;
  const { config, layers } = JSON.parse(manifest.text) as { config: { digest: string }; layers: { digest: string }[] };
  for (const { digest } of [config, ...layers]) {
    const response = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`);
    if (digestOf(new Uint8Array(await response.arrayBuffer())) !== digest) return false;
  }
  return true;
}

describe('kill -9', () => {
  test.each(failpointsOf('registry'))('%s', async (step) => {
    await client.image('kept/image', 'v1', 50_000);
    registry.failpoints.arm(step, 'kill9');
    const push = client.image('lost/image', 'v1', 50_000).catch((error: Error) => error);
    const removal = client
      .blob('gone', someBytes(10))
      .then((digest) => client.request('DELETE', `/v2/gone/blobs/${digest}`));
    removal.catch(() => undefined);
    await registry.died();
    expect(registry.failpoints.hits()).toEqual([step]);
    const pushed = await push;
    await removal.catch(() => undefined);
    await registry.start();
    expect(await isWhole('kept/image', 'v1')).toBe(true);
    // Accepted means whole.
    if (!(pushed instanceof Error)) expect(await isWhole('lost/image', 'v1')).toBe(true);
    const kept = pushed instanceof Error ? 2 : 4;
    await until('the rest to be collected', () => onDisk().length === kept && uploads().length === 0);
    // And the push simply works again.
    await client.image('lost/image', 'v1', 50_000);
    expect(await isWhole('lost/image', 'v1')).toBe(true);
  });

  test('pushes from many sides, killed anywhere', async () => {
    const accepted: string[] = [];
    const push = async (name: string): Promise<void> => {
      for (let round = 0; round < 20; round++) {
        await client.image(name, `v${round}`, 20_000);
        accepted.push(`${name} v${round}`);
      }
    };
    const pushes = Promise.allSettled(['one', 'two', 'three', 'four'].map(push));
    await until('some pushes', () => accepted.length > 10);
    await registry.kill();
    await pushes;
    await registry.start();
    for (const entry of accepted) {
      const [name = '', tag = ''] = entry.split(' ');
      expect([entry, await isWhole(name, tag)]).toEqual([entry, true]);
    }
    expect(uploads()).toEqual([]);
  });
});

test('an upload goes on behind a kill -9, from where it was', async () => {
  await registry.stop();
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
  const bytes = someBytes(500_000);
  const location = await client.begin('resumed');
  await client.request('PATCH', location, { body: bytes.subarray(0, 200_000) });
  await registry.kill();
  await registry.start();
  const { headers } = await client.request('GET', location);
  expect(headers.get('range')).toBe('0-199999');
  const rest = await client.request('PUT', `${location}?digest=${digestOf(bytes)}`, { body: bytes.subarray(200_000) });
  expect(rest.status).toBe(201);
});

test('deletes free the disk while pushes go on', async () => {
  await registry.stop();
  registry = await BerthRegistry.start({ options: ['--gc-grace', '3s', '--gc-interval', '50ms'] });
  client = new RegistryClient(registry);
  const { manifest, layer } = await client.image('old', 'v1', 100_000);
  const shared = await client.image('new', 'v0', 100_000);
  let isRunning = true;
  const pushing = (async () => {
    let count = 0;
    for (; isRunning; count++) {
      // The client finds the layer there and sends the manifest only: it must not be collected in between.
      const head = await client.request('HEAD', `/v2/new/blobs/${shared.layer}`);
      expect(head.status).toBe(200);
      const config = await client.blob('new', `{"round":${count}}`);
      const document = manifestOf({
        config,
        configSize: `{"round":${count}}`.length,
        layers: [[shared.layer, 100_000]],
      });
      const put = await client.put('new', `v${count + 1}`, document);
      expect([count, put.status, put.text]).toEqual([count, 201, '']);
    }
    return count;
  })();
  await client.request('DELETE', `/v2/old/manifests/${manifest}`);
  await until('the layer to be gone', () => !onDisk().includes(layer));
  isRunning = false;
  expect(await pushing).toBeGreaterThan(0);
  expect(await isWhole('new', 'v0')).toBe(true);
});

test('ten thousand uploads that nobody goes on with are forgotten; one that goes on is not', async () => {
  await registry.stop();
  registry = await BerthRegistry.start({ options: ['--upload-lifetime', '3s', '--gc-interval', '100ms'] });
  client = new RegistryClient(registry);
  const open = async (): Promise<void> => {
    for (let count = 0; count < 500; count++) await client.begin('abandoned');
  };
  await Promise.all(Array.from({ length: 20 }, open));
  const location = await client.begin('alive');
  while (uploads().length > 1) {
    const { status } = await client.request('PATCH', location, { body: someBytes(1) });
    expect(status).toBe(202);
  }
  expect((await client.request('GET', location)).status).toBe(204);
}, 300_000);

test('a client that leaves in the middle', async () => {
  await registry.stop();
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
  const location = await client.begin('left');
  const socket = connect(registry.port, '127.0.0.1');
  const request = `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`;
  const size = async (): Promise<string | null> => (await client.request('GET', location)).headers.get('range');
  // It leaves once the kernel has all of it.
  socket.write(request, () => socket.destroy());
  await until('what it sent to be kept', async () => (await size()) === '0-999');
});

test('a disk that is full is told as such, and nothing is lost', async () => {
  await registry.stop();
  const disk = await SmallDisk.make({ bytes: 32 * 1024 * 1024 });
  registry = await BerthRegistry.start({ root: join(disk.path, 'root') });
  client = new RegistryClient(registry);
  await client.image('kept', 'v1', 1_000_000);
  const location = await client.begin('big');
  const full = await client.request('PATCH', location, { body: someBytes(40_000_000) });
  expect([full.status, full.code, full.text]).toEqual([507, 'UNKNOWN', expect.stringContaining('no space left')]);
  expect(await isWhole('kept', 'v1')).toBe(true);
  await client.image('after', 'v1', 1_000_000);
  expect(await isWhole('after', 'v1')).toBe(true);
  await registry.kill();
  await disk.remove();
});
