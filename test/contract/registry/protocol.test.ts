/**
 * The OCI Distribution Specification 1.1 from the outside: the cases of its conformance suite, written anew, and what that suite does not
 * ask. https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BerthRegistry } from '../../support/berth-registry.ts';
import {
  type Answer,
  digestOf,
  emptyType,
  indexType,
  manifestOf,
  manifestType,
  RegistryClient,
  someBytes,
} from './client.ts';

let registry: BerthRegistry;
let client: RegistryClient;
beforeAll(async () => {
  registry = await BerthRegistry.start();
  client = new RegistryClient(registry);
});
afterAll(() => registry.stop());

const nowhere = `sha256:${'0'.repeat(64)}`;

test('the base route', async () => {
  const { status, headers } = await client.request('GET', '/v2/');
  expect([status, headers.get('docker-distribution-api-version')]).toEqual([200, 'registry/2.0']);
});

test('without a host it listens on IPv4 and IPv6', async () => {
  const open = await BerthRegistry.start({ address: '' });
  try {
    for (const host of ['127.0.0.1', '[::1]'])
      expect((await fetch(`http://${host}:${open.port}/v2/`)).status).toBe(200);
  } finally {
    await open.stop();
  }
});

describe('pushing a blob', () => {
  const bytes = someBytes(1000);
  const digest = digestOf(bytes);

  test('POST, then PUT', async () => {
    const location = await client.begin('push/post-put');
    const { status, headers } = await client.request('PUT', `${location}?digest=${digest}`, { body: bytes });
    expect([status, headers.get('location'), headers.get('docker-content-digest')]).toEqual([
      201,
      `/v2/push/post-put/blobs/${digest}`,
      digest,
    ]);
    expect((await client.request('GET', headers.get('location') as string)).status).toBe(200);
  });

  test('POST alone', async () => {
    const { status } = await client.request('POST', `/v2/push/post/blobs/uploads/?digest=${digest}`, { body: bytes });
    expect(status).toBe(201);
    expect((await client.request('HEAD', `/v2/push/post/blobs/${digest}`)).headers.get('content-length')).toBe('1000');
  });

  test('in chunks, asked in between how far it is', async () => {
    const location = await client.begin('push/chunks');
    const first = await client.request('PATCH', location, {
      body: bytes.subarray(0, 400),
      headers: { 'content-range': '0-399' },
    });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-399']);
    const state = await client.request('GET', first.headers.get('location') as string);
    expect([state.status, state.headers.get('range')]).toEqual([204, '0-399']);
    const second = await client.request('PATCH', location, {
      body: bytes.subarray(400, 600),
      headers: { 'content-range': '400-599' },
    });
    expect(second.headers.get('range')).toBe('0-599');
    const end = await client.request('PUT', `${location}?digest=${digest}`, {
      body: bytes.subarray(600),
      headers: { 'content-range': '600-999' },
    });
    expect(end.status).toBe(201);
  });

  test('as a stream of unknown length', async () => {
    const location = await client.begin('push/stream');
    const stream = new Blob([bytes]).stream();
    const { status, headers } = await client.request('PATCH', location, { body: stream });
    expect([status, headers.get('range')]).toEqual([202, '0-999']);
    expect((await client.request('PUT', `${location}?digest=${digest}`)).status).toBe(201);
  });

  test.each([
    ['behind the end', '500-999'],
    ['once more', '0-399'],
    ['no range', 'x-y'],
    ['backwards', '400-300'],
  ])('a chunk out of order is 416: %s', async (_name, range) => {
    const location = await client.begin('push/order');
    await client.request('PATCH', location, { body: bytes.subarray(0, 400), headers: { 'content-range': '0-399' } });
    const wrong = await client.request('PATCH', location, {
      body: bytes.subarray(0, 100),
      headers: { 'content-range': range },
    });
    expect([wrong.status, wrong.code, wrong.headers.get('range')]).toEqual([416, 'BLOB_UPLOAD_INVALID', '0-399']);
  });

  test('a range of another length than the chunk', async () => {
    const location = await client.begin('push/length');
    const wrong = await client.request('PATCH', location, { body: bytes, headers: { 'content-range': '0-10' } });
    expect([wrong.status, wrong.code]).toEqual([400, 'SIZE_INVALID']);
  });

  test('other bytes than the digest says: refused, and forgotten', async () => {
    const location = await client.begin('push/mismatch');
    const wrong = await client.request('PUT', `${location}?digest=${nowhere}`, { body: bytes });
    expect([wrong.status, wrong.code]).toEqual([400, 'DIGEST_INVALID']);
    expect((await client.request('GET', location)).code).toBe('BLOB_UPLOAD_UNKNOWN');
    expect((await client.request('HEAD', `/v2/push/mismatch/blobs/${nowhere}`)).status).toBe(404);
    for (const text of ['', 'sha256:1', 'md5:00000000000000000000000000000000', `sha256:${'G'.repeat(64)}`]) {
      const other = await client.begin('push/mismatch');
      const refused = await client.request('PUT', `${other}?digest=${text}`, { body: bytes });
      expect([refused.status, refused.code]).toEqual([400, 'DIGEST_INVALID']);
    }
  });

  test('cancelled', async () => {
    const location = await client.begin('push/cancel');
    expect((await client.request('DELETE', location)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await client.request(method, location)).code).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  test('an upload belongs to its repository', async () => {
    const location = (await client.begin('push/mine')).replace('push/mine', 'push/yours');
    const refused = await client.request('PUT', `${location}?digest=${digest}`, { body: bytes });
    expect([refused.status, refused.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    const invented = await client.request('PATCH', '/v2/push/mine/blobs/uploads/..%2f..%2fx', { body: bytes });
    expect([invented.status, invented.code]).toEqual([404, invented.code]);
  });

  test('sha512, and no bytes at all', async () => {
    for (const [content, algorithm] of [
      [bytes, 'sha512'],
      [new Uint8Array(), 'sha256'],
    ] as const) {
      const own = digestOf(content, algorithm);
      const location = await client.begin('push/others');
      expect((await client.request('PUT', `${location}?digest=${own}`, { body: content })).status).toBe(201);
      expect((await client.request('GET', `/v2/push/others/blobs/${own}`)).status).toBe(200);
    }
  });

  test('mounted from another repository', async () => {
    await client.blob('mount/from', bytes);
    const path = '/v2/mount/to/blobs/uploads/';
    const mounted = await client.request('POST', `${path}?mount=${digest}&from=mount/from`);
    expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/mount/to/blobs/${digest}`]);
    expect((await client.request('POST', `/v2/mount/any/blobs/uploads/?mount=${digest}`)).status).toBe(201);
    for (const query of [
      `mount=${nowhere}&from=mount/from`,
      `mount=${digest}&from=mount/none`,
      `mount=${digest}&from=../x`,
    ])
      expect((await client.request('POST', `${path}?${query}`)).status).toBe(202);
  });
});

describe('pulling a blob', () => {
  const bytes = new TextEncoder().encode('0123456789');
  const digest = digestOf(bytes);
  const path = `/v2/pull/blobs/blobs/${digest}`;
  beforeAll(async () => void (await client.blob('pull/blobs', bytes)));

  test.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-4', 206, '6789', 'bytes 6-9/10'],
    ['bytes=8-20', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, null, 'bytes */10'],
    ['bytes=-0', 416, null, 'bytes */10'],
    ['Bytes= 2 - 4', 206, '234', 'bytes 2-4/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=0-99999999999999999999', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=99999999999999999999-', 416, null, 'bytes */10'],
    ['bytes=5-2', 416, null, 'bytes */10'],
    ['bytes=-', 416, null, 'bytes */10'],
    ['bytes=1--3', 416, null, 'bytes */10'],
    ['bytes=a-b', 416, null, 'bytes */10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['bytes=0-5,2-8', 200, '0123456789', null],
    ['lines=0-1', 200, '0123456789', null],
  ])('range %s', async (range, status, text, contentRange) => {
    const answer = await client.request('GET', path, { headers: { range } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([status, contentRange]);
    if (text !== null) expect(answer.text).toBe(text);
  });

  test('headers, and what a client has already', async () => {
    const { status, headers } = await client.request('HEAD', path);
    expect([status, headers.get('content-length'), headers.get('docker-content-digest')]).toEqual([200, '10', digest]);
    for (const known of [`"${digest}"`, `"other", W/"${digest}"`, digest, '*'])
      for (const method of ['GET', 'HEAD'])
        expect((await client.request(method, path, { headers: { 'if-none-match': known } })).status).toBe(304);
    expect((await client.request('GET', path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    const changed = { range: 'bytes=0-3', 'if-range': '"other"' };
    expect((await client.request('GET', path, { headers: changed })).status).toBe(200);
  });

  test('what is not there', async () => {
    const unknown = await client.request('GET', `/v2/pull/blobs/blobs/${nowhere}`);
    expect([unknown.status, unknown.code]).toEqual([404, 'BLOB_UNKNOWN']);
    // Another repository has it: that is nobody's business.
    expect((await client.request('GET', `/v2/pull/other/blobs/${digest}`)).code).toBe('BLOB_UNKNOWN');
  });
});

describe('manifests', () => {
  test('by tag and by digest, byte for byte', async () => {
    const { manifest, layer } = await client.image('m/image', 'v1');
    for (const reference of ['v1', manifest]) {
      const { status, headers, text } = await client.request('GET', `/v2/m/image/manifests/${reference}`);
      expect([status, headers.get('content-type'), headers.get('docker-content-digest')]).toEqual([
        200,
        manifestType,
        manifest,
      ]);
      expect(digestOf(text)).toBe(manifest);
      expect(text).toContain(layer);
      const head = await client.request('HEAD', `/v2/m/image/manifests/${reference}`);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(text.length)]);
    }
    expect((await client.request('GET', '/v2/m/image/manifests/none')).code).toBe('MANIFEST_UNKNOWN');
    expect((await client.request('GET', '/v2/m/none/manifests/v1')).code).toBe('MANIFEST_UNKNOWN');
    expect((await client.request('GET', '/v2/m/image/manifests/.bad')).status).toBe(404);
  });

  test('what is missing is named', async () => {
    const config = await client.blob('m/missing', '{}');
    const answer = await client.put('m/missing', 'v1', manifestOf({ config, configSize: 2, layers: [[nowhere, 5]] }));
    expect([answer.status, answer.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    expect(answer.text).toContain(nowhere);
    const index = {
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [{ mediaType: manifestType, digest: nowhere, size: 1 }],
    };
    expect((await client.put('m/missing', 'v1', index, indexType)).code).toBe('MANIFEST_BLOB_UNKNOWN');
    expect((await client.request('GET', '/v2/m/missing/tags/list')).text).toBe('{"name":"m/missing","tags":[]}\n');
  });

  test.each([
    ['no JSON', '{', manifestType, 400],
    ['a list', '[]', manifestType, 400],
    ['bytes that are no UTF-8', '"\xff"', manifestType, 400],
    ['schema version 3', '{"schemaVersion":3}', manifestType, 400],
    ['another media type inside', `{"schemaVersion":2,"mediaType":"${indexType}","manifests":[]}`, manifestType, 400],
    ['two kinds at once', '{"schemaVersion":2,"layers":[],"manifests":[]}', indexType, 400],
    ['a negative size', JSON.stringify(manifestOf({ config: nowhere, configSize: -1, layers: [] })), manifestType, 400],
    [
      'a digest that is none',
      JSON.stringify(manifestOf({ config: 'sha256:x', configSize: 1, layers: [] })),
      manifestType,
      400,
    ],
  ])('%s is refused', async (_name, body, type, status) => {
    const answer = await client.put('m/bad', 'v1', body, type);
    expect([answer.status, answer.code]).toEqual([status, 'MANIFEST_INVALID']);
  });

  test('too long: 413, told or not told beforehand', async () => {
    const long = `{"schemaVersion":2,"x":"${'x'.repeat(5 * 1024 * 1024)}"}`;
    expect((await client.put('m/long', 'v1', long)).status).toBe(413);
    const headers = { 'content-type': manifestType };
    const streamed = await client.request('PUT', '/v2/m/long/manifests/v1', {
      body: new Blob([long]).stream(),
      headers,
    });
    expect([streamed.status, streamed.code]).toEqual([413, 'SIZE_INVALID']);
  });

  test('under a digest that is not its own', async () => {
    const config = await client.blob('m/wrong', '{}');
    const answer = await client.put('m/wrong', nowhere, manifestOf({ config, configSize: 2, layers: [] }));
    expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('any media type, also one that nobody knows', async () => {
    const answer = await client.put('m/any', 'v1', '{"hello":"world"}', 'application/vnd.example.thing+json');
    expect(answer.status).toBe(201);
    const read = await client.request('GET', '/v2/m/any/manifests/v1');
    expect([read.headers.get('content-type'), read.text]).toEqual([
      'application/vnd.example.thing+json',
      '{"hello":"world"}',
    ]);
  });

  test('what was pushed comes back, whatever a client accepts; but an image for one that knows no lists', async () => {
    const docker = 'application/vnd.docker.distribution.manifest';
    const config = await client.blob('m/accept', '{}');
    const image = JSON.stringify({
      ...manifestOf({ config, configSize: 2, layers: [] }),
      mediaType: `${docker}.v2+json`,
      layers: [],
    });
    await client.put('m/accept', 'image', image, `${docker}.v2+json`);
    const entry = { mediaType: `${docker}.v2+json`, digest: digestOf(image), size: image.length };
    const documents: [tag: string, type: string, text: string][] = [
      ['image', `${docker}.v2+json`, image],
      ...[`${docker}.list.v2+json`, indexType].map((mediaType): [string, string, string] => [
        mediaType === indexType ? 'index' : 'list',
        mediaType,
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          manifests: [
            { ...entry, platform: { os: 'linux', architecture: 'arm64' } },
            { ...entry, platform: { os: 'linux', architecture: 'amd64' } },
          ],
        }),
      ]),
    ];
    for (const [tag, type, text] of documents) await client.put('m/accept', tag, text, type);
    const everything = [manifestType, `${docker}.list.v2+json`, `${docker}.v2+json`, indexType];
    const lists = {
      anything: '*/*',
      docker: [manifestType, `${docker}.list.v2+json`, indexType, `${docker}.v1+prettyjws`, `${docker}.v2+json`].join(
        ', ',
      ),
      'containers/image': [manifestType, `${docker}.v2+json`, `${docker}.list.v2+json`, indexType].join(','),
      containerd: `${everything.join(', ')}, */*`,
      'one kind': indexType,
      'with weights': everything.map((type, at) => `${type};q=0.${at}`).join(', '),
      'nothing of ours': 'text/plain',
    };
    for (const [who, accept] of Object.entries(lists))
      for (const [tag, type, text] of documents) {
        const answer = await client.request('GET', `/v2/m/accept/manifests/${tag}`, { headers: { accept } });
        expect([who, tag, answer.headers.get('content-type'), answer.text]).toEqual([who, tag, type, text]);
      }
    const old = { headers: { accept: `${docker}.v2+json` } };
    for (const method of ['GET', 'HEAD']) {
      const { headers } = await client.request(method, '/v2/m/accept/manifests/list', old);
      expect([headers.get('content-type'), headers.get('docker-content-digest')]).toEqual([
        `${docker}.v2+json`,
        digestOf(image),
      ]);
    }
    // By digest it is what the digest says.
    const [, , list] = documents[1] as [string, string, string];
    expect((await client.request('GET', `/v2/m/accept/manifests/${digestOf(list)}`, old)).text).toBe(list);
  });

  test('several tags in one push', async () => {
    const config = await client.blob('m/tags', '{}');
    const text = JSON.stringify(manifestOf({ config, configSize: 2, layers: [] }));
    const put = (count: number): Promise<Answer> => {
      const query = Array.from({ length: count }, (_, index) => `tag=v${index}`).join('&');
      return client.put('m/tags', `${digestOf(text)}?${query}`, text);
    };
    const { status, headers } = await put(10);
    expect([status, headers.get('oci-tag')?.split(', ')]).toEqual([
      201,
      Array.from({ length: 10 }, (_, index) => `v${index}`),
    ]);
    expect(JSON.parse((await client.request('GET', '/v2/m/tags/tags/list')).text).tags).toHaveLength(10);
    expect([(await put(101)).status, (await put(101)).code]).toEqual([414, 'TAG_INVALID']);
  });

  test('a media type that is none; without one the document’s own counts, not that of its parts', async () => {
    for (const type of ['manifest', 'a/b/c', `application/${'x'.repeat(200)}`, 'application/ü'])
      expect(await client.put('m/type', 'v1', '{}', type)).toMatchObject({ status: 400, code: 'MANIFEST_INVALID' });
    const config = await client.blob('m/type', '{}');
    const whole = manifestOf({ config, configSize: 2, layers: [] }) as Record<string, unknown>;
    const { mediaType: _, ...without } = whole;
    for (const [tag, document] of [
      ['without', without],
      ['behind', { ...without, mediaType: manifestType }],
    ] as const) {
      const put = await fetch(`${registry.url}/v2/m/type/manifests/${tag}`, {
        method: 'PUT',
        body: new TextEncoder().encode(JSON.stringify(document)),
      });
      expect([tag, put.status]).toEqual([tag, 201]);
      const { headers } = await client.request('HEAD', `/v2/m/type/manifests/${tag}`);
      expect([tag, headers.get('content-type')]).toEqual([tag, manifestType]);
    }
  });

  test('deleted: a tag alone, a manifest with its tags', async () => {
    const { manifest } = await client.image('m/delete', 'a');
    const document = (await client.request('GET', '/v2/m/delete/manifests/a')).text;
    await client.put('m/delete', 'b', document);
    expect((await client.request('DELETE', '/v2/m/delete/manifests/a')).status).toBe(202);
    expect((await client.request('GET', '/v2/m/delete/manifests/a')).code).toBe('MANIFEST_UNKNOWN');
    expect((await client.request('GET', '/v2/m/delete/manifests/b')).status).toBe(200);
    expect((await client.request('DELETE', `/v2/m/delete/manifests/${manifest}`)).status).toBe(202);
    expect((await client.request('GET', '/v2/m/delete/manifests/b')).code).toBe('MANIFEST_UNKNOWN');
    expect((await client.request('DELETE', `/v2/m/delete/manifests/${manifest}`)).status).toBe(404);
  });

  test('referrers', async () => {
    const { manifest: subject } = await client.image('m/refer', 'v1');
    const config = await client.blob('m/refer', '{}');
    const document = {
      ...manifestOf({ config, configSize: 2, layers: [] }),
      config: { mediaType: emptyType, digest: config, size: 2 },
      artifactType: 'application/vnd.example.sbom',
      subject: { mediaType: manifestType, digest: subject, size: 10 },
      annotations: { key: 'value' },
    };
    const put = await client.put('m/refer', digestOf(JSON.stringify(document)), document);
    expect([put.status, put.headers.get('oci-subject')]).toEqual([201, subject]);
    const { text, headers } = await client.request('GET', `/v2/m/refer/referrers/${subject}`);
    expect(headers.get('content-type')).toBe(indexType);
    expect(JSON.parse(text)).toEqual({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        {
          mediaType: manifestType,
          digest: digestOf(JSON.stringify(document)),
          size: JSON.stringify(document).length,
          artifactType: 'application/vnd.example.sbom',
          annotations: { key: 'value' },
        },
      ],
    });
    const filtered = await client.request('GET', `/v2/m/refer/referrers/${subject}?artifactType=other`);
    expect([filtered.headers.get('oci-filters-applied'), JSON.parse(filtered.text).manifests]).toEqual([
      'artifactType',
      [],
    ]);
    const none = await client.request('GET', `/v2/m/nobody/referrers/${nowhere}`);
    expect([none.status, JSON.parse(none.text).manifests]).toEqual([200, []]);
  });
});

describe('lists', () => {
  test('tags in order, page by page', async () => {
    const { manifest } = await client.image('l/tags', 'b');
    const document = (await client.request('GET', `/v2/l/tags/manifests/${manifest}`)).text;
    for (const tag of ['a', 'c', 'C', '_x']) await client.put('l/tags', tag, document);
    const pages: string[][] = [];
    for (let path: string | undefined = '/v2/l/tags/tags/list?n=2'; path; ) {
      const { text, headers } = await client.request('GET', path);
      pages.push(JSON.parse(text).tags);
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([['C', '_x'], ['a', 'b'], ['c']]);
    // A page that ends with the last tag promises nothing.
    for (const path of ['/v2/l/tags/tags/list?n=5', '/v2/l/tags/tags/list?n=2&last=a', '/v2/l/tags/tags/list?n=0'])
      expect([path, (await client.request('GET', path)).headers.get('link')]).toEqual([path, null]);
    expect(JSON.parse((await client.request('GET', '/v2/l/tags/tags/list?n=0')).text).tags).toEqual([]);
    expect((await client.request('GET', '/v2/l/none/tags/list?n=0')).code).toBe('NAME_UNKNOWN');
    expect((await client.request('GET', '/v2/l/tags/tags/list?n=x')).code).toBe('PAGINATION_NUMBER_INVALID');
    expect((await client.request('GET', '/v2/l/none/tags/list')).code).toBe('NAME_UNKNOWN');
  });

  test('_catalog, page by page; a repository without manifests is none', async () => {
    await client.blob('l/only-blobs', 'x');
    for (const name of ['l/cat-a', 'l/cat-b', 'l/cat-c']) await client.image(name, 'v1');
    const first = await client.request('GET', '/v2/_catalog?n=2&last=l/cat');
    expect(JSON.parse(first.text)).toEqual({ repositories: ['l/cat-a', 'l/cat-b'] });
    expect(first.headers.get('link')).toBe('</v2/_catalog?n=2&last=l%2Fcat-b>; rel="next"');
    expect((await client.request('GET', '/v2/_catalog?n=3&last=l/cat')).text).toContain('l/cat-c');
    const all = JSON.parse((await client.request('GET', '/v2/_catalog')).text).repositories;
    expect(all).toContain('l/cat-c');
    expect(all).not.toContain('l/only-blobs');
  });

  test('search, by name and description; stars come first', async () => {
    for (const name of ['s/web', 's/website', 's/other']) await client.image(name, 'v1');
    await client.request('PATCH', '/berth/v1/repositories/s/other', { body: '{"description":"a web server"}' });
    await client.request('PUT', '/berth/v1/repositories/s/website/star');
    const { text } = await client.request('GET', '/v1/search?q=web&n=10');
    const { num_results: count, results } = JSON.parse(text);
    expect(count).toBe(3);
    expect(results.map((result: { name: string }) => result.name)).toEqual(['s/website', 's/other', 's/web']);
    expect(results[1]).toMatchObject({ description: 'a web server', star_count: 0, is_official: false });
    expect(JSON.parse((await client.request('GET', '/v1/search?q=%25')).text).num_results).toBe(0);
  });
});

describe('names', () => {
  test.each(['UPPER', 'a//b', '-a', 'a..b', 'a/..%2Fb', '%2e%2e/x', 'a%00b', `${'a'.repeat(256)}`, 'a:b', 'a/_b'])(
    'refused: %s',
    async (name) => {
      const { status } = await client.request('GET', `/v2/${name}/tags/list`);
      expect(status).toBe(status === 404 ? 404 : 400);
      const upload = await client.request('POST', `/v2/${name}/blobs/uploads/`);
      expect([400, 404]).toContain(upload.status);
    },
  );

  test('methods that a route does not have', async () => {
    const { status, code, headers } = await client.request('POST', '/v2/a/tags/list');
    expect([status, code, headers.get('allow')]).toEqual([405, 'UNSUPPORTED', 'GET, HEAD']);
  });
});
