/** The everyday lines about images, typed into a shell, by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { imageFixture } from '../../support/image-fixture.ts';
import { busyboxArchive } from '../../support/images.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { TestRegistry } from '../../support/registry.ts';
import { clients, UserShell } from '../../support/user-shell.ts';

let engine: TestEngine;
let hub: TestRegistry;
const small = imageFixture();
const folder = ownFolder();

beforeAll(async () => {
  // What stands in for Docker Hub: a mirror of it.
  hub = await TestRegistry.start();
  hub.add('library/small', 'latest', small);
  hub.add('user/small', '1.0', small);
  engine = await startEngine({ config: { 'registry-mirrors': [`http://${hub.host}`] } });
});
afterEach(() => engine.removeContainers());
afterAll(async () => {
  await engine.cleanUp();
  await hub.stop();
});

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);
  beforeAll(() => engine.load(busyboxArchive()));

  test('pull name: default registry, user library, tag latest; layer by layer', async () => {
    const said = await shell.type('$D pull small');
    expect(said).toMatch(/^Using default tag: latest\nlatest: Pulling from library\/small\n/);
    expect(said).toMatch(/\n[0-9a-f]{12}: Pull complete\n/);
    expect(said).toMatch(/\nDigest: sha256:[0-9a-f]{64}\n/);
    expect(said).toContain('\nStatus: Downloaded newer image for small:latest\n');
    expect(said).toEndWith('docker.io/library/small:latest');
    expect(await shell.type('$D pull small')).toContain('Status: Image is up to date for small:latest');
    expect(await shell.type('$D pull user/small:1.0')).toEndWith('docker.io/user/small:1.0');
    await shell.type('$D rmi small user/small:1.0');
  });

  test('search X', async () => {
    // Docker Hub alone is searched, and a mirror cannot do it: without a way there, that is what is said.
    const { code, stdout, stderr } = await shell.try('$D search busybox --limit 1');
    if (code === 0) expect(stdout).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL/);
    else expect(stderr).toMatch(/Error response from daemon: .*docker\.io/);
  });

  test('images, images -aq, image ls', async () => {
    expect(await shell.type('$D images')).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +latest +/);
    expect(await shell.type('$D images -aq')).toMatch(/^[0-9a-f]{12}$/);
    expect(await shell.type('$D image ls')).toBe(await shell.type('$D images'));
  });

  test('tag: two names, one id; image rm, rmi, rmi -f', async () => {
    await shell.type('$D tag busybox me/copy:one; $D tag busybox me/copy:two');
    expect(await shell.type("$D images me/copy --format '{{.ID}}' | sort -u")).toMatch(/^[0-9a-f]{12}$/);
    expect(await shell.type('$D image rm me/copy:one')).toBe('Untagged: me/copy:one');
    expect(await shell.type('$D rmi me/copy:two')).toBe('Untagged: me/copy:two');
    await shell.type('$D tag busybox me/copy:three');
    expect(await shell.refusal(`$D rmi $($D images -q me/copy)`)).toContain(
      'must be forced) - image is referenced in multiple repositories',
    );
    expect(await shell.type('$D rmi -f me/copy:three')).toBe('Untagged: me/copy:three');
  });

  test('rmi is refused while a container uses the image', async () => {
    await shell.type('$D create --name user busybox true');
    expect(await shell.refusal('$D rmi busybox')).toContain('(must force) - container');
    await shell.type('$D rm user');
  });

  test('rmi $(images -aq)', async () => {
    await shell.type('$D rmi $($D images -aq)');
    expect(await shell.type('$D images -aq')).toBe('');
    await engine.load(busyboxArchive());
  });

  test('history, inspect', async () => {
    expect(await shell.type('$D history busybox')).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} /);
    const [facts] = JSON.parse(await shell.type('$D inspect busybox'));
    expect(facts.RepoTags).toEqual(['busybox:latest']);
  });

  test('save X > f.tar, save -o, load < f.tar.gz, load -i', async () => {
    await shell.type('$D save busybox >one.tar; $D save -o two.tar busybox; gzip -kf one.tar; $D rmi busybox');
    expect(await shell.type('$D load <one.tar.gz')).toBe('Loaded image: busybox:latest');
    await shell.type('$D rmi busybox');
    expect(await shell.type('$D load -i two.tar')).toBe('Loaded image: busybox:latest');
    expect(await shell.type('$D run --rm busybox echo here')).toBe('here');
  });

  test('export, import', async () => {
    await shell.type('$D run --name source busybox sh -c "echo changed >/note"; $D export source >root.tar');
    expect(await shell.type('$D import root.tar me/imported:1')).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await shell.type('cat root.tar | $D import - me/imported:2')).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await shell.type('$D run --rm me/imported:2 cat /note; $D rmi me/imported:1 me/imported:2 >&2')).toBe(
      'changed',
    );
  });

  test('commit -m -a C user/name:tag', async () => {
    await shell.type('$D run --name changed busybox touch /made');
    expect(await shell.type('$D commit -m "what changed" -a "who did" changed me/made:1')).toMatch(
      /^sha256:[0-9a-f]{64}$/,
    );
    const [{ Author, Comment }] = JSON.parse(await shell.type('$D inspect me/made:1'));
    expect([Author, Comment]).toEqual(['who did', 'what changed']);
    expect(await shell.type('$D run --rm me/made:1 ls /made; $D rm changed >&2; $D rmi me/made:1 >&2')).toBe('/made');
  });

  test('names must be lowercase', async () => {
    for (const line of ['$D tag busybox Me/Copy', '$D pull Busybox', '$D run Busybox'])
      expect(await shell.refusal(line)).toMatch(/repository name .*must be lowercase/);
  });
});
