/** What a build makes of an image besides its layers: annotations, attestations, several platforms; in the store, at a registry and in archives. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageIndex, ImageManifest } from '../../src/oci/manifest.ts';
import { BerthRegistry } from '../support/berth-registry.ts';
import { runOk } from '../support/command.ts';
import { packagedProgram } from '../support/debian-package.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { contextFolders, ownFolder } from '../support/own-folder.ts';

let engine: TestEngine;
let registry: BerthRegistry;
const folder = contextFolders();
const files = ownFolder();

beforeAll(async () => {
  registry = await BerthRegistry.start();
  engine = await startEngine({ images: ['busybox'] });
});

afterAll(async () => {
  await engine.cleanUp();
  await registry.stop();
}, 300_000);

type Json = Record<string, unknown>;

const inspect = (format: string, name: string): Promise<string> => engine.ok('image', 'inspect', '-f', format, name);
const digestOf = async (name: string): Promise<string> => {
  const digests = JSON.parse(await inspect('{{json .RepoDigests}}', name)) as string[];
  // The same image may have other names too.
  const own = digests.filter((one) => one.startsWith(`${name.replace(/:[^:/]+$/, '')}@`));
  expect(own).toHaveLength(1);
  return own[0]?.split('@')[1] as string;
};

/** What the registry has of a name, by whatever it calls it. */
async function atRegistry(name: string, kind: 'manifests' | 'blobs', what: string): Promise<Response> {
  const accept = ['manifest', 'index'].map((one) => `application/vnd.oci.image.${one}.v1+json`).join(', ');
  const answer = await fetch(`${registry.url}/v2/${name}/${kind}/${what}`, { headers: { accept } });
  expect(answer.status).toBe(200);
  return answer;
}

const manifest = async (name: string, what: string) =>
  (await (await atRegistry(name, 'manifests', what)).json()) as ImageManifest;
const index = async (name: string, what: string) =>
  (await (await atRegistry(name, 'manifests', what)).json()) as ImageIndex;

/** Statements about an image of an index, by predicate type. */
async function statements(name: string, list: ImageIndex, about: string): Promise<Map<string, Json>> {
  const entry = list.manifests.find(({ annotations }) => annotations?.['vnd.docker.reference.digest'] === about);
  expect(entry).toMatchObject({
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    platform: { os: 'unknown', architecture: 'unknown' },
  });
  const { layers } = await manifest(name, entry?.digest as string);
  const found = new Map<string, Json>();
  for (const { digest, mediaType, annotations } of layers) {
    expect(mediaType).toBe('application/vnd.in-toto+json');
    const said = (await (await atRegistry(name, 'blobs', digest)).json()) as Json;
    expect(annotations?.['in-toto.io/predicate-type']).toBe(said['predicateType'] as string);
    found.set(said['predicateType'] as string, said);
  }
  return found;
}

const simple = { Dockerfile: 'FROM busybox\nARG WHO=world\nRUN echo $WHO > /who\nCMD ["cat", "/who"]' };

/** The foreign part needs no program of its own: what runs, runs on this machine. */
const crossed = {
  Dockerfile: [
    'FROM --platform=$BUILDPLATFORM busybox AS make',
    'RUN head -c 16 /dev/urandom | od -An -tx1 > /once',
    'ARG TARGETPLATFORM TARGETARCH',
    'RUN echo $TARGETPLATFORM > /platform',
    'FROM scratch',
    'COPY --from=make /once /platform /',
    'LABEL of=all',
  ].join('\n'),
};

const skopeo = (...args: string[]): Promise<string> =>
  runOk([packagedProgram('skopeo', { packages: ['skopeo'], program: 'usr/bin/skopeo' }), '--insecure-policy', ...args]);

describe('annotations', () => {
  test('stand in the manifest that is pushed, and the image is the one without them', async () => {
    const context = folder(simple);
    const plain = await engine.ok('build', '-q', '-t', 'plain', context);
    expect(await inspect('{{json .RepoDigests}}', 'plain')).toBe('[]');
    const name = `${registry.host}/noted/one:1`;
    const marked = await engine.ok(
      ...['build', '-q', '-t', name, '--annotation', 'b=2', '--annotation', 'manifest[linux/amd64]:a=1', context],
    );
    expect(marked).toBe(plain);
    const digest = await digestOf(name);
    expect(await engine.ok('push', name)).toContain(`1: digest: ${digest} size: `);
    const pushed = await manifest('noted/one', '1');
    expect(pushed.annotations).toEqual({ a: '1', b: '2' });
    expect(pushed.config.digest).toBe(plain);
    expect((await atRegistry('noted/one', 'manifests', '1')).headers.get('docker-content-digest')).toBe(digest);
    // Another name is another matter, and a new build without annotations has none.
    await engine.ok('tag', name, `${registry.host}/noted/two:1`);
    await engine.ok('push', '-q', `${registry.host}/noted/two:1`);
    expect((await manifest('noted/two', '1')).annotations).toEqual({ a: '1', b: '2' });
    await engine.ok('build', '-q', '-t', name, context);
    await engine.ok('push', '-q', name);
    expect((await manifest('noted/one', '1')).annotations).toBeUndefined();
    await engine.ok('rmi', '-f', plain);
  });

  test('of what there is not are refused', async () => {
    const context = folder(simple);
    for (const [annotation, words] of [
      ['index:a=b', 'index annotations not supported for single platform export'],
      ['manifest[linux/s390x]:a=b', 'invalid annotation: no platform linux/s390x found in source'],
    ] as const) {
      const result = await engine.berth('build', '--annotation', annotation, context);
      expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(words)]);
    }
  });
});

