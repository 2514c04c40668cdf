/** kill -9 of the engine while a cache comes or goes: nothing half done is left, and the next build has what it should have. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthRegistry } from '../support/berth-registry.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { failpointsOf } from '../support/failpoints.ts';
import { until } from '../support/until.ts';

let ours: TestEngine;
let theirs: TestEngine;
let registry: BerthRegistry;
const root = mkdtempSync('/tmp/berth-cache-fault-');
const context = join(root, 'context');

beforeAll(async () => {
  [ours, theirs, registry] = await Promise.all([
    startEngine({ images: ['busybox'] }),
    startEngine({ images: ['busybox'] }),
    BerthRegistry.start({ options: ['--public'] }),
  ]);
  await Bun.write(
    join(context, 'Dockerfile'),
    ['FROM busybox', 'COPY file /file', 'RUN cat /file > /copy; cat /proc/sys/kernel/random/uuid > /id'].join('\n'),
  );
}, 120_000);
afterEach(() => {
  for (const engine of [ours, theirs]) engine.failpoints.clear();
});
afterAll(async () => {
  rmSync(root, { recursive: true });
  await Promise.all([ours.cleanUp(), theirs.cleanUp(), registry.stop()]);
}, 300_000);

let serial = 0;

const left = (engine: TestEngine, name: string): string[] => readdirSync(join(engine.identity.dataRoot, name));

/** Every step that an engine dies at, once to a registry and once to a folder. */
const cases = failpointsOf('cache').flatMap((step) =>
  (step === 'cache.after-pack' ? ['local'] : ['registry', 'local']).map((type): [string, string] => [step, type]),
);

test.each(cases)(
  'at %s, %s',
  async (step, type) => {
    writeFileSync(join(context, 'file'), `${++serial}\n`);
    const folder = join(root, `cache-${serial}`);
    const ref = `${registry.host}/cache-${serial}`;
    const to = type === 'local' ? `type=local,dest=${folder},mode=max` : `type=registry,ref=${ref},mode=max`;
    const from = type === 'local' ? `type=local,src=${folder}` : ref;
    const isFetch = step.endsWith('fetch');
    const dying = isFetch ? theirs : ours;
    if (isFetch) await ours.ok('build', '-q', '--cache-to', to, context);
    const before = left(dying, 'layers').length;
    dying.failpoints.arm(step, 'kill9');
    const broken = await dying.berth('build', isFetch ? '--cache-from' : '--cache-to', isFetch ? from : to, context);
    expect(broken.code).toBe(1);
    await dying.died();
    // A cache that was not written whole is not named.
    if (!isFetch && type === 'local') expect(existsSync(join(folder, 'index.json'))).toBe(false);
    if (type === 'local' && existsSync(join(folder, 'ingest'))) expect(readdirSync(join(folder, 'ingest'))).toEqual([]);
    await dying.start();
    await until('what it left to be gone', () => left(dying, 'tmp').length === 0);
    if (isFetch) expect(left(dying, 'layers')).toHaveLength(before);
    const id = await ours.ok('build', '-q', '--cache-to', to, context);
    const imported = await theirs.berth('build', '--progress', 'plain', '--cache-from', from, context);
    expect(imported.stderr.match(/CACHED/g)).toHaveLength(2);
    expect(imported.stderr).toContain(`writing image ${id}`);
  },
  60_000,
);

test('a client that leaves ends its import, and another build that shares a step with it goes on', async () => {
  writeFileSync(join(context, 'file'), `${++serial}\n`);
  const folder = join(root, `cache-${serial}`);
  const id = await ours.ok('build', '-q', '--cache-to', `type=local,dest=${folder},mode=max`, context);
  const gate = join(root, 'gate');
  theirs.failpoints.arm('cache.before-fetch', `delay ${gate}`);
  const leaves = theirs.spawn('berth', 'build', '--cache-from', `type=local,src=${folder}`, context);
  await theirs.failpoints.struck('cache.before-fetch');
  const stays = theirs.berth('build', '-q', '--cache-from', `type=local,src=${folder}`, context);
  await leaves.kill();
  writeFileSync(gate, '');
  expect((await stays).stdout).toBe(`${id}\n`);
  await until('nothing to be on its way', () => left(theirs, 'tmp').length === 0);
});

test('builds that import the same at once', async () => {
  writeFileSync(join(context, 'file'), `${++serial}\n`);
  const ref = `${registry.host}/cache-${serial}`;
  const id = await ours.ok('build', '-q', '--cache-to', `type=registry,ref=${ref},mode=max`, context);
  const ids = await Promise.all(
    Array.from({ length: 4 }, () => theirs.ok('build', '-q', '--cache-from', ref, context)),
  );
  expect(new Set(ids)).toEqual(new Set([id]));
  await until('nothing to be on its way', () => left(theirs, 'tmp').length === 0);
});
