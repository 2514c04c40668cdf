/** Caches that travel: an engine builds and exports, another one, which has never built anything, imports. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/oci/digest.ts';
import { BerthRegistry } from '../support/berth-registry.ts';
import type { CommandResult } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { contextFolders, ownFolder } from '../support/own-folder.ts';
import { until } from '../support/until.ts';

let ours: TestEngine;
let theirs: TestEngine;
let registry: BerthRegistry;
const folder = contextFolders();
const place = ownFolder();

beforeAll(async () => {
  [ours, theirs, registry] = await Promise.all([
    startEngine({ images: ['busybox'] }),
    startEngine({ images: ['busybox'] }),
    BerthRegistry.start({ options: ['--public'] }),
  ]);
}, 120_000);

afterAll(async () => {
  await Promise.all([ours.cleanUp(), theirs.cleanUp(), registry.stop()]);
}, 300_000);

// Each test begins with engines that have built nothing.
afterEach(async () => {
  await Promise.all([empty(ours), empty(theirs)]);
});

async function empty(engine: TestEngine): Promise<void> {
  await engine.ok('image', 'prune', '-f');
  await engine.ok('builder', 'prune', '-af');
}

const stages = [
  'FROM busybox AS make',
  'COPY source /source',
  'RUN cat /proc/sys/kernel/random/uuid > /tool; cat /source >> /tool; touch /made',
  'FROM busybox',
  'RUN cat /proc/sys/kernel/random/uuid > /base',
  'COPY --from=make /tool /tool',
  'COPY other /other',
  'RUN cat /base /proc/sys/kernel/random/uuid > /last',
];

function project(): string {
  return folder({ Dockerfile: stages.join('\n'), source: 'one\n', other: 'one\n' });
}

let serial = 0;
/** A reference that nobody has used. */
const fresh = (): string => `${registry.host}/cache-${++serial}`;

async function build(engine: TestEngine, context: string, ...words: string[]): Promise<CommandResult & { id: string }> {
  const idFile = join(place, `id-${++serial}`);
  const result = await engine.berth('build', '--progress', 'plain', '--iidfile', idFile, ...words, context);
  if (result.code !== 0) throw new Error(result.stderr);
  return { ...result, id: readFileSync(idFile, 'utf8') };
}

