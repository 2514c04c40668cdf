import { expect, test } from 'bun:test';
import { planDockerfile, testPlatform } from '../../../test/support/plan-dockerfile.ts';
import type { BuildOptions } from '../../api/types/build.ts';
import type { Built, BuiltImage } from '../build-work.ts';
import type { FileSource } from '../session/file-source.ts';
import { type ProvenanceWork, provenance, provenancePredicate } from './provenance.ts';

const options: BuildOptions = {
  tags: [],
  dockerfile: '',
  target: 'last',
  buildArguments: { WHO: 'somebody' },
  labels: { of: 'me' },
  noCache: false,
  noCacheFilter: [],
  pull: false,
  platform: '',
  network: 'default',
  extraHosts: [],
  limits: {},
  namedContexts: {},
  allow: [],
  explain: false,
};

const text = [
  'FROM scratch AS first',
  'COPY a b /',
  'ADD https://me:secret@files.example/one.bin /',
  'ADD https://git.example/repo.git#v1 /repo',
  'FROM base:1 AS last',
  'ARG WHO',
  'WORKDIR /w',
  'RUN --network=none --mount=type=secret,id=token,required --mount=from=first,target=/first echo $WHO',
].join('\n');

async function work(more: Partial<ProvenanceWork> = {}): Promise<{ image: BuiltImage; about: ProvenanceWork }> {
  const plan = await planDockerfile(text, {
    target: 'last',
    arguments: new Map([['WHO', 'somebody']]),
    findImage: (name) =>
      Promise.resolve({
        name: `docker.io/library/${name}`,
        id: `sha256:${'2'.repeat(64)}`,
        digest: `sha256:${'3'.repeat(64)}`,
        layers: [`sha256:${'1'.repeat(64)}`],
        config: { ...testPlatform, config: {}, rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] } },
      }),
  });
  const image: BuiltImage = { platform: testPlatform, plan, layers: [], diffIds: [], config: new Uint8Array() };
  const files = { digest: () => Promise.resolve(`sha256:${'4'.repeat(64)}`), revision: '5'.repeat(40) };
  const built: Built = {
    images: [image],
    main: image,
    source: { name: 'Dockerfile', text },
    options,
    started: Date.UTC(2026, 0, 1),
    epoch: null,
    filesOf: () => files as unknown as FileSource,
    contextDigest: () => Promise.resolve(`sha1:${'6'.repeat(40)}`),
    notes: null,
    lease: { id: '', directory: '', hold: () => undefined, release: () => Promise.resolve() },
  };
  const finished = Date.UTC(2026, 0, 2);
  return { image, about: { built, remote: '', invocation: 'id', finished, vcs: {}, packed: new Map(), ...more } };
}

test('what the image is made of, with digests and without passwords', async () => {
  const { image, about } = await work();
  const { buildDefinition } = await provenancePredicate(image, {}, about);
  expect(buildDefinition.resolvedDependencies).toEqual([
    { uri: 'pkg:docker/base@1?platform=linux%2Famd64', digest: { sha256: '3'.repeat(64) } },
    { uri: 'https://files.example/one.bin', digest: { sha256: '4'.repeat(64) } },
    { uri: 'https://git.example/repo.git#v1', digest: { sha1: '5'.repeat(40) } },
  ]);
  expect(JSON.stringify(buildDefinition)).not.toContain('secret@');
});

test('mode=max has arguments, secrets and steps in it, mode=min none of them', async () => {
  const { image, about } = await work();
  const full = await provenancePredicate(image, {}, about);
  expect(full.buildDefinition.externalParameters).toEqual({
    configSource: { path: 'Dockerfile' },
    request: {
      frontend: 'dockerfile.v0',
      args: { 'build-arg:WHO': 'somebody', 'label:of': 'me', target: 'last' },
      secrets: [{ id: 'token' }],
      locals: [{ name: 'context' }, { name: 'dockerfile' }],
    },
  });
  expect(full.runDetails.metadata).toMatchObject({
    invocationId: 'id',
    startedOn: '2026-01-01T00:00:00.000Z',
    finishedOn: '2026-01-02T00:00:00.000Z',
    buildkit_completeness: { request: true, resolvedDependencies: false },
  });
  const least = await provenancePredicate(image, { mode: 'min' }, about);
  expect(least.buildDefinition.externalParameters.request).toEqual({
    frontend: 'dockerfile.v0',
    args: { target: 'last' },
    locals: [{ name: 'context' }, { name: 'dockerfile' }],
  });
  expect(least.buildDefinition.internalParameters).toEqual({ builderPlatform: 'linux/amd64' });
  expect(least.runDetails.metadata.buildkit_completeness.request).toBe(false);
  expect(JSON.stringify(least)).not.toMatch(/somebody|token|echo/);
});

