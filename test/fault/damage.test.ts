/** What a crash of the machine, a full disk or a careless hand leaves of the engine's files: the next engine comes up and cleans up. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { busyboxArchive } from '../support/images.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  await engine.removeContainers();
  await engine.expectNoLeaks();
});
afterAll(() => engine.cleanUp());

const bundle = (id: string): string => join(engine.identity.execRoot, 'containers', id);

async function isThere(name: string): Promise<boolean> {
  return (await engine.request('GET', `/containers/${name}/json`)).ok;
}

async function running(name: string): Promise<{ id: string; pid: number }> {
  await engine.ok('run', '-d', '--name', name, 'busybox', 'sleep', '1000');
  const { Id, State } = await engine.inspect(name);
  return { id: Id, pid: State.Pid };
}

async function expectEnd({ id, pid }: { id: string; pid: number }): Promise<void> {
  await until('its process to be gone', () => !existsSync(`/proc/${pid}`));
  await until('the books to say so', async () => (await engine.inspect(id)).State.Status === 'exited');
  await engine.ok('start', id);
  expect((await engine.inspect(id)).State.Running).toBe(true);
}

describe('an exec root', () => {
  const damages: [name: string, damage: (path: string) => void][] = [
    ['without the directory of a container that runs', (path) => rmSync(path, { recursive: true })],
    ['without its socket', (path) => rmSync(join(path, 'shim.sock'))],
    [
      'with an empty directory',
      (path) => {
        rmSync(path, { recursive: true });
        mkdirSync(path);
      },
    ],
    [
      'with half of its plan',
      (path) => {
        rmSync(join(path, 'shim.sock'));
        truncateSync(join(path, 'shim.conf'), Math.floor(statSync(join(path, 'shim.conf')).size / 2));
      },
    ],
    [
      'with a file in its place',
      (path) => {
        rmSync(path, { recursive: true });
        writeFileSync(path, 'x');
      },
    ],
    [
      'with nonsense in its files',
      (path) => {
        for (const name of ['shim.sock', 'shim.conf', 'config.json', 'pid', 'exit']) {
          rmSync(join(path, name), { force: true });
          writeFileSync(join(path, name), 'nonsense');
        }
      },
    ],
  ];
  test.each(damages)('%s', async (_name, damage) => {
    const one = await running('damaged');
    const other = await running('whole');
    await engine.kill9();
    damage(bundle(one.id));
    await engine.start();
    expect((await engine.inspect('whole')).State).toMatchObject({ Running: true, Pid: other.pid });
    await expectEnd(one);
  });

  test('with what belongs to nobody', async () => {
    await engine.kill9();
    const stranger = 'f'.repeat(64);
    for (const name of [stranger, 'nonsense']) mkdirSync(bundle(name), { recursive: true });
    writeFileSync(bundle('file'), '');
    await engine.start();
    await until(
      'nothing of it to be left',
      () => readdirSync(join(engine.identity.execRoot, 'containers')).length === 0,
    );
  });

  test('that is gone', async () => {
    const one = await running('alone');
    await engine.kill9();
    rmSync(engine.identity.execRoot, { recursive: true });
    await engine.start();
    await expectEnd(one);
  });
});

describe('the log of the database', () => {
  test.each([0, 0.3, 0.7, 1])('cut after %d of its length', async (share) => {
    const path = join(engine.identity.dataRoot, 'berth.db-wal');
    const { pid } = await running('recent');
    await engine.ok('create', '--name', 'made', '-v', '/anonymous', 'busybox');
    await engine.kill9();
    const whole = `${path}.whole`;
    copyFileSync(path, whole);
    const used = logLength(path);
    truncateSync(path, Math.floor(used * share) - (share === 1 ? 7 : 0) + (share === 0 ? 0 : 3));
    await engine.start();
    // What the books have lost does not run on unseen.
    const known = (await engine.ok('ps', '-q', '--no-trunc')).split('\n').filter(Boolean);
    await until('no process without a row', async () => known.length > 0 || !existsSync(`/proc/${pid}`));
    rmSync(whole);
    // Where the image is lost too it comes again.
    if ((await engine.berth('image', 'inspect', 'busybox')).code !== 0) await engine.load(busyboxArchive());
    expect(await engine.ok('run', '--rm', 'busybox', 'echo', 'works')).toBe('works');
    for (const name of ['recent', 'made']) if (await isThere(name)) await engine.ok('rm', '-f', '-v', name);
  });
});

test('a database that is none is left alone, and named', async () => {
  const path = join(engine.identity.dataRoot, 'berth.db');
  expect(await engine.stop()).toBe(0);
  copyFileSync(path, `${path}.whole`);
  writeFileSync(path, 'x'.repeat(8192));
  const layers = readdirSync(join(engine.identity.dataRoot, 'layers'));
  await expect(engine.start()).rejects.toThrow(/failed to start daemon: .*berth\.db.*not a database/);
  expect(readdirSync(join(engine.identity.dataRoot, 'layers'))).toEqual(layers);
  copyFileSync(`${path}.whole`, path);
  rmSync(`${path}.whole`);
  await engine.start();
  expect(await engine.ok('run', '--rm', 'busybox', 'echo', 'works')).toBe('works');
});

/** Bytes up to the last frame that is there; the file goes on behind it. */
function logLength(path: string): number {
  const bytes = readFileSync(path);
  const frame = 4096 + 24;
  let end = 32;
  const salt = bytes.subarray(16, 24);
  while (end + frame <= bytes.length && bytes.subarray(end + 8, end + 16).equals(salt)) end += frame;
  return end;
}
