// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have such variables
/** The everyday lines of a Dockerfile, typed into a shell, by both clients. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { tar } from '../../support/tar.ts';
import { until } from '../../support/until.ts';
import { clients, UserShell } from '../../support/user-shell.ts';

let engine: TestEngine;
const folder = ownFolder();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(() => engine.removeContainers());
afterAll(() => engine.cleanUp(), 300_000);

interface Facts {
  Id: string;
  Author: string;
  Config: Record<string, unknown>;
}

describe.each(clients)('%s', (client) => {
  const shell = new UserShell(() => engine, client, folder);

  /** Builds a folder with this Dockerfile under a name; gives the image's facts. */
  async function build(
    name: string,
    dockerfile: string,
    files: Record<string, string | Uint8Array> = {},
  ): Promise<Facts> {
    const context = join(folder, `${client}-${name}`);
    mkdirSync(context, { recursive: true });
    for (const [path, content] of Object.entries({ ...files, Dockerfile: dockerfile }))
      writeFileSync(join(context, path), content);
    await shell.type(`export DOCKER_BUILDKIT=0; $D build -t user/${name}:1 ${context}`);
    const [facts] = JSON.parse(await shell.type(`$D inspect user/${name}:1`)) as [Facts];
    return facts;
  }

  test('FROM scratch, name, name:tag', async () => {
    await build(
      'from',
      'FROM busybox:latest AS one\nRUN echo 1 > /one\nFROM busybox\nFROM scratch\nCOPY --from=one /one /\nCOPY --from=one /bin /bin',
    );
    expect(await shell.type('$D run --rm user/from:1 cat /one')).toBe('1');
  });

  test('MAINTAINER, LABEL', async () => {
    const facts = await build('facts', 'FROM busybox\nMAINTAINER me <me@example.com>\nLABEL version="1.0" by=me');
    expect(facts).toMatchObject({ Author: 'me <me@example.com>', Config: { Labels: { version: '1.0', by: 'me' } } });
  });

  test('RUN shell form and exec form, with continuations', async () => {
    await build('run', 'FROM busybox\nRUN echo a > /a && \\\n    echo b > /b\nRUN ["/bin/sh", "-c", "echo c > /c"]');
    expect(await shell.type('$D run --rm user/run:1 cat /a /b /c')).toBe('a\nb\nc');
  });

  test('COPY, ADD unpacks local tar.gz', async () => {
    const packed = Bun.gzipSync(tar([{ name: 'in/packed', content: 'packed' }]));
    await build('copy', 'FROM busybox\nCOPY file /dir/\nADD archive.tar.gz /dir/', {
      file: 'plain\n',
      'archive.tar.gz': packed,
    });
    expect(await shell.type('$D run --rm user/copy:1 cat /dir/file /dir/in/packed')).toBe('plain\npacked');
  });

  test('WORKDIR is made if missing, relative ones add up', async () => {
    await build('workdir', 'FROM busybox\nWORKDIR /a\nWORKDIR b\nWORKDIR c\nRUN pwd > /where');
    expect(await shell.type('$D run --rm user/workdir:1 sh -c "pwd; cat /where"')).toBe('/a/b/c\n/a/b/c');
  });

  test('ENV and ${VAR} in later instructions', async () => {
    await build('env', 'FROM busybox\nENV DIR=/made NAME="a b"\nWORKDIR ${DIR}\nENV ALL=${DIR}:$NAME');
    expect(await shell.type('$D run --rm user/env:1 sh -c \'pwd; echo "$ALL"\'')).toBe('/made\n/made:a b');
  });

  test('VOLUME, EXPOSE', async () => {
    const { Config } = await build('volume', 'FROM busybox\nVOLUME /data\nEXPOSE 8080 53/udp');
    expect(Config).toMatchObject({ Volumes: { '/data': {} }, ExposedPorts: { '8080/tcp': {}, '53/udp': {} } });
    await shell.type('$D run -d --name vol -P user/volume:1 sleep 1000');
    expect(await shell.type('$D port vol')).toMatch(/8080\/tcp -> 0\.0\.0\.0:\d+/);
    await shell.type('$D rm -fv vol');
  });

  test('CMD: the last one counts, replaced by the command line', async () => {
    await build('cmd', 'FROM busybox\nCMD echo first\nCMD echo second');
    expect(await shell.type('$D run --rm user/cmd:1; $D run --rm user/cmd:1 echo own')).toBe('second\nown');
  });

  test('ENTRYPOINT: arguments append, --entrypoint overrides', async () => {
    await build('entry', 'FROM busybox\nENTRYPOINT ["echo", "entry"]\nCMD ["default"]');
    expect(await shell.type('$D run --rm user/entry:1; $D run --rm user/entry:1 own')).toBe('entry default\nentry own');
    expect(await shell.type('$D run --rm --entrypoint /bin/ls user/entry:1 -d /bin')).toBe('/bin');
  });

  test('the shell form expands variables, the exec form does not and is pid 1', async () => {
    await build('shell', 'FROM busybox\nENV WHO=me\nCMD echo $WHO');
    expect(await shell.type('$D run --rm user/shell:1')).toBe('me');
    await build('exec', 'FROM busybox\nENV WHO=me\nCMD ["echo", "$WHO"]');
    expect(await shell.type('$D run --rm user/exec:1')).toBe('$WHO');
    await build('first', 'FROM busybox\nCMD ["sh", "-c", "echo $$"]');
    expect(await shell.type('$D run --rm user/first:1')).toBe('1');
  });

  test('exec in a shell script keeps pid 1, so that stop reaches it', async () => {
    await build('stop', 'FROM busybox\nCOPY start /start\nCMD ["sh", "/start"]', {
      start: 'exec sh -c \'trap "exit 7" TERM; echo ready; while true; do sleep 0.1; done\'\n',
    });
    await shell.type('$D run -d --name stopped user/stop:1');
    await until('the trap to be set', async () => (await shell.type('$D logs stopped')) === 'ready');
    await shell.type('$D stop stopped');
    expect(await shell.type('$D wait stopped')).toBe('7');
  });

  test('build -t user/name:tag: every step a layer, cached next time', async () => {
    const text = `FROM busybox\nRUN echo ${client} > /one\nRUN echo two > /two`;
    const first = await build('cached', text);
    expect((await build('cached', text)).Id).toBe(first.Id);
    const layers = await shell.type("$D inspect --format '{{len .RootFS.Layers}}' user/cached:1");
    expect(layers).toBe('3');
  });
});
