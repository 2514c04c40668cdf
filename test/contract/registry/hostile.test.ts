/** Requests that no honest client sends: each is refused or answered as the specifications say, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { digestOf, indexType, manifestOf, manifestType, RegistryClient, someBytes } from './client.ts';

let registry: BerthRegistry;
let client: RegistryClient;
const text = '0123456789';
const digest = digestOf(text);
beforeAll(async () => {
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
  await client.blob('known', text);
});
afterAll(() => registry.stop());

/** Sends the bytes, ends its half where that is wanted, and gives what comes until the registry closes. */
async function talk(bytes: string, options: { ends?: boolean } = {}): Promise<string> {
  const socket = connect({ port: registry.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  if (options.ends) socket.end(bytes);
  else socket.write(bytes);
  await new Promise((resolve) => socket.once('end', resolve));
  socket.destroy();
  return received;
}

const statuses = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
const get = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n';
const post = 'POST /v2/smuggled/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n';

describe('a body that two programs could see the end of in different places', () => {
  test.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef', 400],
    ['a signed length', 'Content-Length: +5\r\n\r\nabcde', 400],
    ['an endless length', `Content-Length: ${'9'.repeat(30)}\r\n\r\n`, 400],
    ['a blank in front of the colon', 'Content-Length : 5\r\n\r\nabcde', 400],
    ['a folded header', 'X: a\r\n b\r\nContent-Length: 0\r\n\r\n', 400],
    ['an encoding that is none', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', 501],
    ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 501],
    ['two hosts', 'Host: y\r\nContent-Length: 0\r\n\r\n', 400],
  ])('%s: refused, and what follows is not read', async (_name, rest, status) => {
    expect(statuses(await talk(`${post}${rest}${get}\r\n`))).toEqual([status]);
  });
});

describe('other ways to speak HTTP', () => {
  test('1.0: answered, and closed', async () => {
    const answer = await talk(`GET /v2/known/blobs/${digest} HTTP/1.0\r\n\r\n`);
    expect([statuses(answer), answer.endsWith(`\r\n\r\n${text}`), /^transfer-encoding/im.test(answer)]).toEqual([
      [200],
      true,
      false,
    ]);
    expect(statuses(await talk('GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'))).toEqual([200]);
  });

  test('many requests at once, uploads between them, answered in order', async () => {
    const upload = `POST /v2/piped/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n${text}`;
    const missing = 'GET /v2/piped/manifests/none HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await talk(`${(upload + missing).repeat(20)}${get}Connection: close\r\n\r\n`);
    expect(statuses(answer)).toEqual([...Array.from({ length: 20 }, () => [201, 404]).flat(), 200]);
  });

  test('a client that has ended its half gets its answer', async () => {
    const answer = await talk(`GET /v2/known/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`, { ends: true });
    expect(answer.endsWith(text)).toBe(true);
    const cut = await talk(`${post}Content-Length: 100\r\n\r\n${text}`, { ends: true });
    expect(statuses(cut).filter((status) => status < 300 && status !== 202)).toEqual([]);
  });

  test('100-continue: asked to go on where the body is wanted, refused at once where it is not', async () => {
    const expecting = `Expect: 100-continue\r\nConnection: close\r\nContent-Length: 10\r\n\r\n`;
    const wanted = `POST /v2/asked/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: x\r\n${expecting}`;
    expect(statuses(await talk(`${wanted}${text}`))).toEqual([100, 201]);
    const unknown = 'PATCH /v2/asked/blobs/uploads/none HTTP/1.1\r\nHost: x\r\n';
    expect(statuses(await talk(unknown + expecting))).toEqual([404]);
  });
});

