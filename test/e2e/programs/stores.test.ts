/** Programs that keep something, out of Debian's packages: built, run and asked. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../../support/command.ts';
import { debianPatience } from '../../support/debian-image.ts';
import { converse, ProgramImages, published } from '../../support/program-images.ts';
import { until } from '../../support/until.ts';
import type { UserShell } from '../../support/user-shell.ts';

let programs: ProgramImages;
beforeAll(async () => {
  programs = await ProgramImages.build({
    redis: { client: 'docker' },
    memcached: { client: 'berth' },
    mosquitto: { client: 'docker' },
    git: { client: 'docker' },
    mariadb: { client: 'berth' },
  });
}, debianPatience);
afterEach(() => programs.clear());
afterAll(() => programs.cleanUp(), 60_000);

test('redis: SET and GET through its port, kept through restart and rm', async () => {
  const shell = await programs.shell('redis');
  const run = '$D run -d --name redis -v keys:/var/lib/redis -p 127.0.0.1::6379 program/redis';
  const ask = async (command: string, end: RegExp): Promise<string> =>
    await converse(await published(shell, 'redis', 6379), `${command}\r\n`, end);
  await shell.type(run);
  expect(await ask('SET note kept', /\n/)).toBe('+OK\r\n');
  await shell.type('$D restart redis');
  expect(await ask('GET note', /kept\r\n/)).toBe('$4\r\nkept\r\n');
  await shell.type(`$D rm -f redis; ${run} --appendonly no --maxmemory 64mb; $D stop redis; $D rm redis; ${run}`);
  expect(await ask('GET note', /kept\r\n/)).toBe('$4\r\nkept\r\n');
  expect(await shell.type('$D logs redis')).toContain('Ready to accept connections');
});

test('memcached: set and get through its port, arguments instead of CMD', async () => {
  const shell = await programs.shell('memcached');
  await shell.type('$D run -d --name cache -p 127.0.0.1::11211 program/memcached -m 32');
  const port = await published(shell, 'cache', 11211);
  expect(await converse(port, 'set note 0 0 4\r\nkept\r\n', /\n/)).toBe('STORED\r\n');
  expect(await converse(port, 'get note\r\n', /END\r\n/)).toBe('VALUE note 0 4\r\nkept\r\nEND\r\n');
  expect(await converse(port, 'stats\r\n', /END\r\n/)).toContain(`STAT limit_maxbytes ${32 * 1024 * 1024}\r\n`);
  expect(await shell.type('$D exec cache id -un')).toBe('memcache');
});

test('mosquitto: publish and subscribe through the port', async () => {
  const shell = await programs.shell('mosquitto');
  await shell.type('$D run -d --name broker -p 127.0.0.1::1883 program/mosquitto');
  const client = `program/mosquitto mosquitto_%s -h 127.0.0.1 -p ${await published(shell, 'broker', 1883)}`;
  const publish = (words: string): Promise<string> =>
    shell.type(`$D run --rm --network host ${client.replace('%s', 'pub')} ${words}`);
  await until('the broker to take a message', async () => (await publish('-t notes/kept -m first -r')) === '');
  await shell.type(`$D run -d --name reader --network host ${client.replace('%s', 'sub')} -v -t 'notes/#' -C 2`);
  // What was retained says that the reader is there.
  await until('the first message', async () => (await shell.type('$D logs reader')) === 'notes/kept first');
  await publish('-t notes/live -m second');
  expect(await shell.type('$D wait reader; $D logs reader')).toBe('0\nnotes/kept first\nnotes/live second');
  // Its own signal ends it in order.
  expect(await shell.type("$D stop broker >/dev/null; $D inspect -f '{{.State.ExitCode}}' broker")).toBe('0');
});

test('a git server: clone and push, kept in its volume', async () => {
  const shell = await programs.shell('git');
  const run = '$D run -d --name git -v repositories:/srv/git -p 127.0.0.1::9418 program/git';
  const git = (folder: string, ...words: string[]): Promise<string> =>
    runOk(
      ['git', '-C', join(programs.folder, folder), '-c', 'user.name=me', '-c', 'user.email=me@example.com', ...words],
      {
        env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
      },
    );
  const clone = async (folder: string): Promise<string> => {
    const address = `git://127.0.0.1:${await published(shell, 'git', 9418)}/notes.git`;
    return await until('the server to answer', () => git('.', 'clone', '-q', address, folder).then(() => folder));
  };
  await shell.type(run);
  const first = await clone('first');
  writeFileSync(join(programs.folder, first, 'note'), 'pushed\n');
  await git(first, 'add', 'note');
  await git(first, 'commit', '-q', '-m', 'a note');
  await git(first, 'push', '-q', 'origin', 'HEAD:main');
  await shell.type(`$D rm -f git; ${run}`);
  const second = await clone('second');
  expect(await git(second, 'show', 'HEAD:note')).toBe('pushed');
  expect(await shell.type('$D exec git git -C notes.git log --format=%s main')).toBe('a note');
});

test('mariadb: a table is kept through rm and a kill of the engine', async () => {
  const shell = await programs.shell('mariadb');
  await startMariadb(shell);
  await query(shell, 'create table notes (line text)');
  await query(shell, "insert into notes values ('kept')");
  await shell.type('$D rm -f shop');
  await startMariadb(shell);
  const port = await published(shell, 'shop', 3306);
  await programs.engine.kill9();
  expect(await converse(port, '', /MariaDB/)).toContain('MariaDB');
  await programs.engine.start();
  expect(await query(shell, 'select line from notes')).toBe('kept');
  await programs.engine.kill9();
  await programs.engine.start();
  await until('its health to be known', async () => (await health(shell)) === 'healthy');
});

async function startMariadb(shell: UserShell): Promise<void> {
  const options = '-v rows:/var/lib/mysql -p 127.0.0.1::3306 -e SHOP_PASSWORD=secret --stop-timeout 60';
  await shell.type(`$D run -d --name shop ${options} program/mariadb --max-connections=20`);
  await until('it to be healthy', async () => (await health(shell)) === 'healthy', 60_000);
}

async function health(shell: UserShell): Promise<string> {
  return await shell.type("$D inspect -f '{{.State.Health.Status}}' shop");
}

/** Asked from another container, through the published port. */
async function query(shell: UserShell, sql: string): Promise<string> {
  const client = '--entrypoint mariadb program/mariadb --skip-ssl -h 127.0.0.1 -u shop -psecret shop';
  const port = await published(shell, 'shop', 3306);
  return await shell.type(`$D run --rm --network host ${client} -P ${port} -Ne "${sql}"`);
}
