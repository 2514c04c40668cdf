/** The way of a pull, from the registry's answers to what the store gets; every fault that a registry or a network can have. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BerthError } from '../../src/api/errors.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { imageFixture, indexFixture, jsonBlob } from '../support/image-fixture.ts';
import { PullBench, statuses } from '../support/pull-bench.ts';
import { TestRegistry } from '../support/registry.ts';

const stack: { stop(): Promise<void> }[] = [];
async function owned<T extends { stop(): Promise<void> }>(thing: Promise<T>): Promise<T> {
  const started = await thing;
  stack.push(started);
  return started;
}
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one.stop();
});

const random = (length: number): string => Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString('hex');
const image = imageFixture({
  layers: [[{ name: 'one', content: random(60_000) }], [{ name: 'two', content: 'two' }]],
});
const short = (digest: string): string => digestHex(digest).slice(0, 12);
const [first, second] = image.layers.map((layer) => short(layer.digest)) as [string, string];
const big = imageFixture({ layers: [[{ name: 'big', content: random(60_000).repeat(4) }]], compression: 'none' });
const bigLayer = big.layers[0] as (typeof big.layers)[0];

describe('the stream', () => {
  test('is the one of dockerd: new image, then up to date', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', image);
    const events: string[] = [];
    bench.events.subscribe((event) => events.push(`${event.Type} ${event.Action} ${event.Actor.ID}`));

    const fresh = await bench.pull(name);
    expect(fresh.error).toBeNull();
    const lines = statuses(fresh);
    expect(lines.slice(0, 3)).toEqual([
      'v1: Pulling from app/one',
      `${first}: Pulling fs layer`,
      `${second}: Pulling fs layer`,
    ]);
    expect(lines.slice(-2)).toEqual([`Digest: ${image.manifest.digest}`, `Status: Downloaded newer image for ${name}`]);
    expect(lines.filter((line) => line.startsWith(first))).toEqual(
      ['Pulling fs layer', 'Downloading', 'Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete'].map(
        (status) => `${first}: ${status}`,
      ),
    );
    const total = image.layers[0]?.bytes.length;
    expect(fresh.messages).toContainEqual(
      expect.objectContaining({ id: first, progressDetail: { current: total, total }, progress: expect.any(String) }),
    );
    expect(events).toEqual([`image pull ${name}`]);
    expect(bench.store.reference(name)).toBe(image.config.digest);
    expect(bench.store.reference(`${registry.host}/app/one@${image.manifest.digest}`)).toBe(image.config.digest);
    expect(bench.store.document(image.manifest.digest)?.bytes).toEqual(image.manifest.bytes);
    expect(await readdir(bench.directory)).toEqual([]);
    expect(bench.store.leases).toBe(0);

    registry.requests.length = 0;
    expect(statuses(await bench.pull(name))).toEqual([
      'v1: Pulling from app/one',
      `Digest: ${image.manifest.digest}`,
      `Status: Image is up to date for ${name}`,
    ]);
    // Nothing that counts as a pull was asked for.
    expect(registry.requests.map((request) => request.method)).toEqual(['HEAD']);
  });

  test('a layer that is here already', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    await bench.pull(registry.add('app/base', 'v1', imageFixture({ layers: [[{ name: 'base' }]] })));
    const lines = statuses(
      await bench.pull(
        registry.add('app/more', 'v1', imageFixture({ layers: [[{ name: 'base' }], [{ name: 'more' }]] })),
      ),
    );
    expect(lines.filter((line) => line.endsWith('Already exists')).length).toBe(1);
    expect(lines.filter((line) => line.endsWith('Pull complete')).length).toBe(1);
  });

  test('every tag, where none is named', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    registry.add('app/all', 'a', image);
    registry.add('app/all', 'b', big);
    const lines = statuses(await bench.pull(`${registry.host}/app/all`));
    expect(lines).toContain('a: Pulling from app/all');
    expect(lines).toContain('b: Pulling from app/all');
    expect(lines.at(-1)).toBe(`Status: Downloaded newer image for ${registry.host}/app/all`);
    expect(bench.store.reference(`${registry.host}/app/all:b`)).toBe(big.config.digest);
  });

  test('by digest', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    registry.add('app/one', 'v1', image);
    const name = `${registry.host}/app/one@${image.manifest.digest}`;
    expect(statuses(await bench.pull(name))[0]).toBe(`${name}: Pulling from app/one`);
    expect([...bench.store.references.keys()]).toEqual([name]);
  });

  test('many layers: three downloads at a time', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const many = imageFixture({
      layers: Array.from({ length: 9 }, (_, index) => [{ name: `file${index}`, content: random(5_000) }]),
    });
    registry.fail(/blobs\/sha256/, { kind: 'slow', bytesPerSecond: 200_000 }, 20);
    const outcome = await bench.pull(registry.add('app/many', 'v1', many));
    expect(outcome.error).toBeNull();
    expect(registry.mostActive).toBe(3);
    expect(outcome.messages.some((message) => message.status === 'Waiting')).toBe(true);
  });
});

describe('platforms', () => {
  const arm = imageFixture({ platform: { os: 'linux', architecture: 'arm64' } });
  test('out of an index, OCI or Docker', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    for (const format of ['oci', 'docker'] as const) {
      const own = imageFixture({ format, layers: [[{ name: format }]] });
      for (const one of [own, arm]) registry.add('app/multi', one.config.digest.slice(-9), one);
      const index = indexFixture([arm, own], format);
      const name = registry.addManifest('app/multi', format, index);
      const lines = statuses(await bench.pull(name));
      expect(lines).toContain(`Digest: ${index.digest}`);
      expect(bench.store.reference(name)).toBe(own.config.digest);
      expect(bench.store.document(index.digest)?.bytes).toEqual(index.bytes);
      await bench.pull(name, { platform: { os: 'linux', architecture: 'arm64' } });
      expect(bench.store.reference(name)).toBe(arm.config.digest);
    }
  });

  test('none that fits, and one that is not what was asked for', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    registry.add('app/multi', 'arm', arm);
    const none = await bench.pull(registry.addManifest('app/multi', 'latest', indexFixture([arm])), {
      platform: { os: 'linux', architecture: 's390x' },
    });
    expect(none.messages.length).toBe(1);
    expect(none.error?.message).toBe('no matching manifest for linux/s390x in the manifest list entries');
    const other = await bench.pull(`${registry.host}/app/multi:arm`, {
      platform: { os: 'linux', architecture: 'riscv64' },
    });
    expect(other.messages.at(-1)?.status).toBe(
      `WARNING: image with reference ${registry.host}/app/multi:arm was found but its platform (linux/arm64) does not match the specified platform (linux/riscv64)`,
    );
  });
});

describe('refused before the first message', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await TestRegistry.start();
  });
  afterAll(() => registry.stop());
  const cases: [name: string, reference: () => string, kind: string, message: string | RegExp][] = [
    ['upper case', () => 'Foo', 'invalid', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    ['scratch', () => 'scratch', 'forbidden', "'scratch' is a reserved name"],
    ['no such tag', () => `${registry.host}/app/one:none`, 'not-found', /^manifest for .*one:none not found: manifest/],
    [
      'no such repository',
      () => `${registry.host}/none:x`,
      'not-found',
      /^repository .*\/none not found: name unknown/,
    ],
    [
      'nobody there',
      () => '127.0.0.1:1/x:y',
      'internal',
      'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      'no such host',
      () => 'registry.invalid/x:y',
      'internal',
      /^Get "https:\/\/registry\.invalid\/v2\/": dial tcp: lookup registry\.invalid.*: no such host$/,
    ],
  ];
  test.each(cases)('%s', async (_name, reference, kind, message) => {
    registry.add('app/one', 'latest', image);
    const bench = await owned(PullBench.start());
    const outcome = await bench.pull(reference());
    expect(outcome.messages).toEqual([]);
    expect((outcome.error as BerthError).kind).toBe(kind as BerthError['kind']);
    expect(outcome.error?.message).toMatch(message);
    expect(bench.store.leases).toBe(0);
  });

  const statusCases: [number, string, string, string][] = [
    [500, 'oops', 'internal', 'received unexpected HTTP status: 500 Internal Server Error'],
    [429, '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow"}]}', 'unavailable', 'toomanyrequests: slow'],
    [401, '{"errors":[{"code":"UNAUTHORIZED","message":"go"}]}', 'unauthorized', 'unauthorized: go'],
  ];
  test.each(statusCases)('status %d for the manifest', async (status, body, kind, message) => {
    const bench = await owned(PullBench.start());
    registry.fail(/manifests/, { kind: 'status', status, body });
    const outcome = await bench.pull(`${registry.host}/app/one:latest`);
    expect([outcome.messages.length, (outcome.error as BerthError).kind, outcome.error?.message]).toEqual([
      0,
      kind,
      message,
    ]);
  });

  test('a manifest that cannot be read', async () => {
    const bench = await owned(PullBench.start());
    const name = registry.addManifest('app/odd', 'v1', { ...image.manifest, bytes: new TextEncoder().encode('{') });
    const { messages, error } = await bench.pull(name);
    expect([messages, (error as BerthError).kind]).toEqual([[], 'internal']);
    expect(error?.message).toStartWith('invalid manifest: ');
  });

  test('a manifest that is not what its digest says', async () => {
    const bench = await owned(PullBench.start());
    const wrong = `sha256:${'1'.repeat(64)}`;
    registry.addManifest('app/one', wrong, image.manifest);
    const outcome = await bench.pull(`${registry.host}/app/one@${wrong}`);
    expect(outcome.error?.message).toBe(`manifest verification failed for digest ${wrong}`);
  });
});

describe('authentication', () => {
  const auth = { kind: 'token', user: 'u', password: 'p', denied: ['secret/x'], identityToken: 'refresh' } as const;
  test('token: anonymous, right, wrong, denied, identity token', async () => {
    const registry = await owned(TestRegistry.start({ auth }));
    const open = await owned(TestRegistry.start({ auth: { kind: 'token' } }));
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', image);
    const secret = registry.add('secret/x', 'v1', image);
    expect((await bench.pull(open.add('app/one', 'v1', image))).error).toBeNull();
    const right = { username: 'u', password: 'p' };
    expect((await bench.pull(name, { auth: right })).error).toBeNull();
    expect((await bench.pull(name, { auth: { identitytoken: 'refresh' } })).error).toBeNull();
    const denied = `repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
    expect((await bench.pull(name)).error?.message).toBe(`pull access denied for ${registry.host}/app/one, ${denied}`);
    expect((await bench.pull(secret, { auth: right })).error?.message).toBe(
      `pull access denied for ${registry.host}/secret/x, ${denied}`,
    );
    const wrong = (await bench.pull(name, { auth: { username: 'u', password: 'wrong' } })).error as BerthError;
    expect([wrong.kind, wrong.message]).toEqual([
      'unauthorized',
      `Head "${registry.url}/v2/app/one/manifests/v1": unauthorized: incorrect username or password`,
    ]);
  });

  test('one token serves the whole pull, and a new one is had when it dies', async () => {
    const registry = await owned(TestRegistry.start({ auth: { ...auth, expiresIn: 300 } }));
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', image);
    await bench.pull(name, { auth: { username: 'u', password: 'p' } });
    expect(registry.count('GET', /^\/token/)).toBe(1);
    registry.fail(/blobs/, {
      kind: 'status',
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${registry.url}/token",service="x",error="invalid_token"` },
    });
    const more = registry.add('app/two', 'v1', big);
    expect((await bench.pull(more, { auth: { username: 'u', password: 'p' } })).error).toBeNull();
    expect(registry.count('GET', /^\/token/)).toBe(3);
  });

  test('basic', async () => {
    const registry = await owned(TestRegistry.start({ auth: { kind: 'basic', user: 'u', password: 'p' } }));
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', image);
    expect((await bench.pull(name, { auth: { username: 'u', password: 'p' } })).error).toBeNull();
    expect((await bench.pull(name)).error?.message).toBe(
      `Head "${registry.url}/v2/app/one/manifests/v1": no basic auth credentials`,
    );
    expect(((await bench.pull(name, { auth: { username: 'u', password: 'x' } })).error as BerthError).kind).toBe(
      'unauthorized',
    );
  });

  test('credentials stay with the host they are for, whatever it redirects to', async () => {
    const registry = await owned(TestRegistry.start({ auth }));
    const elsewhere = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', big);
    elsewhere.add('app/one', 'v1', big);
    registry.fail(new RegExp(`blobs/${bigLayer.digest}`), {
      kind: 'redirect',
      to: `${elsewhere.url}/v2/app/one/blobs/${bigLayer.digest}`,
    });
    expect((await bench.pull(name, { auth: { username: 'u', password: 'p' } })).error).toBeNull();
    expect(elsewhere.requests.length).toBe(1);
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
    expect(registry.requests.some((request) => request.headers.authorization)).toBe(true);
  });

  test('a mirror never sees the credentials of the registry', async () => {
    const registry = await owned(TestRegistry.start({ auth }));
    // It asks for them, and would take them.
    const mirror = await owned(TestRegistry.start({ auth: { kind: 'basic', user: 'u', password: 'p' } }));
    mirror.add('app/one', 'v1', image);
    const bench = await owned(PullBench.start({ mirrors: [`${registry.host}=${mirror.url}`] }));
    const name = registry.add('app/one', 'v1', image);
    const outcome = await bench.pull(name, { auth: { username: 'u', password: 'p' } });
    expect(outcome.error).toBeNull();
    expect(mirror.requests.map((request) => request.headers.authorization)).toEqual([undefined]);
  });
});

describe('mirrors', () => {
  test('serve, and when they fail the registry does, and the user is told', async () => {
    const registry = await owned(TestRegistry.start());
    const mirror = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start({ mirrors: [`${registry.host}=${mirror.url}`] }));
    mirror.add('app/one', 'v1', image);
    const name = registry.add('app/one', 'v1', image);
    expect((await bench.pull(name)).error).toBeNull();
    expect(registry.requests.length).toBe(0);

    registry.add('app/two', 'v1', big);
    const lines = statuses(await bench.pull(`${registry.host}/app/two:v1`));
    expect(lines[0]).toBe(
      `Mirror ${mirror.url} failed (name unknown: repository name not known to registry); using https://${registry.host}`,
    );
    expect(lines.at(-1)).toContain('Downloaded newer image');
  });

  test('a mirror that sends wrong bytes, or dies half way', async () => {
    for (const kind of ['corrupt', 'break'] as const) {
      const registry = await owned(TestRegistry.start());
      const mirror = await owned(TestRegistry.start());
      const bench = await owned(PullBench.start({ mirrors: [`${registry.host}=${mirror.url}`] }));
      mirror.add('app/one', 'v1', big);
      mirror.fail(new RegExp(bigLayer.digest), kind === 'corrupt' ? { kind } : { kind, after: 70_000 }, 1e9);
      const outcome = await bench.pull(registry.add('app/one', 'v1', big));
      expect(outcome.error).toBeNull();
      expect(statuses(outcome).some((line) => line.startsWith(`Mirror ${mirror.url} failed`))).toBe(true);
    }
  });
});

describe('faults on the way', () => {
  const layerPath = new RegExp(`blobs/${bigLayer.digest}`);
  const rangesAsked = (registry: TestRegistry) =>
    registry.requests.filter((request) => layerPath.test(request.path)).map((request) => request.headers.range);

  test('a break is resumed where it was', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    registry.fail(layerPath, { kind: 'break', after: 131_072 });
    registry.fail(layerPath, { kind: 'truncate', after: 65_536 });
    registry.fail(layerPath, { kind: 'stall', after: 65_536 });
    registry.fail(layerPath, { kind: 'status', status: 503 });
    registry.fail(layerPath, { kind: 'reset' });
    const outcome = await bench.pull(registry.add('app/one', 'v1', big));
    expect(outcome.error).toBeNull();
    const ranges = rangesAsked(registry).map((range) => Number(/\d+/.exec(String(range ?? '0'))?.[0]));
    expect(ranges[0]).toBe(0);
    expect(Math.max(...ranges)).toBeGreaterThanOrEqual(65_536 * 2);
    expect([...ranges].sort((a, b) => a - b)).toEqual(ranges);
  });

  test('a slow download is not a broken one', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    // Three times as long as a connection may be silent.
    registry.fail(layerPath, { kind: 'slow', bytesPerSecond: 1_000_000 });
    expect((await bench.pull(registry.add('app/one', 'v1', big))).error).toBeNull();
    expect(rangesAsked(registry)).toEqual([undefined]);
  });

  test('a registry without ranges sends it again from the beginning', async () => {
    const registry = await owned(TestRegistry.start({ ranges: false }));
    const bench = await owned(PullBench.start());
    registry.fail(layerPath, { kind: 'break', after: 131_072 });
    expect((await bench.pull(registry.add('app/one', 'v1', big))).error).toBeNull();
  });

  test('what an earlier life left is used; what it left broken is not', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const path = join(bench.directory, digestHex(bigLayer.digest));
    await writeFile(path, bigLayer.bytes.subarray(0, 200_000));
    const name = registry.add('app/one', 'v1', big);
    expect((await bench.pull(name)).error).toBeNull();
    expect(rangesAsked(registry)).toEqual(['bytes=200000-']);
    for (const broken of [new Uint8Array(200_000), new Uint8Array(bigLayer.bytes.length + 1)]) {
      const again = await owned(PullBench.start());
      await writeFile(join(again.directory, digestHex(bigLayer.digest)), broken);
      expect((await again.pull(name)).error).toBeNull();
    }
  });

  test('what nobody came back for goes after a day', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const [old, young] = [join(bench.directory, 'a'.repeat(64)), join(bench.directory, 'b'.repeat(64))];
    for (const path of [old, young]) await writeFile(path, 'half');
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(old, longAgo, longAgo);
    await bench.pull(registry.add('app/one', 'v1', image));
    expect(await readdir(bench.directory)).toEqual(['b'.repeat(64)]);
  });

  const final: [string, Parameters<TestRegistry['fail']>[1], string][] = [
    ['wrong bytes', { kind: 'corrupt' }, `filesystem layer verification failed for digest ${bigLayer.digest}`],
    [
      'always 500',
      { kind: 'status', status: 500 },
      'download failed after attempts=5: received unexpected HTTP status: 500',
    ],
    [
      'gone',
      { kind: 'status', status: 404, body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}' },
      'blob unknown: blob unknown',
    ],
    ['always broken', { kind: 'break', after: 0 }, 'download failed after attempts=5'],
    [
      'redirects for ever',
      { kind: 'redirect', to: `/v2/app/one/blobs/${bigLayer.digest}` },
      'stopped after 10 redirects',
    ],
    ['redirect to a file', { kind: 'redirect', to: 'file:///etc/passwd' }, 'unsupported protocol scheme "file"'],
  ];
  test.each(final)('for ever: %s', async (_name, fault, message) => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    registry.fail(layerPath, fault, 1e9);
    const outcome = await bench.pull(registry.add('app/one', 'v1', big));
    expect(outcome.error?.message).toContain(message);
    expect(outcome.messages.length).toBeGreaterThan(0);
    expect(bench.store.images.size).toBe(0);
    expect([bench.store.leases, bench.store.swept]).toEqual([0, 1]);
  });

  test('a blob longer than its manifest says is cut off', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', big);
    let served = 0;
    registry.blobs.set(bigLayer.digest, {
      size: 1e12,
      read: () => {
        served += 65_536;
        return new Uint8Array(65_536);
      },
    });
    expect((await bench.pull(name)).error?.message).toContain('longer than its manifest says');
    expect(served).toBeLessThan(100e6);
    expect(await readdir(bench.directory)).toEqual([]);
  });

  test('config and manifest that do not belong together', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', image);
    registry.blobs.set(image.config.digest, big.config.bytes);
    expect((await bench.pull(name)).error?.message).toBe(
      `error pulling image configuration: image config verification failed for digest ${image.config.digest}`,
    );
    const { layers, ...rest } = JSON.parse(new TextDecoder().decode(image.manifest.bytes)) as { layers: object[] };
    const short = jsonBlob(image.manifest.mediaType, { ...rest, layers: layers.slice(1) });
    registry.blobs.set(image.config.digest, image.config.bytes);
    expect((await bench.pull(registry.addManifest('app/one', 'short', short))).error?.message).toBe(
      "layers from manifest don't match image configuration",
    );
    const { digest, bytes } = image.config;
    const config = { mediaType: 'application/vnd.berth.build.cache.v1+json', digest, size: bytes.length };
    const cache = jsonBlob(image.manifest.mediaType, { ...rest, config, layers });
    expect((await bench.pull(registry.addManifest('app/one', 'cache', cache))).error?.message).toBe(
      'unsupported media type application/vnd.berth.build.cache.v1+json',
    );
    const chart = jsonBlob(image.manifest.mediaType, {
      ...rest,
      layers: [{ ...layers[0], mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }],
    });
    expect((await bench.pull(registry.addManifest('app/one', 'chart', chart))).error?.message).toBe(
      'unsupported media type application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    );
  });
});

test('a full disk: a clear error, nothing left, and the next pull goes well', async () => {
  const registry = await owned(TestRegistry.start());
  const bench = await owned(PullBench.start());
  const name = registry.add('app/one', 'v1', big);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'berth-test', bench.directory]);
  try {
    const { error } = await bench.pull(name);
    expect([(error as BerthError).kind, error?.message]).toEqual([
      'unavailable',
      expect.stringMatching(/: no space left on device$/),
    ]);
    expect(await readdir(bench.directory)).toEqual([]);
    execFileSync('mount', ['-o', 'remount,size=10m', bench.directory]);
    expect((await bench.pull(name)).error).toBeNull();
  } finally {
    execFileSync('umount', [bench.directory]);
  }
});

describe('several at once', () => {
  test('pulls of one image share each layer; one that leaves takes nothing from the other', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', big);
    registry.fail(/blobs/, { kind: 'slow', bytesPerSecond: 3_000_000 }, 9);
    const leaving = new AbortController();
    const outcomes = await Promise.all([
      bench.pull(name, {
        signal: leaving.signal,
        onMessage: (message) => message.status === 'Downloading' && leaving.abort(new Error('client left')),
      }),
      bench.pull(name),
      bench.pull(name),
    ]);
    expect(outcomes.map((outcome) => outcome.error?.message)).toEqual(['context canceled', undefined, undefined]);
    expect(registry.count('GET', new RegExp(bigLayer.digest))).toBe(1);
    expect(bench.store.ingested).toBe(1);
    expect(bench.store.leases).toBe(0);
  });

  test('a client that leaves stops the download; the next one goes on from there', async () => {
    const registry = await owned(TestRegistry.start());
    const bench = await owned(PullBench.start());
    const name = registry.add('app/one', 'v1', big);
    registry.fail(new RegExp(bigLayer.digest), { kind: 'stall', after: 131_072 });
    const leaving = new AbortController();
    const outcome = await bench.pull(name, {
      signal: leaving.signal,
      onMessage: (message) => message.status === 'Downloading' && leaving.abort(),
    });
    expect(outcome.error?.message).toBe('context canceled');
    expect((await bench.pull(name)).error).toBeNull();
    expect(registry.requests.at(-1)?.headers.range).toMatch(/^bytes=\d+-$/);
    expect(bench.store.leases).toBe(0);
  });
});

test('a built-in image answers only when no registry can be reached', async () => {
  const asked: string[] = [];
  const builtIn = {
    has: () => true,
    provide: async (_reference: object, options: { reason: string }) => void asked.push(options.reason),
  };
  const registry = await owned(TestRegistry.start());
  const bench = await owned(PullBench.start({}, builtIn));
  expect((await bench.pull(`${registry.host}/none:x`)).error?.message).toContain('name unknown');
  expect(asked).toEqual([]);
  const offline = await bench.pull('127.0.0.1:1/x:y');
  expect(offline.messages.at(-1)?.status).toBe('Status: Using the built-in image for 127.0.0.1:1/x:y');
  expect(asked.length).toBe(1);
});