test.each([
  '/v2/../../registry.db',
  '/v2/known/../known/tags/list',
  '/v2/known/%2e%2e/known/tags/list',
  '/v2//known/tags/list',
  '/v2/known%00/tags/list',
  '/v2/known/blobs/sha256:..%2f..%2f..%2fregistry.db',
  '/v2/known/blobs/sha256%3a../registry.db',
  `/v2/known/blobs/${digest.toUpperCase()}`,
  `/v2/known/blobs/${digest.slice(0, -1)}`,
  `/v2/known/blobs/md5:${'0'.repeat(32)}`,
  '/v2/known/blobs/uploads/..',
  `/v2/known/blobs/uploads/..%2f..%2fblobs%2fsha256%2f${digest.slice(7, 9)}%2f${digest.slice(7)}`,
  '/v2/known/manifests/%2e%2e%2fx',
  `/v2/known/manifests/${'a'.repeat(129)}`,
  `/v2/${'a/'.repeat(200)}a/tags/list`,
  '/v2/%',
  '//v2/known/tags/list',
  'http://elsewhere/v2/../x',
])('a path that leads nowhere: %s', async (path) => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const [status = 0] = statuses(
      await talk(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
    );
    expect([method, [400, 404, 405].includes(status), status]).toEqual([method, true, status]);
  }
});

describe('documents', () => {
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  test('nested beyond reason', async () => {
    for (const type of [manifestType, indexType]) {
      const answer = await client.put('deep', 'v1', deep(2_000_000), type);
      expect([answer.status, answer.code]).toEqual([400, 'MANIFEST_INVALID']);
    }
    expect((await client.put('deep', 'v1', `{"a":${deep(100_000)}}`, 'application/x')).status).toBe(201);
    expect((await client.request('GET', '/v2/')).status).toBe(200);
  });

  test('indexes in indexes; one that names itself cannot be', async () => {
    const config = await client.blob('nested', '{}');
    let document = JSON.stringify(manifestOf({ config, configSize: 2, layers: [] }));
    let mediaType = manifestType;
    for (let level = 0; level < 100; level++) {
      const own = digestOf(document);
      expect((await client.put('nested', own, document, mediaType)).status).toBe(201);
      const manifests = [{ mediaType, digest: own, size: document.length }];
      mediaType = indexType;
      document = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
    }
    expect((await client.put('nested', 'top', document, indexType)).status).toBe(201);
    const self = JSON.stringify({
      schemaVersion: 2,
      mediaType,
      manifests: [{ mediaType, digest: digestOf(document), size: 1 }],
    });
    expect((await client.put('nested', 'self', self.replace(digestOf(document), digestOf(self)), indexType)).code).toBe(
      'MANIFEST_BLOB_UNKNOWN',
    );
  });

  test('a thousand tags, deleted while they are listed', async () => {
    const config = await client.blob('thousand', '{}');
    const document = JSON.stringify(manifestOf({ config, configSize: 2, layers: [] }));
    const name = (number: number): string => `t${String(number).padStart(4, '0')}`;
    for (let first = 0; first < 1000; first += 100) {
      const tags = Array.from({ length: 100 }, (_, at) => `tag=${name(first + at)}`).join('&');
      expect((await client.put('thousand', `${digestOf(document)}?${tags}`, document)).status).toBe(201);
    }
    const deleting = (async () => {
      for (let number = 0; number < 1000; number += 2)
        await client.request('DELETE', `/v2/thousand/manifests/${name(number)}`);
    })();
    const seen: string[] = [];
    for (let path: string | undefined = '/v2/thousand/tags/list?n=7'; path; ) {
      const answer = await client.request('GET', path);
      seen.push(...JSON.parse(answer.text).tags);
      path = /^<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    await deleting;
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen).toEqual(expect.arrayContaining(Array.from({ length: 500 }, (_, at) => name(2 * at + 1))));
  });

  test('a long body under a wrong digest leaves nothing, of any algorithm', async () => {
    const uploads = (): string[] => readdirSync(join(registry.root, 'uploads')).toSorted();
    const before = uploads();
    for (const algorithm of ['sha256', 'sha384', 'sha512']) {
      const location = await client.begin('long');
      const wrong = digestOf('something else', algorithm);
      const answer = await client.request('PUT', `${location}?digest=${wrong}`, { body: someBytes(5_000_000) });
      expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID']);
      expect((await client.request('HEAD', `/v2/long/blobs/${wrong}`)).status).toBe(404);
    }
    expect(uploads()).toEqual(before);
  });
});