/** Steps by what became of them. */
function steps({ stderr }: CommandResult): { cached: number; done: string[] } {
  const names = new Map(
    [...stderr.matchAll(/^#(\d+) (\[.*)$/gm)].map(([, number, name]) => [number as string, name as string]),
  );
  const outcome = new Map(
    [...stderr.matchAll(/^#(\d+) (CACHED|DONE)/gm)].map(([, number, what]) => [number as string, what]),
  );
  const of = (what: string): string[] =>
    [...names]
      .filter(([number, name]) => outcome.get(number) === what && /\] (?:RUN|COPY)/.test(name))
      .map(([, name]) => name);
  return { cached: of('CACHED').length, done: of('DONE') };
}

function layers(engine: TestEngine): number {
  return readdirSync(join(engine.identity.dataRoot, 'layers')).length;
}

async function nothingLeft(engine: TestEngine): Promise<void> {
  await until('nothing to be on its way', () => readdirSync(join(engine.identity.dataRoot, 'tmp')).length === 0);
}

describe('a registry', () => {
  test.each([
    ['', 'image manifest'],
    ['image-manifest=false,compression=zstd', 'manifest'],
    ['oci-mediatypes=false,compression=uncompressed', 'manifest'],
  ])(
    'another engine takes every step from it: %s',
    async (form, says) => {
      const context = project();
      const ref = fresh();
      const first = await build(
        ours,
        context,
        '--cache-to',
        ['type=registry', `ref=${ref}`, 'mode=max', form].filter(Boolean).join(','),
      );
      expect(steps(first)).toMatchObject({ cached: 0 });
      expect(first.stderr).toMatch(/^#\d+ exporting cache to registry$/m);
      expect(first.stderr).toMatch(/^#\d+ writing layer sha256:/m);
      expect(first.stderr).toMatch(new RegExp(`^#\\d+ writing cache ${says} sha256:`, 'm'));
      const second = await build(theirs, context, '--cache-from', ref, '--explain');
      expect(steps(second)).toEqual({ cached: 6, done: [] });
      expect(second.id).toBe(first.id);
      expect(second.stderr).toContain(`importing cache manifest from ${ref}\n`);
      expect(second.stderr).toContain(`cached: found in the cache ${ref}:latest\n`);
      expect(await theirs.ok('run', '--rm', second.id, 'cat', '/tool', '/last')).toBe(
        await ours.ok('run', '--rm', first.id, 'cat', '/tool', '/last'),
      );
      await nothingLeft(theirs);
    },
    60_000,
  );

  test('only what is needed is fetched', async () => {
    const context = project();
    const ref = fresh();
    await build(ours, context, '--cache-to', `type=registry,ref=${ref},mode=max`);
    const before = layers(theirs);
    await build(theirs, context, '--cache-from', `type=registry,ref=${ref}`);
    // The stage that is copied from stays where it is: four layers of the result alone came.
    expect(layers(theirs) - before).toBe(4);
  });

  test('what was taken from it is known from then on', async () => {
    const context = project();
    const ref = fresh();
    const { id } = await build(ours, context, '--cache-to', `type=registry,ref=${ref},mode=max`);
    await build(theirs, context, '--cache-from', ref);
    await theirs.restart();
    writeFileSync(join(context, 'other'), 'two\n');
    const again = await build(theirs, context, '--explain', '--cache-from', ref);
    expect(steps(again).done).toEqual([
      '[stage-1 4/5] COPY other /other',
      '[stage-1 5/5] RUN cat /base /proc/sys/kernel/random/uuid > /last',
    ]);
    expect(again.id).not.toBe(id);
  });

  test('a changed file has the later steps done, and no others', async () => {
    const context = project();
    const ref = fresh();
    await build(ours, context, '--cache-to', `type=registry,ref=${ref},mode=max`);
    writeFileSync(join(context, 'other'), 'two\n');
    const second = await build(theirs, context, '--cache-from', ref);
    expect(steps(second)).toEqual({
      cached: 4,
      done: ['[stage-1 4/5] COPY other /other', '[stage-1 5/5] RUN cat /base /proc/sys/kernel/random/uuid > /last'],
    });
  });

  test('mode=min has the layers of the image, mode=max those of all stages', async () => {
    const context = project();
    const [least, most] = [fresh(), fresh()];
    const first = await build(
      ours,
      context,
      '--cache-to',
      `type=registry,ref=${least}`,
      '--cache-to',
      `type=registry,ref=${most},mode=max`,
    );
    const manifest = async (ref: string): Promise<{ layers: unknown[] }> => {
      const [, name] = ref.split('/');
      const answer = await fetch(`${registry.url}/v2/${name}/manifests/latest`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      });
      return (await answer.json()) as { layers: unknown[] };
    };
    expect((await manifest(least)).layers).toHaveLength(4);
    expect((await manifest(most)).layers).toHaveLength(6);
    // Nothing changed: the other stage need not be done even so.
    const same = await build(theirs, context, '--cache-from', least);
    expect(steps(same)).toEqual({ cached: 6, done: [] });
    expect(same.id).toBe(first.id);
    await empty(theirs);
    writeFileSync(join(context, 'source'), 'two\n');
    const second = await build(theirs, context, '--cache-from', least);
    expect(steps(second).done).toContain('[make 2/3] COPY source /source');
    expect(steps(second).done).not.toContain('[stage-1 2/5] RUN cat /proc/sys/kernel/random/uuid > /base');
    expect(await theirs.ok('run', '--rm', second.id, 'cat', '/tool')).toContain('two');
  });

  test('base images of stages that nobody looks into stay at their registry', async () => {
    const [tools, base, ref] = [`${registry.host}/tools:1`, `${registry.host}/base:1`, fresh()];
    for (const name of [tools, base])
      await build(ours, folder({ Dockerfile: `FROM busybox\nRUN echo ${name} > /name` }), '-t', name, '--push');
    const context = folder({
      Dockerfile: [
        `FROM ${tools} AS make`,
        'RUN cat /name > /made',
        `FROM ${base}`,
        'COPY --from=make /made /',
        'COPY file /',
      ].join('\n'),
      file: 'one\n',
    });
    const first = await build(ours, context, '--cache-to', `type=registry,ref=${ref},mode=max`);
    const second = await build(theirs, context, '--cache-from', ref);
    expect(second.id).toBe(first.id);
    const here = async (): Promise<string> => theirs.ok('image', 'ls', '--format', '{{.Repository}}');
    expect(await here()).toContain(`${registry.host}/base`);
    expect(await here()).not.toContain(`${registry.host}/tools`);
    expect(await theirs.ok('run', '--rm', second.id, 'cat', '/made', '/name')).toBe(`${tools}\n${base}`);
    // A step that does look has it fetched.
    await empty(theirs);
    writeFileSync(
      join(context, 'Dockerfile'),
      `FROM ${tools} AS make\nRUN cat /name > /made && echo more >> /made\nFROM ${base}\nCOPY --from=make /made /`,
    );
    const third = await build(theirs, context, '--cache-from', ref);
    expect(await theirs.ok('run', '--rm', third.id, 'cat', '/made')).toBe(`${tools}\nmore`);
    expect(await here()).toContain(`${registry.host}/tools`);
    for (const name of [tools, base]) for (const engine of [ours, theirs]) await engine.ok('rmi', name);
  });

  test('imported and exported under another name without a layer coming here twice', async () => {
    const context = project();
    const [from, to] = [fresh(), fresh()];
    const first = await build(ours, context, '--cache-to', `type=registry,ref=${from},mode=max`);
    const before = layers(theirs);
    await build(theirs, context, '--cache-from', from, '--cache-to', `type=registry,ref=${to},mode=max`);
    expect(layers(theirs) - before).toBeLessThanOrEqual(6);
    await empty(ours);
    const third = await build(ours, context, '--cache-from', to);
    expect(steps(third)).toEqual({ cached: 6, done: [] });
    expect(third.id).toBe(first.id);
  });
});

describe('a folder', () => {
  test('of one client is a cache for another', async () => {
    const context = project();
    const directory = join(folder({}), 'cache');
    const first = await build(ours, context, '--cache-to', `type=local,dest=${directory},mode=max`);
    expect(first.stderr).toContain('exporting cache to client directory\n');
    expect(readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'ingest', 'oci-layout']);
    expect(readdirSync(join(directory, 'ingest'))).toEqual([]);
    const second = await build(theirs, context, '--cache-from', `type=local,src=${directory}`, '--explain');
    expect(steps(second)).toEqual({ cached: 6, done: [] });
    expect(second.id).toBe(first.id);
    expect(second.stderr).toContain(`found in the cache local:${directory}\n`);
  });

  test('keeps what tags and digests name', async () => {
    const context = project();
    const directory = folder({});
    await build(ours, context, '--cache-to', `type=local,dest=${directory},mode=max,tag=one`);
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    writeFileSync(join(context, 'source'), 'two\n');
    const second = await build(
      ours,
      context,
      '--cache-to',
      `type=local,dest=${directory},mode=max,image-manifest=false`,
    );
    const third = await build(theirs, context, '--cache-from', `type=local,src=${directory}`);
    expect(steps(third)).toEqual({ cached: 6, done: [] });
    expect(third.id).toBe(second.id);
    writeFileSync(join(context, 'source'), 'one\n');
    for (const which of ['tag=one', `digest=${index.manifests[0]?.digest}`]) {
      await empty(theirs);
      const again = await build(theirs, context, '--cache-from', `type=local,src=${directory},${which}`);
      expect(steps(again)).toEqual({ cached: 6, done: [] });
    }
    const none = await theirs.berth('build', '--cache-from', `type=local,src=${directory},tag=nobody`, context);
    expect(none.stderr).toContain('local cache importer requires either explicit digest, "latest" tag or custom tag');
  });

  test('goes on to another one, and to a registry', async () => {
    const context = project();
    const [one, two, ref] = [folder({}), folder({}), fresh()];
    const first = await build(ours, context, '--cache-to', `type=local,dest=${one},mode=max`);
    const to = ['--cache-to', `type=local,dest=${two},mode=max`, '--cache-to', `type=registry,ref=${ref},mode=max`];
    await build(theirs, context, '--cache-from', `type=local,src=${one}`, ...to);
    for (const from of [`type=local,src=${two}`, ref]) {
      await empty(ours);
      const again = await build(ours, context, '--cache-from', from);
      expect(steps(again)).toEqual({ cached: 6, done: [] });
      expect(again.id).toBe(first.id);
    }
  });

  test('two builds write to one at once', async () => {
    const directory = folder({});
    const contexts = [project(), project()];
    await Promise.all(
      contexts.map((context, number) =>
        build(ours, context, '--cache-to', `type=local,dest=${directory},mode=max,tag=of-${number}`),
      ),
    );
    for (const [number, context] of contexts.entries()) {
      const again = await build(theirs, context, '--cache-from', `type=local,src=${directory},tag=of-${number}`);
      expect(steps(again).done).toEqual([]);
    }
  });
});

describe('an image', () => {
  test('carries its cache to whoever names it', async () => {
    const context = project();
    const name = `${registry.host}/carries:1`;
    const first = await build(ours, context, '--cache-to', 'type=inline', '-t', name, '--push');
    expect(first.stderr).not.toContain('exporting cache');
    const second = await build(theirs, context, '--cache-from', name, '--cache-to', 'type=inline');
    expect(steps(second)).toEqual({ cached: 6, done: [] });
    expect(second.id).toBe(first.id);
    expect(await theirs.ok('run', '--rm', second.id, 'cat', '/other')).toBe('one');
    await ours.ok('rmi', name);
  });

  test('of several platforms carries the caches of all', async () => {
    const make =
      'FROM --platform=$BUILDPLATFORM busybox AS make\nARG TARGETARCH\nRUN echo $TARGETARCH > /arch; cat /proc/sys/kernel/random/uuid >> /arch';
    const context = folder({ Dockerfile: `${make}\nFROM scratch\nCOPY --from=make /arch /` });
    const name = `${registry.host}/many:1`;
    const words = ['--platform', 'linux/amd64,linux/arm64', '--cache-to', 'type=inline'];
    const first = await build(ours, context, ...words, '-t', name, '--push');
    expect(steps(first).done).toHaveLength(4);
    const second = await build(theirs, context, ...words, '--cache-from', name);
    expect(steps(second)).toEqual({ cached: 4, done: [] });
    expect(second.id).toBe(first.id);
    await ours.ok('rmi', name);
  });

  test('BUILDKIT_INLINE_CACHE=1 is the old way to say it, and an image that is here is asked first', async () => {
    const context = project();
    const archive = join(folder({}), 'image.tar');
    await build(ours, context, '--build-arg', 'BUILDKIT_INLINE_CACHE=1', '-t', 'nowhere.invalid/loaded:1');
    await ours.ok('save', '-o', archive, 'nowhere.invalid/loaded:1');
    await theirs.ok('load', '-i', archive);
    const second = await build(theirs, context, '--cache-from', 'nowhere.invalid/loaded:1', '--explain');
    expect(steps(second)).toEqual({ cached: 6, done: [] });
    expect(second.stderr).toContain('cached: found in the cache nowhere.invalid/loaded:1\n');
    for (const engine of [ours, theirs]) await engine.ok('rmi', 'nowhere.invalid/loaded:1');
  });

  test('the classic API takes it too', async () => {
    const context = project();
    const name = `${registry.host}/classic:1`;
    await build(ours, context, '--cache-to', 'type=inline', '-t', name, '--push');
    const classic = { env: { DOCKER_BUILDKIT: '0' } };
    const second = await theirs.dockerWith(classic, 'build', '--cache-from', name, context);
    expect(second.stdout.match(/Using cache/g)).toHaveLength(6);
    // Of a name that is nowhere nothing is taken, whatever the engine has.
    const none = await theirs.dockerWith(classic, 'build', '--cache-from', `${registry.host}/nobody`, context);
    expect(none.stdout).not.toContain('Using cache');
    expect(none.code).toBe(0);
    await ours.ok('rmi', name);
  });
});

interface Document {
  layers: [diffId: string, blob: string | null][];
  steps: [key: string, layer: number, created: number][];
}

/** A folder's cache, changed, with digests that are right again. */
function tamper(directory: string, change: (document: Document) => void): void {
  const blob = (digest: string): string => join(directory, 'blobs/sha256', digest.slice('sha256:'.length));
  const put = (value: unknown): { digest: string; size: number } => {
    const text = JSON.stringify(value);
    const digest = sha256(text);
    writeFileSync(blob(digest), text);
    return { digest, size: text.length };
  };
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const index = read(join(directory, 'index.json')) as { manifests: [{ digest: string }] };
  const manifest = read(blob(index.manifests[0].digest)) as { config: { digest: string } };
  const document = read(blob(manifest.config.digest)) as Document;
  change(document);
  Object.assign(manifest.config, put(document));
  Object.assign(index.manifests[0], put(manifest));
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
}

/** Files of packed layers. */
function layerFiles(directory: string): string[] {
  const blobs = join(directory, 'blobs/sha256');
  return readdirSync(blobs)
    .map((name) => join(blobs, name))
    .filter((path) => readFileSync(path)[0] === 0x1f);
}

describe('a cache that is broken', () => {
  let context: string;
  let directory: string;

  async function exported(): Promise<void> {
    context = project();
    directory = folder({});
    await build(ours, context, '--cache-to', `type=local,dest=${directory},mode=max`);
  }

  /** The build comes out right all the same. */
  async function imported(): Promise<CommandResult & { id: string }> {
    const result = await build(theirs, context, '--cache-from', `type=local,src=${directory}`);
    const look = 'cat /tool /other; wc -l < /last; head -n 1 /last | cmp - /base && echo fits';
    expect(await theirs.ok('run', '--rm', result.id, 'sh', '-c', look)).toMatch(/^[0-9a-f-]{36}\none\none\n2\nfits$/);
    await nothingLeft(theirs);
    return result;
  }

  test('layers that are missing', async () => {
    await exported();
    for (const path of layerFiles(directory)) rmSync(path);
    const result = await imported();
    expect(result.stderr).toContain(`cache local:${directory}: layer sha256:`);
    expect(steps(result).done).toHaveLength(6);
  });

  test('one layer that is missing', async () => {
    await exported();
    for (const path of layerFiles(directory)) {
      const kept = readFileSync(path);
      rmSync(path);
      await imported();
      writeFileSync(path, kept);
      await empty(theirs);
    }
  });

  test('layers with other bytes, cut off, or empty', async () => {
    await exported();
    for (const [number, path] of layerFiles(directory).entries()) {
      const bytes = readFileSync(path);
      if (number % 3 === 0) bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 0xff;
      writeFileSync(path, number % 3 === 0 ? bytes : bytes.subarray(0, number % 3 === 1 ? bytes.length - 20 : 0));
    }
    expect((await imported()).stderr).toContain('cannot be used, its steps are done anew');
  });

  test('layers that are not what their diff ids say', async () => {
    await exported();
    tamper(directory, ({ layers: all }) => {
      const blobs = all.map(([, blob]) => blob);
      for (const [number, layer] of all.entries()) layer[1] = blobs[(number + 1) % blobs.length] as string;
    });
    const result = await imported();
    expect(result.stderr).toContain('cannot be used, its steps are done anew');
    expect(steps(result).done).toHaveLength(6);
  });

  test('a document that is wrong in one place', async () => {
    await exported();
    tamper(directory, ({ steps: [step] }) => {
      (step as Document['steps'][0])[1] = 99;
    });
    const result = await imported();
    expect(result.stderr).toContain('ERROR: failed to configure local cache importer: invalid build cache: ');
    expect(steps(result).cached).toBe(0);
  });

  test('garbage everywhere', async () => {
    await exported();
    for (const name of readdirSync(join(directory, 'blobs/sha256')))
      writeFileSync(join(directory, 'blobs/sha256', name), 'garbage');
    expect((await imported()).stderr).toMatch(
      /ERROR: failed to configure local cache importer: blob sha256:\w+ has the content/,
    );
    await empty(theirs);
    writeFileSync(join(directory, 'index.json'), 'garbage');
    expect((await imported()).stderr).toContain(`WARNING: local cache import at ${directory} not found due to err: `);
  });

  test('a registry that has lost a layer', async () => {
    context = project();
    const ref = fresh();
    await build(ours, context, '--cache-to', `type=registry,ref=${ref},mode=max`);
    const repository = `${registry.url}/v2/${ref.split('/')[1]}`;
    const answer = await fetch(`${repository}/manifests/latest`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const { layers: blobs } = (await answer.json()) as { layers: { digest: string }[] };
    for (const { digest } of blobs)
      expect((await fetch(`${repository}/blobs/${digest}`, { method: 'DELETE' })).status).toBe(202);
    const result = await build(theirs, context, '--cache-from', ref);
    expect(result.stderr).toContain(`cache ${ref}:latest: layer sha256:`);
    expect(steps(result).done).toHaveLength(6);
    expect(await theirs.ok('run', '--rm', result.id, 'cat', '/other')).toBe('one');
  });

  test('a reference of something else, or of nothing', async () => {
    context = project();
    const plain = `${registry.host}/plain:1`;
    await build(ours, folder({ Dockerfile: 'FROM busybox\nRUN true' }), '-t', plain, '--push');
    const result = await build(theirs, context, '--cache-from', plain, '--cache-from', `${registry.host}/nobody`);
    expect(result.stderr).toContain('there is no build cache in it');
    expect(result.stderr).toContain(
      `ERROR: failed to configure registry cache importer: ${registry.host}/nobody: not found`,
    );
    await ours.ok('rmi', plain);
  });
});

describe('a registry with users', () => {
  let guarded: BerthRegistry;

  beforeAll(async () => {
    guarded = await BerthRegistry.start({ users: { ann: 'secret-of-ann' } });
  });
  afterAll(() => guarded.stop());

  test('wants to be logged in to, for both ways', async () => {
    const context = project();
    const ref = `${guarded.host}/ann/cache`;
    const to = `type=registry,ref=${ref},mode=max`;
    const refused = await ours.berth('build', '--progress', 'plain', '--cache-to', to, context);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`failed to export cache to ${ref}: unauthorized: authentication required`);
    const ignored = await ours.berth('build', '--progress', 'plain', '--cache-to', `${to},ignore-error=true`, context);
    expect(ignored.code).toBe(0);
    expect(ignored.stderr).toMatch(/^#\d+ ERROR: unauthorized: authentication required$/m);
    for (const engine of [ours, theirs])
      await engine.berthWith({ stdin: 'secret-of-ann' }, 'login', '-u', 'ann', '--password-stdin', guarded.host);
    const first = await build(ours, context, '--cache-to', to);
    const second = await build(theirs, context, '--cache-from', ref);
    expect(second.id).toBe(first.id);
    expect(steps(second).done).toEqual([]);
    for (const engine of [ours, theirs]) await engine.ok('logout', guarded.host);
    await empty(theirs);
    const without = await build(theirs, context, '--cache-from', ref);
    expect(without.stderr).toContain('ERROR: failed to configure registry cache importer: unauthorized');
    expect(steps(without).cached).toBe(0);
  });
});

test('no secret, and no value of a variable, stands in a cache', async () => {
  const secret = 'very-secret-8243';
  const context = folder({
    Dockerfile:
      'FROM busybox\nARG token\nENV also=$token\nRUN --mount=type=secret,id=one cat /run/secrets/one | wc -c > /length; echo $token | wc -c',
  });
  const [directory, file] = [folder({}), join(folder({}), 'one')];
  writeFileSync(file, secret);
  const words = ['--build-arg', `token=${secret}`, '--secret', `id=one,src=${file}`];
  await build(ours, context, ...words, '--cache-to', `type=local,dest=${directory},mode=max`);
  for (const name of readdirSync(join(directory, 'blobs/sha256'))) {
    const bytes = readFileSync(join(directory, 'blobs/sha256', name));
    expect(Buffer.from(bytes[0] === 0x1f ? Bun.gunzipSync(bytes) : bytes).includes(secret)).toBe(false);
  }
});
