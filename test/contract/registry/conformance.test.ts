/**
 * The cases of the conformance suite of the OCI Distribution Specification (https://github.com/opencontainers/distribution-spec/tree/main/conformance),
 * by its own names, written anew. protocol.test.ts asks what that suite does not.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { digestOf, indexType, RegistryClient, someBytes } from './client.ts';
import { artifactOne, type DataSet, type Document, dataSets, sparse } from './conformance-data.ts';

let registry: BerthRegistry;
let client: RegistryClient;
beforeAll(async () => {
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
});
afterAll(() => registry.stop());

type Bytes = Uint8Array<ArrayBuffer>;
const repository = 'conformance/repo1';
const other = 'conformance/repo2';
const uploads = `/v2/${repository}/blobs/uploads/`;
const pieceSize = 1000;

async function patch(location: string, bytes: Bytes, first: number): Promise<{ status: number; location: string }> {
  const headers = { 'content-range': `${first}-${first + bytes.length - 1}` };
  const answer = await client.request('PATCH', location, { body: bytes, headers });
  return { status: answer.status, location: answer.headers.get('location') ?? location };
}

/** Each gives the status of the last answer. */
const pushes: Record<string, (bytes: Bytes, digest: string) => Promise<number>> = {
  'post only': async (bytes, digest) =>
    (await client.request('POST', `${uploads}?digest=${digest}`, { body: bytes })).status,
  'post+put': async (bytes, digest) =>
    (await client.request('PUT', `${await client.begin(repository)}?digest=${digest}`, { body: bytes })).status,
  'chunked single': async (bytes, digest) => {
    const { location } = await patch(await client.begin(repository), bytes, 0);
    return (await client.request('PUT', `${location}?digest=${digest}`)).status;
  },
  'chunked multi': async (bytes, digest) => {
    let location = await client.begin(repository);
    for (let at = 0; at < bytes.length; at += pieceSize)
      ({ location } = await patch(location, bytes.slice(at, at + pieceSize), at));
    return (await client.request('PUT', `${location}?digest=${digest}`)).status;
  },
  'chunked multi and put chunk': async (bytes, digest) => {
    const { location } = await patch(await client.begin(repository), bytes.slice(0, pieceSize), 0);
    const headers = { 'content-range': `${pieceSize}-${bytes.length - 1}` };
    return (await client.request('PUT', `${location}?digest=${digest}`, { body: bytes.slice(pieceSize), headers }))
      .status;
  },
  stream: async (bytes, digest) => {
    const body = new Blob([bytes]).stream();
    const { headers } = await client.request('PATCH', await client.begin(repository), { body });
    return (await client.request('PUT', `${headers.get('location')}?digest=${digest}`)).status;
  },
};

/** It is there whole, can be taken away, and is gone then. */
async function checkBlob(name: string, bytes: Bytes, digest: string): Promise<void> {
  const path = `/v2/${name}/blobs/${digest}`;
  const head = await client.request('HEAD', path);
  expect([head.status, head.headers.get('content-length'), head.headers.get('docker-content-digest')]).toEqual([
    200,
    String(bytes.length),
    digest,
  ]);
  const got = await fetch(registry.url + path);
  expect(digestOf(new Uint8Array(await got.arrayBuffer()), digest.split(':')[0])).toBe(digest);
}

async function removeBlob(name: string, digest: string): Promise<void> {
  const path = `/v2/${name}/blobs/${digest}`;
  expect((await client.request('DELETE', path)).status).toBe(202);
  for (const method of ['HEAD', 'GET']) expect((await client.request(method, path)).status).toBe(404);
}

test('ping; empty: tag list, referrers', async () => {
  expect((await client.request('GET', '/v2/')).status).toBe(200);
  expect((await client.request('GET', '/v2/conformance/nobody/tags/list')).status).toBe(404);
  const { status, headers, text } = await client.request('GET', `/v2/${repository}/referrers/${digestOf('x')}`);
  expect([status, headers.get('content-type'), JSON.parse(text).manifests]).toEqual([200, indexType, []]);
});