describe('attestations', () => {
  test('provenance and SPDX lie beside the image in an index, which every part of the engine keeps', async () => {
    const context = folder({
      Dockerfile: `${simple.Dockerfile}\nRUN --mount=type=secret,id=token true\nCOPY package.json /app/node_modules/left/`,
      'package.json': '{"name":"left","version":"1.2.3","license":"MIT"}',
    });
    const name = `${registry.host}/said/app:1`;
    const metadataFile = join(files, 'metadata.json');
    await engine.ok(
      ...['build', '-t', name, '--provenance=mode=max', '--sbom', '--build-arg', 'WHO=nobody', '--push'],
      ...['--metadata-file', metadataFile, context],
    );
    const digest = await digestOf(name);
    const list = await index('said/app', '1');
    expect(list.manifests).toHaveLength(2);
    const [image] = list.manifests;
    expect(image).toMatchObject({ platform: { os: 'linux', architecture: 'amd64' } });
    const said = await statements('said/app', list, image?.digest as string);
    const provenance = said.get('https://slsa.dev/provenance/v1') as Json;
    const subject = [
      {
        name: `pkg:docker/${registry.host.replace(':', '%3A')}/said/app@1?platform=linux%2Famd64`,
        digest: { sha256: image?.digest.slice(7) },
      },
    ];
    expect(provenance).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicate: {
        buildDefinition: {
          externalParameters: {
            configSource: { path: 'Dockerfile' },
            request: {
              frontend: 'dockerfile.v0',
              args: { 'build-arg:WHO': 'nobody' },
              secrets: [{ id: 'token', optional: true }],
              locals: [{ name: 'context' }, { name: 'dockerfile' }],
            },
          },
          resolvedDependencies: [{ uri: 'pkg:docker/busybox@latest?platform=linux%2Famd64' }],
        },
        runDetails: { metadata: { buildkit_completeness: { request: true, resolvedDependencies: false } } },
      },
    });
    expect(JSON.stringify(provenance)).toContain('"args":["/bin/sh","-c","echo $WHO > /who"]');
    const packages = JSON.stringify(said.get('https://spdx.dev/Document')?.['predicate']);
    expect(packages).toContain('pkg:npm/left@1.2.3');
    expect(JSON.parse(readFileSync(metadataFile, 'utf8'))).toMatchObject({
      'buildx.build.provenance': { buildType: 'https://mobyproject.org/buildkit@v1' },
      'containerimage.descriptor': { digest, mediaType: 'application/vnd.oci.image.index.v1+json' },
      'containerimage.digest': digest,
      'image.name': name,
    });
    expect(await engine.ok('run', '--rm', name)).toBe('nobody');
    // Back from the registry it is the same, and a pull of what is here takes nothing away.
    await engine.ok('pull', '-q', name);
    await engine.ok('push', '-q', name);
    expect((await atRegistry('said/app', 'manifests', '1')).headers.get('docker-content-digest')).toBe(digest);
    await engine.ok('rmi', name);
    await engine.ok('pull', '-q', name);
    expect(await digestOf(name)).toBe(digest);
    await engine.ok('rmi', name);
  });

  test('mode=min tells no argument, version=v0.2 speaks the older words, false says nothing', async () => {
    const context = folder(simple);
    const name = `${registry.host}/said/least:1`;
    const attest = 'type=provenance,mode=min,version=v0.2,builder-id=https://ci.example/7';
    await engine.ok('build', '-t', name, '--attest', attest, '--build-arg', 'WHO=hidden', '--push', context);
    const list = await index('said/least', '1');
    const said = await statements('said/least', list, list.manifests[0]?.digest as string);
    const predicate = said.get('https://slsa.dev/provenance/v0.2')?.['predicate'];
    expect(predicate).toMatchObject({
      builder: { id: 'https://ci.example/7' },
      buildType: 'https://mobyproject.org/buildkit@v1',
      invocation: { configSource: { entryPoint: 'Dockerfile' }, environment: { platform: 'linux/amd64' } },
      metadata: { completeness: { parameters: false, environment: true, materials: false } },
    });
    expect(JSON.stringify(predicate)).not.toContain('hidden');
    const silent = `${registry.host}/said/nothing:1`;
    await engine.ok('build', '-t', silent, '--provenance=false', '--sbom=false', '--push', context);
    expect((await manifest('said/nothing', '1')).layers.length).toBeGreaterThan(0);
  });

  test('an archive has all of it, and a load gives the same again', async () => {
    const context = folder(simple);
    const archive = join(files, 'attested.tar');
    const output = `type=oci,dest=${archive}`;
    await engine.ok('build', '-q', '-t', 'attested', '--provenance=true', '-o', output, context);
    const digest = await digestOf('attested');
    await skopeo('copy', '--all', `oci-archive:${archive}`, `oci:${files}/attested:1`);
    const layout = JSON.parse(readFileSync(join(files, 'attested/index.json'), 'utf8')) as ImageIndex;
    expect(layout.manifests.map((one) => one.digest)).toEqual([digest]);
    await engine.ok('rmi', 'attested');
    await engine.ok('load', '-q', '-i', archive);
    expect(await digestOf('attested')).toBe(digest);
    await engine.ok('rmi', 'attested');
  });

  test('beside files it is a file; SOURCE_DATE_EPOCH makes equal results', async () => {
    const context = folder({ Dockerfile: 'FROM scratch\nCOPY f /dir/f', f: 'file' });
    const out = join(files, 'local');
    await engine.ok('build', '-o', out, '--provenance=mode=min', '--sbom=true', context);
    expect(readdirSync(out).sort()).toEqual(['dir', 'provenance.json', 'sbom.spdx.json']);
    const said = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8')) as Json;
    expect(said['subject']).toEqual([
      { name: 'dir/f', digest: { sha256: '3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80' } },
    ]);
    const digests: string[] = [];
    for (const tag of ['epoch:1', 'epoch:1']) {
      const flags = ['--no-cache', '--sbom=true', '--annotation', 'a=b', '--build-arg', 'SOURCE_DATE_EPOCH=1600000000'];
      await engine.ok('build', '-q', '-t', tag, ...flags, context);
      digests.push(await digestOf(tag));
    }
    expect(digests[0]).toBe(digests[1] as string);
  });
});

