/** Archives in and out of a store: what comes out is what went in, digest by digest, and nothing is left behind. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ImageEngine } from '../support/image-engine.ts';
import { dockerArchive } from '../support/images.ts';
import { ociLayout } from '../support/oci-layout.ts';
import { type TarEntry, tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: ImageEngine;
beforeEach(() => {
  engine = new ImageEngine();
});
afterEach(() => {
  engine[Symbol.dispose]();
});

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const json = (value: unknown): string => JSON.stringify(value);
const layer = (name: string, content = name): Uint8Array => tar([{ name, content }]);

/** Members of a tar by path. */
function members(archive: Uint8Array): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const bytes = Buffer.from(archive);
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const name = bytes.toString('utf8', at, bytes.indexOf(0, at));
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    found.set(name, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

describe('load', () => {
  test.each(['plain', 'gzip', 'zstd'])('a docker-archive, %s', async (packing) => {
    const archive = dockerArchive({ tags: ['a:1', 'b/c:2'], layers: [layer('one'), layer('two')] });
    const packed = packing === 'gzip' ? gzipSync(archive) : packing === 'zstd' ? zstdCompressSync(archive) : archive;
    const messages = await engine.load(packed);
    expect(messages).toEqual([{ stream: 'Loaded image: a:1\n' }, { stream: 'Loaded image: b/c:2\n' }]);
    expect(engine.names()).toEqual(['a:1', 'b/c:2']);
    const { lower } = engine.containers.resolve('a:1');
    expect(lower.map((path) => readdirSync(path))).toEqual([['two'], ['one']]);
    expect(readdirSync(engine.paths.temporary)).toEqual([]);
    expect(engine.events.map((event) => event.Action)).toEqual(['load']);
  });

  test('progress, and what comes twice', async () => {
    const archive = dockerArchive({ tags: ['a:1'], layers: [layer('one')] });
    const first = await engine.load(archive, { quiet: false });
    expect(first[0]).toMatchObject({ status: 'Loading layer', progressDetail: { total: layer('one').length } });
    await engine.load(archive);
    expect(readdirSync(engine.paths.layers)).toHaveLength(1);
    const other = dockerArchive({ tags: ['a:1'], layers: [layer('other')] });
    const id = engine.images.inspect('a:1', { platform: null }).Id;
    expect((await engine.load(other))[0]).toEqual({
      stream: `The image a:1 already exists, renaming the old one with ID ${id} to empty string\n`,
    });
    expect(engine.names()).toEqual(['<none>', 'a:1']);
  });

  test('no name: the id is told', async () => {
    const messages = await engine.load(dockerArchive({ tags: [], layers: [layer('x')] }));
    expect(messages[0]?.stream).toMatch(/^Loaded image ID: sha256:[0-9a-f]{64}\n$/);
  });

  test('links between layer files, as older dockers write them', async () => {
    const bytes = layer('one');
    const config = json({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(bytes)}`, `sha256:${sha256(bytes)}`] },
    });
    const manifest = json([{ Config: 'c.json', RepoTags: ['l:1'], Layers: ['a/layer.tar', 'b/layer.tar'] }]);
    await engine.load(
      tar([
        { name: 'a/layer.tar', content: bytes },
        { name: 'b/layer.tar', type: '2', linkName: '../a/layer.tar' },
        { name: 'c.json', content: config },
        { name: 'manifest.json', content: manifest },
      ]),
    );
    // The same layer twice is one directory, and overlay gets it once.
    expect(engine.containers.resolve('l:1').lower).toHaveLength(1);
  });

  test('an archive of the time before manifests', async () => {
    const [top, base] = ['1'.repeat(64), '2'.repeat(64)];
    const document = (id: string, parent?: string) =>
      json({
        id,
        ...(parent && { parent }),
        created: '2014-01-01T00:00:00Z',
        os: 'linux',
        architecture: 'amd64',
        config: { Cmd: ['sh'] },
        container_config: { Cmd: ['/bin/sh', '-c', 'x'] },
      });
    await engine.load(
      tar([
        { name: `${base}/json`, content: document(base) },
        { name: `${base}/layer.tar`, content: layer('base') },
        { name: `${top}/json`, content: document(top, base) },
        { name: `${top}/layer.tar`, content: layer('top') },
        { name: 'repositories', content: json({ old: { v1: top } }) },
      ]),
    );
    const image = engine.images.inspect('old:v1', { platform: null });
    expect(image.RootFS.Layers).toEqual([`sha256:${sha256(layer('base'))}`, `sha256:${sha256(layer('top'))}`]);
    expect(image.Config?.Cmd).toEqual(['sh']);
    expect(engine.images.history('old:v1', { platform: null })[0]?.CreatedBy).toBe('/bin/sh -c x');
  });

  test('a layout for several platforms: this machine’s image, or the one that is asked for', async () => {
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const blobs: TarEntry[] = [];
    const put = (mediaType: string, bytes: Uint8Array | string) => {
      blobs.push({ name: `blobs/sha256/${sha256(bytes)}`, content: bytes });
      return { mediaType, digest: `sha256:${sha256(bytes)}`, size: Buffer.byteLength(bytes as string) };
    };
    const image = (platform: { os: string; architecture: string }, content: string) => {
      const bytes = layer(content);
      const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(bytes)}`] };
      const config = put('application/vnd.oci.image.config.v1+json', json({ ...platform, rootfs }));
      const layers = [put('application/vnd.oci.image.layer.v1.tar', bytes)];
      const manifest = json({ schemaVersion: 2, config, layers });
      return { ...put('application/vnd.oci.image.manifest.v1+json', manifest), platform };
    };
    const manifests = [
      image({ os: 'linux', architecture: 's390x' }, 'other'),
      image({ os: 'linux', architecture }, 'mine'),
      // What buildx adds beside each image.
      image({ os: 'unknown', architecture: 'unknown' }, 'attestation'),
    ];
    const index = put('application/vnd.oci.image.index.v1+json', json({ schemaVersion: 2, manifests }));
    const annotations = { 'org.opencontainers.image.ref.name': 'docker.io/library/multi:1' };
    const archive = tar([
      ...blobs,
      { name: 'index.json', content: json({ schemaVersion: 2, manifests: [{ ...index, annotations }] }) },
    ]);
    expect(await engine.load(archive)).toEqual([{ stream: 'Loaded image: multi:1\n' }]);
    expect(readdirSync(engine.containers.resolve('multi:1').lower[0] as string)).toEqual(['mine']);
    // The index is kept byte for byte with the image.
    const id = engine.images.inspect('multi:1', { platform: null }).Id;
    expect(engine.store.document(index.digest)?.mediaType).toBe(index.mediaType);
    expect(engine.store.image(id)?.manifest).toBe(manifests[1]?.digest as string);
    // The others belong to what the name stands for, until it stands for something else.
    expect(readdirSync(engine.paths.layers)).toHaveLength(3);
    expect(engine.store.target('docker.io/library/multi:1')).toMatchObject({ digest: index.digest, image: id });
    expect(engine.images.inspect('multi:1', { platform: null }).RepoDigests).toEqual([`multi@${index.digest}`]);
    expect(engine.images.inspect(`multi@${index.digest}`, { platform: null }).Id).toBe(id);
    await engine.store.setReference('docker.io/library/other:1', id, index.digest);
    await engine.images.remove(`multi@${index.digest}`, { force: false, noPrune: false });
    expect(engine.store.target('docker.io/library/multi:1')).toBeNull();
    expect(engine.images.inspect('multi:1', { platform: null }).RepoDigests).toEqual([`other@${index.digest}`]);
    await engine.images.remove('other:1', { force: false, noPrune: false });
    expect(engine.images.inspect('multi:1', { platform: null }).RepoDigests).toEqual([]);
    await engine.load(archive, { platform: { os: 'linux', architecture: 's390x' } });
    expect(readdirSync(engine.containers.resolve('multi:1').lower[0] as string)).toEqual(['other']);
    await until('the layers of nobody to go', () => readdirSync(engine.paths.layers).length === 2);
    await expect(engine.load(archive, { platform: { os: 'linux', architecture: 'riscv64' } })).rejects.toThrow(
      'the archive has no image for this platform',
    );
  });

  const good = { os: 'linux', rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer('x'))}`] } };
  const docker = (config: unknown, entry: object, more: TarEntry[] = [{ name: 'l.tar', content: layer('x') }]) =>
    tar([
      ...more,
      { name: 'c.json', content: json(config) },
      { name: 'manifest.json', content: json([{ Config: 'c.json', ...entry }]) },
    ]);
  const bad: [name: string, archive: Uint8Array, message: string][] = [
    ['nothing', new Uint8Array(0), 'open manifest.json: no such file or directory'],
    ['no tar', Buffer.from('garbage\n'), 'unexpected EOF'],
    ['cut', dockerArchive({ tags: ['a:1'], layers: [layer('one')] }).subarray(0, 2000), 'unexpected EOF'],
    ['cut, packed', gzipSync(dockerArchive({ tags: ['a:1'], layers: [layer('one')] })).subarray(0, 200), 'valid gzip'],
    ['manifest that is no JSON', tar([{ name: 'manifest.json', content: '{' }]), 'manifest.json: '],
    ['manifest of the wrong kind', tar([{ name: 'manifest.json', content: '{"a":1}' }]), 'not a list of images'],
    ['config missing', tar([{ name: 'manifest.json', content: json([{ Config: '../../c.json' }]) }]), 'no such file'],
    ['config of the wrong kind', docker({ rootfs: 3 }, { Layers: [] }), 'invalid image config'],
    ['layer missing', docker(good, { Layers: ['other.tar'] }), 'open other.tar: no such file or directory'],
    ['too few layers', docker(good, { Layers: [] }), 'invalid manifest, layers length mismatch: expected 1, got 0'],
    [
      'another layer',
      docker(good, { Layers: ['l.tar'] }, [{ name: 'l.tar', content: layer('y') }]),
      `invalid diffID for layer 0: expected "sha256:${sha256(layer('x'))}", got "sha256:${sha256(layer('y'))}"`,
    ],
    [
      'hostile layer',
      docker(
        { os: 'linux', rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer('../x'))}`] } },
        { Layers: ['l.tar'] },
        [{ name: 'l.tar', content: layer('../x') }],
      ),
      'leads outside of the layer',
    ],
    ['bad name', docker(good, { Layers: ['l.tar'], RepoTags: ['Bad:x'] }), 'must be lowercase'],
    [
      'blob of another digest',
      tar([{ name: `blobs/sha256/${'a'.repeat(64)}`, content: 'x' }]),
      `blob sha256:${'a'.repeat(64)} of the archive has the digest`,
    ],
  ];
  test.each(bad)('refused: %s', async (_name, archive, message) => {
    await expect(engine.load(archive)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(message),
    });
    await until('the layers go', () => readdirSync(engine.paths.layers).length === 0);
    expect(engine.names({}, true)).toEqual([]);
    expect(readdirSync(engine.paths.temporary)).toEqual([]);
    expect(engine.warnings).toEqual([]);
  });

  test('the client leaves half way', async () => {
    const abort = new AbortController();
    const { Readable } = await import('node:stream');
    const archive = dockerArchive({ tags: ['a:1'], layers: [layer('one', 'x'.repeat(3_000_000))] });
    const source = Readable.from(
      (async function* () {
        yield Buffer.from(archive.subarray(0, 1_000_000));
        abort.abort();
        await new Promise(() => undefined);
      })(),
    );
    const loading = engine.images.load(source, { quiet: true, platform: null }, () => undefined, abort.signal);
    await expect(loading).rejects.toMatchObject({ kind: 'cancelled' });
    expect(readdirSync(engine.paths.temporary)).toEqual([]);
    expect(engine.names({}, true)).toEqual([]);
  });
});