describe.each(['sha256', 'sha512'])('%s blobs', (algorithm) => {
  const blob = (length = 2 * pieceSize + 700): [bytes: Bytes, digest: string] => {
    const bytes = someBytes(length);
    return [bytes, digestOf(bytes, algorithm)];
  };

  test('get-missing', async () => {
    expect(await client.request('GET', `/v2/${repository}/blobs/${digestOf('none', algorithm)}`)).toMatchObject({
      status: 404,
      code: 'BLOB_UNKNOWN',
    });
  });

  test.each(Object.keys(pushes))('%s', async (name) => {
    const [bytes, digest] = blob();
    expect(await pushes[name]?.(bytes, digest)).toBe(201);
    await checkBlob(repository, bytes, digest);
    await removeBlob(repository, digest);
  });

  test.each(Object.keys(pushes))('empty, emptyJSON and bad digest: %s', async (name) => {
    for (const text of ['', '{}']) {
      const bytes = new TextEncoder().encode(text);
      const digest = digestOf(bytes, algorithm);
      // No range can be said of no bytes.
      if (name.endsWith('put chunk') || (text === '' && name.startsWith('chunked'))) continue;
      expect([text, await pushes[name]?.(bytes, digest)]).toEqual([text, 201]);
      await checkBlob(repository, bytes, digest);
      await removeBlob(repository, digest);
    }
    const [bytes] = blob();
    const [, wrong] = blob();
    expect(await pushes[name]?.(bytes, wrong)).toBe(400);
    expect((await client.request('HEAD', `/v2/${repository}/blobs/${wrong}`)).status).toBe(404);
  });

  test('mount, mount anonymous, mount missing', async () => {
    const [bytes, digest] = blob();
    await pushes['post+put']?.(bytes, digest);
    for (const query of [`mount=${digest}&from=${repository}`, `mount=${digest}`]) {
      const { status, headers } = await client.request('POST', `/v2/${other}/blobs/uploads/?${query}`);
      expect([query, status, headers.get('location')]).toEqual([query, 201, `/v2/${other}/blobs/${digest}`]);
      await checkBlob(other, bytes, digest);
      await removeBlob(other, digest);
    }
    const [, none] = blob();
    const missing = await client.request('POST', `/v2/${other}/blobs/uploads/?mount=${none}&from=${repository}`);
    expect([missing.status, missing.headers.has('location')]).toEqual([202, true]);
    await removeBlob(repository, digest);
  });

  test('post cancel', async () => {
    const location = await client.begin(repository);
    expect((await client.request('DELETE', location)).status).toBe(204);
    expect((await client.request('GET', location)).status).toBe(404);
  });

  test.each(['', ' and put chunk'])('chunked out-of-order%s', async (ending) => {
    const [bytes, digest] = blob();
    const first = await client.begin(repository);
    const second = bytes.slice(pieceSize, 2 * pieceSize);
    expect((await patch(first, second, pieceSize)).status).toBe(416);
    const { status, location } = await patch(first, bytes.slice(0, pieceSize), 0);
    expect(status).toBe(202);
    // Once more, and one too far.
    expect((await patch(location, bytes.slice(0, pieceSize), 0)).status).toBe(416);
    expect((await patch(location, bytes.slice(2 * pieceSize), 2 * pieceSize)).status).toBe(416);
    const state = await client.request('GET', location);
    expect([state.status, state.headers.get('range'), state.headers.has('location')]).toEqual([
      204,
      `0-${pieceSize - 1}`,
      true,
    ]);
    expect((await patch(location, second, pieceSize)).status).toBe(202);
    const rest = bytes.slice(2 * pieceSize);
    const end = `${location}?digest=${digest}`;
    if (ending === '') {
      expect((await patch(location, rest, 2 * pieceSize)).status).toBe(202);
      expect((await client.request('PUT', end)).status).toBe(201);
    } else {
      const range = (from: number): Record<string, string> => ({
        'content-range': `${from}-${from + rest.length - 1}`,
      });
      expect((await client.request('PUT', end, { body: rest, headers: range(0) })).status).toBe(416);
      expect((await client.request('PUT', end, { body: rest, headers: range(2 * pieceSize) })).status).toBe(201);
    }
    await checkBlob(repository, bytes, digest);
    await removeBlob(repository, digest);
  });

  test('range requests', async () => {
    const [bytes, digest] = blob();
    await pushes['post only']?.(bytes, digest);
    for (const [range, start, end] of [
      ['500-1499', 500, 1500],
      ['500-', 500, 2700],
      ['-500', 2200, 2700],
      ['2000-5000', 2000, 2700],
      ['500-0', 0, 0],
      ['5000-10000', 0, 0],
    ] as const) {
      const headers = { range: `bytes=${range}` };
      const answer = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`, { headers });
      const body = new Uint8Array(await answer.arrayBuffer());
      if (end === 0) expect([range, answer.status]).toEqual([range, 416]);
      else {
        const facts = [range, answer.status, answer.headers.get('content-range'), digestOf(body)];
        expect(facts).toEqual([range, 206, `bytes ${start}-${end - 1}/2700`, digestOf(bytes.slice(start, end))]);
      }
    }
    await removeBlob(repository, digest);
  });
});

async function pushDocument({ digest, mediaType, text, tags, refers }: Document, asParameters: boolean): Promise<void> {
  const references = asParameters
    ? [`${digest}${tags.map((tag, at) => `${at === 0 ? '?' : '&'}tag=${tag}`).join('')}`]
    : [digest, ...tags];
  for (const reference of references) {
    const { status, headers } = await client.put(repository, reference, text, mediaType);
    expect([status, headers.get('docker-content-digest'), headers.get('oci-subject')]).toEqual([
      201,
      digest,
      refers?.subject ?? null,
    ]);
    if (asParameters && tags.length > 0) expect(headers.get('oci-tag')).toBe(tags.join(', '));
  }
}

async function checkTags(data: DataSet): Promise<void> {
  const list = async (query = ''): Promise<string[]> =>
    JSON.parse((await client.request('GET', `/v2/${repository}/tags/list${query}`)).text).tags;
  const all = await list();
  expect(all).toEqual(all.toSorted());
  expect(all).toEqual(expect.arrayContaining(data.documents.flatMap(({ tags }) => tags)));
  for (const [at, tag] of all.entries()) {
    expect(await list(`?last=${tag}`)).toEqual(all.slice(at + 1));
    expect(await list(`?n=${at}`)).toEqual(all.slice(0, at));
  }
}

async function checkDocument({ digest, mediaType, text, tags }: Document): Promise<void> {
  for (const reference of [digest, ...tags])
    for (const method of ['HEAD', 'GET']) {
      const answer = await client.request(method, `/v2/${repository}/manifests/${reference}`);
      const { headers } = answer;
      const facts = [answer.status, headers.get('content-type'), headers.get('docker-content-digest')];
      expect([...facts, headers.get('content-length')]).toEqual([200, mediaType, digest, String(text.length)]);
      if (method === 'GET') expect(answer.text).toBe(text);
    }
}

async function checkReferrers(data: DataSet): Promise<void> {
  const subjects = new Set(data.documents.flatMap(({ refers }) => refers?.subject ?? []));
  for (const subject of subjects)
    for (const filter of [null, artifactOne]) {
      const path = `/v2/${repository}/referrers/${subject}${filter ? `?artifactType=${encodeURIComponent(filter)}` : ''}`;
      const { headers, text } = await client.request('GET', path);
      expect([headers.get('content-type'), headers.get('oci-filters-applied')]).toEqual([
        indexType,
        filter && 'artifactType',
      ]);
      const wanted = data.documents.flatMap(({ digest, mediaType, text: own, refers }) =>
        refers?.subject === subject && (filter === null || refers.artifactType === filter)
          ? [
              {
                mediaType,
                digest,
                size: own.length,
                artifactType: refers.artifactType,
                annotations: refers.annotations,
              },
            ]
          : [],
      );
      const found = JSON.parse(text) as { manifests: { digest: string }[] };
      expect(found).toMatchObject({ schemaVersion: 2, mediaType: indexType });
      const byDigest = (one: { digest: string }, two: { digest: string }): number => (one.digest < two.digest ? -1 : 1);
      expect(found.manifests).toEqual(JSON.parse(JSON.stringify(wanted.toSorted(byDigest))));
    }
}

async function remove(data: DataSet): Promise<void> {
  for (const { digest, tags } of data.documents.toReversed()) {
    for (const tag of tags) {
      expect((await client.request('DELETE', `/v2/${repository}/manifests/${tag}`)).status).toBe(202);
      expect((await client.request('GET', `/v2/${repository}/manifests/${tag}`)).status).toBe(404);
    }
    expect((await client.request('DELETE', `/v2/${repository}/manifests/${digest}`)).status).toBe(202);
    expect((await client.request('GET', `/v2/${repository}/manifests/${digest}`)).status).toBe(404);
  }
  for (const digest of data.blobs.keys()) await removeBlob(repository, digest);
}

test.each(Object.keys(dataSets))('%s: push, tag-list, head, pull, referrers, delete', async (name) => {
  const data = (dataSets[name] as () => DataSet)();
  const ways = Object.values(pushes).slice(0, 3);
  for (const [at, [digest, bytes]] of [...data.blobs].entries())
    expect(await ways[at % ways.length]?.(bytes, digest)).toBe(201);
  for (const document of data.documents) await pushDocument(document, name.startsWith('tag-param'));
  await checkTags(data);
  for (const document of data.documents) await checkDocument(document);
  for (const [digest, bytes] of data.blobs) await checkBlob(repository, bytes, digest);
  await checkReferrers(data);
  await remove(data);
});

test('sparse: refused, and taken where that is wanted', async () => {
  const lenient = await BerthRegistry.start({ options: ['--sparse'] });
  try {
    const data = sparse();
    for (const [at, place] of [client, new RegistryClient(lenient)].entries()) {
      for (const bytes of data.blobs.values()) await place.blob(repository, bytes);
      for (const { digest, text, mediaType, tags } of data.documents)
        for (const reference of [digest, ...tags]) {
          const { status } = await place.put(repository, reference, text, mediaType);
          expect(status).toBe(at === 0 ? 404 : 201);
        }
    }
  } finally {
    await lenient.stop();
  }
});

test('bad-digest-image, missing-manifest, invalid-digest-format', async () => {
  const data = (dataSets['image'] as () => DataSet)();
  for (const [digest, bytes] of data.blobs) await pushes['post+put']?.(bytes, digest);
  const [{ digest, text }] = data.documents as [Document];
  expect(await client.put(repository, digest, `${text}  `)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
  for (const reference of [digest, 'missing-tag', digestOf('missing', 'sha512')])
    for (const method of ['GET', 'HEAD', 'DELETE'])
      expect((await client.request(method, `/v2/${repository}/manifests/${reference}`)).status).toBe(404);
  const bad = 'sha256:baddigeststring';
  expect(await client.put(repository, bad, text)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
  expect((await client.request('GET', `/v2/${repository}/manifests/${bad}`)).status).toBe(404);
  for (const name of ['post only', 'post+put', 'chunked single', 'stream'])
    expect([name, await pushes[name]?.(someBytes(10), bad)]).toEqual([name, 400]);
});
