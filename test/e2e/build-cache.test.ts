/** Caches that travel: an engine builds and exports, another one, which has never built anything, imports. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

afterEach(async () => {
  // Each test begins with engines that have built nothing.
  for (const engine of [ours, theirs]) {
    await engine.ok('builder', 'prune', '-af');
    await engine.ok('image', 'prune', '-f');
  }
});

const stages = [
  'FROM busybox AS make',
  'COPY source /source',
  'RUN cat /proc/sys/kernel/random/uuid > /tool; cat /source >> /tool; touch /made',
  'FROM busybox',
  'RUN cat /proc/sys/kernel/random/uuid > /base',
  'COPY --from=make /tool /tool',
  'COPY other /other',
  'RUN cat /proc/sys/kernel/random/uuid > /last',
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
    ['image-manifest=false', 'manifest'],
    ['oci-mediatypes=false', 'manifest'],
    ['compression=zstd', 'image manifest'],
    ['compression=uncompressed', 'image manifest'],
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
      '[stage-1 5/5] RUN cat /proc/sys/kernel/random/uuid > /last',
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
      done: ['[stage-1 4/5] COPY other /other', '[stage-1 5/5] RUN cat /proc/sys/kernel/random/uuid > /last'],
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
    await theirs.ok('builder', 'prune', '-af');
    await theirs.ok('rmi', '-f', same.id);
    writeFileSync(join(context, 'source'), 'two\n');
    const second = await build(theirs, context, '--cache-from', least);
    expect(steps(second).done).toContain('[make 2/3] COPY source /source');
    expect(steps(second).done).not.toContain('[stage-1 2/5] RUN cat /proc/sys/kernel/random/uuid > /base');
    expect(await theirs.ok('run', '--rm', second.id, 'cat', '/tool')).toContain('two');
  });

  test('imported and exported under another name without a layer coming here twice', async () => {
    const context = project();
    const [from, to] = [fresh(), fresh()];
    const first = await build(ours, context, '--cache-to', `type=registry,ref=${from},mode=max`);
    const before = layers(theirs);
    await build(theirs, context, '--cache-from', from, '--cache-to', `type=registry,ref=${to},mode=max`);
    expect(layers(theirs) - before).toBeLessThanOrEqual(6);
    await ours.ok('builder', 'prune', '-af');
    await ours.ok('rmi', '-f', first.id);
    const third = await build(ours, context, '--cache-from', to);
    expect(steps(third)).toEqual({ cached: 6, done: [] });
    expect(third.id).toBe(first.id);
  });
});