describe('save', () => {
  test('gives back every digest, and docker’s files', async () => {
    await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer('one'), layer('two')], config: { Cmd: ['sh'] } }));
    const { Id, RootFS } = engine.images.inspect('a:1', { platform: null });
    const saved = members(await engine.save('a:1'));
    expect([...saved.keys()].filter((name) => !name.startsWith('blobs/'))).toEqual([
      'index.json',
      'manifest.json',
      'oci-layout',
      'repositories',
    ]);
    const path = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
    for (const digest of [Id, ...(RootFS.Layers ?? [])])
      expect(`sha256:${sha256(saved.get(path(digest)) as Buffer)}`).toBe(digest);
    expect(JSON.parse(String(saved.get('manifest.json')))).toMatchObject([
      { Config: path(Id), RepoTags: ['a:1'], Layers: RootFS.Layers?.map(path) },
    ]);
    using other = new ImageEngine();
    await other.load(await engine.save('a:1'));
    expect(other.images.inspect('a:1', { platform: null })).toMatchObject({ Id, RootFS });
    expect((await other.save('a:1')).equals(await engine.save('a:1'))).toBe(true);
  });

  test('several images, their common layer once; a bare name means all its tags', async () => {
    const base = layer('base');
    await engine.load(dockerArchive({ tags: ['a:1'], layers: [base, layer('one')] }));
    await engine.load(dockerArchive({ tags: ['a:2'], layers: [base, layer('two')] }));
    await engine.load(dockerArchive({ tags: ['z:1'], layers: [layer('z')] }));
    const saved = members(await engine.save('a', 'z:1'));
    const entries = JSON.parse(String(saved.get('manifest.json'))) as { RepoTags: string[] }[];
    expect(entries.flatMap((entry) => entry.RepoTags).sort()).toEqual(['a:1', 'a:2', 'z:1']);
    const layers = [...saved.values()].filter((bytes) => bytes.length > 0 && bytes.equals(Buffer.from(base)));
    expect(layers).toHaveLength(1);
  });

  test.each(['gzip', 'zstd'])('a manifest with %s layers comes back byte for byte', async (packing) => {
    const layers = [layer('one'), layer('two')];
    const packed = layers.map((bytes) => (packing === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes)));
    const mediaType = `application/vnd.oci.image.layer.v1.tar+${packing}`;
    const archive = ociLayout({ layers, packed, mediaType, name: 'registry.example/x:1' });
    expect(await engine.load(archive)).toEqual([{ stream: 'Loaded image: registry.example/x:1\n' }]);
    const before = members(archive);
    const after = members(await engine.save('registry.example/x:1'));
    for (const [name, bytes] of before)
      if (name.startsWith('blobs/')) expect(after.get(name)?.equals(bytes)).toBe(true);
    // A packed layer is known by its packed digest too.
    expect(engine.store.layerOfBlob(`sha256:${sha256(packed[0] as Uint8Array)}`)?.diffId).toBe(
      `sha256:${sha256(layers[0] as Uint8Array)}`,
    );
  });

  test('a manifest stays what it is where the layers were here before it, plain', async () => {
    const layers = [layer('one'), layer('two')];
    await engine.load(dockerArchive({ tags: ['first:1'], layers }));
    const packed = layers.map((bytes) => gzipSync(bytes));
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    const archive = ociLayout({ layers, packed, mediaType, name: 'docker.io/library/x:1' });
    await engine.load(archive);
    await engine.load(archive);
    expect(readdirSync(engine.paths.layers)).toHaveLength(2);
    expect(readdirSync(engine.paths.blobs)).toHaveLength(2);
    const saved = members(await engine.save('x:1'));
    for (const [name, bytes] of members(archive))
      if (name.startsWith('blobs/')) expect(saved.get(name)?.equals(bytes)).toBe(true);
    await engine.images.remove('x:1', { force: false, noPrune: false });
    await engine.images.remove('first:1', { force: false, noPrune: false });
    await until('all of it to go', () =>
      [engine.paths.layers, engine.paths.blobs].every((path) => readdirSync(path).length === 0),
    );
  });

  test('goes on when the image is removed meanwhile; a client that leaves costs nothing', async () => {
    await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer('one', 'x'.repeat(5_000_000))] }));
    const { signal } = new AbortController();
    const stream = await engine.images.save(['a:1'], { platform: null }, signal);
    const unread = await engine.images.save(['a:1'], { platform: null }, signal);
    await engine.images.remove('a:1', { force: false, noPrune: false });
    unread.destroy();
    let length = 0;
    for await (const chunk of stream) length += (chunk as Buffer).length;
    expect(length).toBeGreaterThan(5_000_000);
    await until('the layer and the leases to go', () =>
      [engine.paths.layers, engine.paths.temporary].every((path) => readdirSync(path).length === 0),
    );
    expect(engine.events.map((event) => event.Action)).toEqual(['load', 'untag', 'delete', 'save']);
    expect(engine.warnings).toEqual([]);
  });

  test('errors', async () => {
    await expect(engine.save('nosuch')).rejects.toMatchObject({ kind: 'not-found', message: 'No such image: nosuch' });
    await expect(engine.save('nosuch:x')).rejects.toMatchObject({
      kind: 'not-found',
      message: 'reference does not exist',
    });
    await expect(engine.save('UPPER')).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('import', () => {
  test('a tree with changes becomes an image', async () => {
    const changes = ['CMD ["/bin/sh"]', 'ENV A=b', 'LABEL l=v'];
    const id = await engine.import(gzipSync(layer('etc/hello')), { name: 'i:1', changes, message: 'Imported from -' });
    const image = engine.images.inspect('i:1', { platform: null });
    expect(image).toMatchObject({
      Id: id,
      Comment: 'Imported from -',
      Config: { Cmd: ['/bin/sh'], Env: ['A=b'], Labels: { l: 'v' } },
    });
    const [lower] = engine.containers.resolve('i:1').lower;
    expect(readFileSync(`${lower}/etc/hello`, 'utf8')).toBe('etc/hello');
    expect(engine.events.at(-1)).toMatchObject({
      Action: 'import',
      Actor: { ID: id, Attributes: { name: id, l: 'v' } },
    });
  });

  test('a broken one is refused', async () => {
    await expect(engine.import(Buffer.from('garbage'), { name: 'i:1' })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(engine.import(layer('x'), { name: 'i:1', changes: ['RUN x'] })).rejects.toThrow(
      'RUN is not a valid change command',
    );
    expect(engine.names({}, true)).toEqual([]);
  });
});

describe('what is on disk', () => {
  test('an image outlives the engine; what a crash left does not', async () => {
    await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer('one')] }));
    // A layer that no image has, and a lease nobody released: what kill -9 leaves.
    const lease = await engine.store.lease('crash');
    const { Readable } = await import('node:stream');
    const stream = Readable.from([Buffer.from(layer('stray'))]);
    const stray = await engine.store.ingestLayer({
      source: { kind: 'stream', stream },
      lease,
      digest: null,
      size: null,
      diffId: null,
    });
    expect(existsSync(stray.diff)).toBe(true);
    engine.stop();
    const next = new ImageEngine(engine.root);
    const reported: unknown[] = [];
    await next.store.recover((error) => void reported.push(error));
    expect(reported).toEqual([]);
    expect(next.names()).toEqual(['a:1']);
    expect(readdirSync(next.paths.layers)).toHaveLength(1);
    expect(readdirSync(next.paths.temporary)).toEqual([]);
    expect(next.containers.resolve('a:1').lower.map((path) => readdirSync(path))).toEqual([['one']]);
    engine = next;
  });

  test('rubbish that cannot be removed is told, and stops nothing', async () => {
    const { temporary } = engine.paths;
    mkdirSync(join(temporary, 'stuck'));
    writeFileSync(join(temporary, 'stuck/file'), '');
    execFileSync('chattr', ['+i', join(temporary, 'stuck/file')]);
    const reported: unknown[] = [];
    await engine.store.recover((error) => void reported.push(error));
    for (const name of readdirSync(temporary)) execFileSync('chattr', ['-i', join(temporary, name, 'file')]);
    expect(String(reported)).toContain('Operation not permitted');
    await engine.store.recover((error) => void reported.push(error));
    expect(reported).toHaveLength(1);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('a removed image takes its layers along, but not those of others', async () => {
    await engine.load(dockerArchive({ tags: ['a:1'], layers: [layer('base'), layer('one')] }));
    await engine.load(dockerArchive({ tags: ['b:1'], layers: [layer('base'), layer('two')] }));
    expect(readdirSync(engine.paths.layers)).toHaveLength(3);
    const items = await engine.images.remove('a:1', { force: false, noPrune: false });
    expect(items.map((item) => Object.keys(item)[0])).toEqual(['Untagged', 'Deleted', 'Deleted']);
    await until('the lone layer goes', () => readdirSync(engine.paths.layers).length === 2);
    await engine.images.remove('b:1', { force: false, noPrune: false });
    await until('the others go', () => readdirSync(engine.paths.layers).length === 0);
    expect(engine.database.sql.query('SELECT * FROM documents').all()).toEqual([]);
  });

  test('a lease keeps a layer that nothing else needs', async () => {
    const lease = await engine.store.lease('test');
    const { Readable } = await import('node:stream');
    const bytes = layer('leased');
    const ingest = () =>
      engine.store.ingestLayer({
        source: { kind: 'stream', stream: Readable.from([Buffer.from(bytes)]) },
        lease,
        digest: `sha256:${sha256(bytes)}`,
        size: bytes.length,
        diffId: `sha256:${sha256(bytes)}`,
      });
    const [one, two] = await Promise.all([ingest(), ingest()]);
    expect(one).toEqual(two);
    await engine.store.sweep();
    expect(existsSync(one.diff)).toBe(true);
    const again: Buffer[] = [];
    for await (const chunk of engine.store.layerTar(one.diffId)) again.push(chunk as Buffer);
    expect(Buffer.concat(again).equals(Buffer.from(bytes))).toBe(true);
    await lease.release();
    await engine.store.sweep();
    expect(existsSync(one.diff)).toBe(false);
    expect(engine.store.layer(one.diffId)).toBeNull();
  });

  test('digests and sizes that do not match are refused', async () => {
    const lease = await engine.store.lease('test');
    const { Readable } = await import('node:stream');
    const bytes = layer('x');
    const wrong = `sha256:${'0'.repeat(64)}`;
    const ingest = (options: { digest?: string; size?: number; diffId?: string }) =>
      engine.store.ingestLayer({
        source: { kind: 'stream', stream: Readable.from([Buffer.from(bytes)]) },
        lease,
        digest: null,
        size: null,
        diffId: null,
        ...options,
      });
    await expect(ingest({ digest: wrong })).rejects.toThrow(`filesystem layer verification failed for digest ${wrong}`);
    await expect(ingest({ diffId: wrong })).rejects.toThrow('wrong diff id calculated on extraction');
    await expect(ingest({ size: 5 })).rejects.toThrow('failed size validation');
    await lease.release();
    expect(readdirSync(engine.paths.layers)).toEqual([]);
    expect(readdirSync(engine.paths.temporary)).toEqual([]);
  });
});
