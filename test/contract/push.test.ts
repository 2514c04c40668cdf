/** How a blob that is made while it is sent gets to a registry, whatever happens on the way. */
import { afterEach, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import type { Credentials } from '../../src/distribution/credentials.ts';
import { MadeBlob } from '../../src/distribution/made-blob.ts';
import { Repository } from '../../src/distribution/repository.ts';
import { Transport } from '../../src/distribution/transport.ts';
import { uploadMade } from '../../src/distribution/upload-made.ts';
import { sha256 } from '../../src/oci/digest.ts';
import { type RegistryOptions, TestRegistry } from '../support/registry.ts';

const bytes = randomBytes(21 * 1024 * 1024 + 11);
const digest = sha256(bytes);
const facts = { digest, size: bytes.length };
const session = /uploads\/upload/;

const registries: TestRegistry[] = [];
afterEach(async () => {
  for (const registry of registries.splice(0)) await registry.stop();
});

async function start(options: RegistryOptions = {}): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  registries.push(registry);
  return registry;
}

/** Sends `bytes`. `most`: how far ahead of what left the making was at most; `starts`: how often they were made. */
async function send(
  registry: TestRegistry,
  options: { credentials?: Credentials; signal?: AbortSignal; onProgress?: () => void; headTimeout?: number } = {},
): Promise<{ facts: object; starts: number; retries: number }> {
  const isInsecure = (): boolean => true;
  const repository = new Repository({
    endpoint: { base: registry.url, isMirror: false, verify: false },
    path: 'app/one',
    credentials: options.credentials ?? null,
    transport: new Transport({ isInsecure, headTimeout: options.headTimeout }),
    isInsecure,
    actions: 'pull,push',
  });
  let starts = 0;
  const blob = new MadeBlob(async function* () {
    starts++;
    for (let at = 0; at < bytes.length; at += 1024 * 1024) yield bytes.subarray(at, at + 1024 * 1024);
  });
  let retries = 0;
  const sent = await uploadMade(repository, blob, {
    signal: options.signal ?? new AbortController().signal,
    firstPause: 1,
    onRetry: () => retries++,
    onProgress: options.onProgress,
  });
  return { facts: sent, starts, retries };
}

const requests = (registry: TestRegistry): string[] =>
  registry.requests.filter(({ path }) => /uploads/.test(path)).map(({ method }) => method);

describe('an upload', () => {
  test('is opened, sent as one stream, and named at its end', async () => {
    const registry = await start();
    expect(await send(registry)).toEqual({ facts, starts: 1, retries: 0 });
    expect(registry.blobs.get(digest)).toEqual(new Uint8Array(bytes));
    expect(requests(registry)).toEqual(['POST', 'PATCH', 'PUT']);
    const [patch] = registry.requests.filter(({ method }) => method === 'PATCH');
    expect([patch?.headers['content-length'], patch?.headers['content-range']]).toEqual([undefined, undefined]);
  });

  test('that breaks goes on in chunks from where the registry has it', async () => {
    const registry = await start();
    registry.fail(session, { kind: 'break', after: 9_000_000 });
    const sent = await send(registry);
    expect(sent.facts).toEqual(facts);
    expect(registry.blobs.get(digest)).toEqual(new Uint8Array(bytes));
    expect(requests(registry).slice(0, 3)).toEqual(['POST', 'PATCH', 'GET']);
    const ranges = registry.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => /^(\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1]);
    expect(ranges[0]).toBeUndefined();
    expect(Number(ranges[1])).toBeGreaterThanOrEqual(9_000_000);
  });

  test('of which the registry has nothing, or cannot say, begins again', async () => {
    const registry = await start();
    registry.fail(session, { kind: 'break', after: 12_000_000 });
    registry.fail(session, { kind: 'status', status: 404 });
    expect(await send(registry)).toEqual({ facts, starts: 2, retries: 0 });
    expect(requests(registry).filter((method) => method === 'POST')).toHaveLength(2);
  });

  test.each([
    ['at its beginning', /uploads\/$/, 'POST'],
    ['while it is sent', session, 'PATCH'],
    ['at its end', session, 'PUT'],
  ])('meets a failing registry %s', async (_where, path, method) => {
    for (const action of [{ kind: 'status', status: 503 }, { kind: 'reset' }] as const) {
      const registry = await start();
      registry.fail(path, action, 2, method);
      expect((await send(registry)).facts).toEqual(facts);
      expect(registry.blobs.has(digest)).toBe(true);
    }
  });

  test('is tried five times, and no more', async () => {
    const registry = await start();
    registry.fail(session, { kind: 'status', status: 500 }, 1e9, 'PATCH');
    await expect(send(registry)).rejects.toThrow('received unexpected HTTP status: 500');
    expect(registry.count('PATCH', session)).toBe(5);
  });

  test('that was taken although its answer was lost is not sent again', async () => {
    const registry = await start();
    registry.fail(session, { kind: 'reset' }, 1, 'PUT');
    registry.blobs.set(digest, bytes);
    expect(await send(registry)).toEqual({ facts, starts: 1, retries: 0 });
    expect(registry.count('PATCH', session)).toBe(1);
  });

  test('that is refused is not tried again', async () => {
    const registry = await start();
    const body = '{"errors":[{"code":"DENIED","message":"quota exceeded"}]}';
    registry.fail(session, { kind: 'status', status: 403, body }, 1e9);
    await expect(send(registry)).rejects.toThrow('denied: quota exceeded');
    expect(registry.count('PATCH', session)).toBe(1);
  });
});