test('steps name their inputs, and a stage upon scratch has none below', async () => {
  const { image, about } = await work();
  const { buildDefinition, runDetails } = await provenancePredicate(image, {}, about);
  const { llbDefinition: steps } = buildDefinition.internalParameters.buildConfig as {
    llbDefinition: { id: string; op: { Op: Record<string, object> }; inputs?: string[] }[];
  };
  const of = (kind: string) => steps.filter(({ op }) => kind in op.Op);
  expect(
    of('source')
      .map(({ op }) => (op.Op['source'] as { identifier: string }).identifier)
      .sort(),
  ).toEqual([
    'docker-image://docker.io/library/base:1',
    'git://git.example/repo.git#v1',
    'https://files.example/one.bin',
    'local://context',
  ]);
  const [copy] = of('file').filter(({ op }) => JSON.stringify(op).includes('"src":"/a"'));
  expect(copy?.inputs).toHaveLength(1);
  expect(copy?.op.Op['file']).toMatchObject({ actions: [{ input: -1, secondaryInput: 0 }, { secondaryInput: 0 }] });
  const [run] = of('exec');
  expect(run?.op.Op['exec']).toMatchObject({
    meta: { args: ['/bin/sh', '-c', 'echo $WHO'], cwd: '/w' },
    mounts: [
      { dest: '/', input: 0 },
      { dest: '/run/secrets/token', mountType: 1, secretOpt: { ID: 'token', optional: false } },
      { dest: '/first', mountType: 0, readonly: true },
    ],
    network: 2,
  });
  const last = steps.at(-1);
  expect(last).toEqual({ id: `step${steps.length - 1}`, op: { Op: {} }, inputs: [`${run?.id}:0`] });
  const { source } = runDetails.metadata.buildkit_metadata as {
    source: { locations: Record<string, object>; infos: { data: string }[] };
  };
  expect(source.locations[run?.id as string]).toEqual({
    locations: [{ ranges: [{ start: { line: 8 }, end: { line: 8 } }] }],
  });
  expect(Buffer.from(source.infos[0]?.data as string, 'base64').toString()).toBe(text);
});

test('a context from an address is complete, and hermetic where nothing runs with a network', async () => {
  const { image, about } = await work({ remote: 'https://me:secret@git.example/app.git#main' });
  const source = { uri: 'https://git.example/app.git#main', digest: { sha1: '6'.repeat(40) } };
  const { buildDefinition, runDetails } = await provenancePredicate(image, { mode: 'min' }, about);
  expect(buildDefinition.externalParameters.configSource).toEqual({ ...source, path: 'Dockerfile' });
  expect(buildDefinition.resolvedDependencies).toContainEqual(source);
  expect(runDetails.metadata).toMatchObject({
    buildkit_hermetic: true,
    buildkit_completeness: { resolvedDependencies: true },
  });
});

test('version=v0.2 says the same in its own words', async () => {
  const { image, about } = await work({ vcs: { revision: 'abc' } });
  const said = await provenance(image, { version: 'v0.2', reproducible: 'true', 'builder-id': 'https://me' }, about);
  expect(said.predicateType).toBe('https://slsa.dev/provenance/v0.2');
  expect(said.predicate).toMatchObject({
    builder: { id: 'https://me' },
    buildType: 'https://mobyproject.org/buildkit@v1',
    materials: [{ uri: 'pkg:docker/base@1?platform=linux%2Famd64' }, {}, {}],
    invocation: { configSource: { entryPoint: 'Dockerfile' }, environment: { platform: 'linux/amd64' } },
    metadata: {
      buildInvocationID: 'id',
      completeness: { parameters: true, environment: true, materials: false },
      reproducible: true,
      'https://mobyproject.org/buildkit@v1#metadata': { vcs: { revision: 'abc' } },
    },
  });
});