describe('several platforms', () => {
  test('one graph each, shared stages once; the index goes out and comes back as it is', async () => {
    const context = folder(crossed);
    const name = `${registry.host}/many/cross:1`;
    const platforms = 'linux/amd64,linux/arm64,linux/arm/v7';
    const progress = await engine.berth('build', '--progress=plain', '--platform', platforms, '-t', name, context);
    expect(progress.stderr.match(/RUN head -c 16/g)).toHaveLength(1);
    expect(progress.stderr).toContain('[linux/amd64->arm64 make 3/3] RUN echo $TARGETPLATFORM > /platform');
    expect(await inspect('{{.Architecture}}', name)).toBe('amd64');
    const digest = await digestOf(name);
    expect(await engine.ok('push', name)).toContain(digest);
    const list = await index('many/cross', '1');
    expect(list.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ]);
    expect(await engine.ok('image', 'inspect', '--platform', 'linux/arm64', '-f', '{{.Architecture}}', name)).toBe(
      'arm64',
    );
    const missing = await engine.berth('image', 'inspect', '--platform', 'linux/s390x', name);
    expect(missing.stderr).toContain('does not match the specified platform (linux/s390x)');
    await engine.ok('tag', name, `${registry.host}/many/one-of:1`);
    await engine.ok('push', '--platform', 'linux/arm64', `${registry.host}/many/one-of:1`);
    expect((await atRegistry('many/one-of', 'manifests', '1')).headers.get('docker-content-digest')).toBe(
      list.manifests[1]?.digest as string,
    );
    await engine.ok('rmi', `${registry.host}/many/one-of:1`);
    // All of it, with a client of others.
    await skopeo('copy', '--all', '--src-tls-verify=false', `docker://${name}`, `oci:${files}/cross:1`);
    const layout = JSON.parse(readFileSync(join(files, 'cross/index.json'), 'utf8')) as ImageIndex;
    expect(layout.manifests.map((one) => one.digest)).toEqual([digest]);
    const archive = join(files, 'cross.tar');
    const alone = join(files, 'alone.tar');
    await engine.ok('save', '--platform', 'linux/arm64', '-o', alone, name);
    await skopeo('copy', `oci-archive:${alone}`, `oci:${files}/alone:1`);
    const single = JSON.parse(readFileSync(join(files, 'alone/index.json'), 'utf8')) as ImageIndex;
    expect(single.manifests.map((one) => one.digest)).toEqual([list.manifests[1]?.digest as string]);
    await engine.ok('save', '-o', archive, name);
    await engine.ok('rmi', name);
    await engine.ok('load', '-q', '-i', archive);
    expect(await digestOf(name)).toBe(digest);
    // As the base of a build each platform finds its own.
    const upon = folder({ Dockerfile: `FROM ${name}\nCOPY f /f`, f: 'f' });
    const out = join(files, 'upon');
    await engine.ok('build', '--platform', 'linux/amd64,linux/arm64', '-o', out, upon);
    expect(readFileSync(join(out, 'linux_amd64/platform'), 'utf8')).toBe('linux/amd64\n');
    expect(readFileSync(join(out, 'linux_arm64/platform'), 'utf8')).toBe('linux/arm64\n');
    expect(readFileSync(join(out, 'linux_arm64/once'))).toEqual(readFileSync(join(out, 'linux_amd64/once')));
    await engine.ok('rmi', name);
    // From the registry too; and the name stays with what this machine runs.
    await engine.ok('pull', '-q', name);
    await engine.ok('build', '--platform', 'linux/arm64', '-o', join(files, 'arm'), upon);
    expect(readFileSync(join(files, 'arm/platform'), 'utf8')).toBe('linux/arm64\n');
    expect(await inspect('{{.Architecture}}', name)).toBe('amd64');
    expect(await digestOf(name)).toBe(digest);
    // Of a processor that nobody has registered an interpreter for.
    const run = folder({ Dockerfile: 'FROM scratch\nCOPY f /f\nRUN ["/f"]', f: '' });
    const foreign = await engine.berth('build', '--platform', 'linux/mips64', run);
    expect(foreign.stderr).toContain('RUN of linux/mips64: this machine cannot run its programs');
  });

  test('annotations and attestations of each; what holds one image refuses them', async () => {
    const context = folder(crossed);
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64'];
    const name = `${registry.host}/many/noted:1`;
    await engine.ok(
      ...['build', '-t', name, ...platforms, '--provenance=true', '--annotation', 'index:i=1'],
      ...['--annotation', 'manifest-descriptor[linux/arm64]:d=2', '--annotation', 'manifest:m=3', '--push', context],
    );
    const list = await index('many/noted', '1');
    expect(list.annotations).toEqual({ i: '1' });
    const images = list.manifests.filter(({ platform }) => platform?.os === 'linux');
    expect(images.map(({ annotations }) => annotations)).toEqual([undefined, { d: '2' }]);
    for (const { digest } of images) {
      expect((await manifest('many/noted', digest)).annotations).toEqual({ m: '3' });
      expect([...(await statements('many/noted', list, digest)).keys()]).toEqual(['https://slsa.dev/provenance/v1']);
    }
    const classic = await engine.dockerWith(
      { env: { DOCKER_BUILDKIT: '0' } },
      ...['build', '--platform', 'linux/amd64,linux/arm64', context],
    );
    expect(classic.stderr).toContain('"amd64,linux" is an invalid component of "linux/amd64,linux/arm64"');
    const refused = await engine.berth('build', ...platforms, '-o', `type=docker,dest=${files}/no.tar`, context);
    expect(refused.stderr).toContain('docker exporter does not currently support exporting manifest lists');
  });

  test('what no name stands for any more goes, and with the names all of it', async () => {
    const context = folder(crossed);
    const build = (...flags: string[]): Promise<string> => engine.ok('build', '-q', '-t', 'short', ...flags, context);
    const several = ['--platform', 'linux/amd64,linux/arm64', '--sbom=true'];
    await build(...several);
    const digest = await digestOf('short');
    expect(rows(`targets WHERE digest = '${digest}'`)).toBe(1);
    await build();
    expect(rows(`targets WHERE digest = '${digest}'`)).toBe(0);
    await build(...several);
    await engine.ok('rmi', 'short');
    const images = await engine.ok('images', '-q', '--no-trunc');
    for (const id of new Set(images.split('\n').filter(Boolean))) await engine.ok('rmi', '-f', id);
    await engine.ok('builder', 'prune', '-af');
    expect(['targets', 'target_layers', 'documents', 'layers'].map(rows)).toEqual([0, 0, 0, 0]);
    expect(readdirSync(join(engine.identity.dataRoot, 'blobs/sha256'))).toEqual([]);
  });
});

/** How many rows the engine's database has of them. */
function rows(table: string): number {
  const database = join(engine.identity.dataRoot, 'berth.db');
  const sql = `import sqlite3, sys; c = sqlite3.connect("file:${database}?mode=ro", uri=True); print(c.execute(sys.argv[1]).fetchone()[0])`;
  const result = Bun.spawnSync(['python3', '-c', sql, `SELECT count(*) FROM ${table}`]);
  return Number(result.stdout.toString());
}
