/** The everyday lines about volumes, typed into a shell, by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { busyboxLayer, dockerArchive } from '../../support/images.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { clients, UserShell } from '../../support/user-shell.ts';

let engine: TestEngine;
const folder = ownFolder();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  const archive = join(folder, 'keeper.tar');
  const config = { Cmd: ['sh'], Volumes: { '/data': {} } };
  writeFileSync(archive, dockerArchive({ tags: ['keeper:latest'], layers: [busyboxLayer()], config }));
  await engine.load(archive);
});
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp());

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);

  test('-v /host/dir:/data shared by two containers', async () => {
    const shared = join(folder, `shared-${client}`);
    await shell.type(`$D run -d --name one -v ${shared}:/data busybox sleep 1000`);
    await shell.type(`$D run --rm -v ${shared}:/data busybox sh -c 'echo shared >/data/file'`);
    expect(await shell.type(`$D exec one cat /data/file; cat ${shared}/file`)).toBe('shared\nshared');
    expect(await shell.refusal(`$D run --rm -v ${shared}:/data:ro busybox touch /data/x`)).toContain('Read-only');
  });

  test('--volumes-from', async () => {
    await shell.type(`$D run --name donor -v kept:/data busybox sh -c 'echo lent >/data/file'`);
    expect(await shell.type('$D run --rm --volumes-from donor busybox cat /data/file')).toBe('lent');
    expect(await shell.refusal('$D run --rm --volumes-from donor:ro busybox touch /data/x')).toContain('Read-only');
    await shell.type('$D rm donor; $D volume rm kept');
  });

  test('VOLUME of an image', async () => {
    await shell.type(`$D run --name one keeper sh -c 'echo anonymous >/data/file'`);
    const [{ Mounts }] = JSON.parse(await shell.type('$D inspect one'));
    expect(Mounts[0]).toMatchObject({ Type: 'volume', Destination: '/data', Driver: 'local' });
    expect(await shell.type(`$D run --rm -v ${Mounts[0].Name}:/seen busybox cat /seen/file`)).toBe('anonymous');
    await shell.type('$D rm -v one');
    expect(await shell.type('$D volume ls -q')).toBe('');
  });

  test('data outlives rm', async () => {
    await shell.type(`$D run --name one -v named:/data busybox sh -c 'echo kept >/data/file'; $D rm one`);
    expect(await shell.type('$D run --rm -v named:/data busybox cat /data/file')).toBe('kept');
    expect(await shell.type('$D volume ls -q')).toBe('named');
    await shell.type('$D volume rm named');
  });

  test('volume create, ls, inspect, rm, prune', async () => {
    expect(await shell.type('$D volume create --label a=b made')).toBe('made');
    const [facts] = JSON.parse(await shell.type('$D volume inspect made'));
    expect(facts).toMatchObject({ Name: 'made', Driver: 'local', Labels: { a: 'b' }, Scope: 'local' });
    await shell.type('$D create --name user -v made:/data busybox true');
    expect(await shell.refusal('$D volume rm made')).toContain('volume is in use');
    await shell.type('$D rm user; $D volume create');
    expect((await shell.type('$D volume ls -q')).split('\n')).toHaveLength(2);
    // Clients before API 1.42, as Debian 12's docker, mean the named ones too.
    expect(await shell.type('$D volume prune -f')).toMatch(/^Deleted Volumes:\n(made\n)?[0-9a-f]{64}\n/);
    await shell.type('$D volume rm -f made');
    expect(await shell.type('$D volume ls -q')).toBe('');
  });
});