describe('a registry', () => {
  test('without PATCH gets it in one PUT, made once more', async () => {
    const registry = await start({ patch: 'none' });
    expect(await send(registry)).toEqual({ facts, starts: 2, retries: 0 });
    expect(requests(registry)).toEqual(['POST', 'PATCH', 'POST', 'PUT']);
    expect(registry.requests.at(-1)?.headers['content-length']).toBe(String(bytes.length));
    // Now it is there, and only made to know that.
    expect(await send(registry)).toEqual({ facts, starts: 1, retries: 0 });
  });

  test('that wants lengths gets chunks', async () => {
    const registry = await start({ patch: 'sized' });
    expect(await send(registry)).toEqual({ facts, starts: 1, retries: 0 });
    const lengths = registry.requests
      .filter(({ method, headers }) => method === 'PATCH' && headers['content-length'])
      .map(({ headers }) => Number(headers['content-length']));
    expect(lengths).toEqual([8 << 20, 8 << 20, bytes.length - (16 << 20)]);
  });

  test('whose token dies on the way gives another', async () => {
    const registry = await start({ auth: { kind: 'token', user: 'u', password: 'p' } });
    const headers = { 'www-authenticate': `Bearer realm="${registry.url}/token",service="x",error="invalid_token"` };
    registry.fail(session, { kind: 'status', status: 401, headers }, 1, 'PATCH');
    registry.fail(session, { kind: 'status', status: 401, headers }, 1, 'PUT');
    const credentials = { kind: 'password', username: 'u', password: 'p' } as const;
    expect((await send(registry, { credentials })).facts).toEqual(facts);
    expect(registry.count('GET', /^\/token/)).toBe(3);
  });

  test('that is slow is not taken for one that is gone, and nothing runs ahead of it', async () => {
    const registry = await start();
    // Three times as long as it may be silent.
    registry.fail(session, { kind: 'slow', bytesPerSecond: 20_000_000 });
    let parts = 0;
    expect(await send(registry, { headTimeout: 350, onProgress: () => parts++ })).toEqual({
      facts,
      starts: 1,
      retries: 0,
    });
    expect(parts).toBeGreaterThan(80);
    expect(requests(registry)).toEqual(['POST', 'PATCH', 'PUT']);
  });

  test('that takes nothing any more is given up', async () => {
    const registry = await start();
    registry.fail(session, { kind: 'hang' }, 1e9);
    await expect(send(registry, { headTimeout: 50 })).rejects.toThrow('Client.Timeout exceeded');
  });
});

test('whoever leaves is gone at once', async () => {
  const registry = await start();
  registry.fail(session, { kind: 'slow', bytesPerSecond: 1_000_000 });
  const leaving = new AbortController();
  const before = performance.now();
  const sending = send(registry, { signal: leaving.signal, onProgress: () => leaving.abort(new Error('left')) });
  await expect(sending).rejects.toThrow('left');
  expect(performance.now() - before).toBeLessThan(1000);
});
