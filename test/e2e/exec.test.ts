/** exec: many at once, without input, files of variables, what is said of it, and nothing that stays behind. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { execOnce, manyExecs, privateKilobytes, zombiesOf } from '../support/many-execs.ts';
import { shimOf } from '../support/shim-of.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  await engine.ok('run', '-d', '--name', 'host', '-e', 'OWN=1', '-w', '/tmp', 'busybox', 'sleep', '1000');
});
afterAll(() => engine.cleanUp());

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  test('input that is empty ends the command', async () => {
    for (let round = 0; round < 5; round++) {
      const result = await engine[`${client}With`]({ stdin: '' }, 'exec', '-i', 'host', 'wc', '-c');
      expect(result).toEqual({ code: 0, stdout: '0\n', stderr: '' });
    }
  });

  test('variables of a file, the directory of the container, rights', async () => {
    const file = join(engine.identity.notes, 'variables');
    await Bun.write(file, '# a comment\nFROM_FILE=2\n');
    const told = await engine[client]('exec', '--env-file', file, 'host', 'sh', '-c', 'echo $OWN $FROM_FILE; pwd');
    expect(told).toEqual({ code: 0, stdout: '1 2\n/tmp\n', stderr: '' });
    const homes = await Promise.all(
      ['4321', 'root'].map((user) => engine[client]('exec', '-u', user, 'host', 'sh', '-c', 'echo $HOME')),
    );
    expect(homes.map(({ stdout }) => stdout)).toEqual(['/\n', '/root\n']);
    const rights = await engine[client]('exec', '--privileged', 'host', 'grep', 'CapEff', '/proc/self/status');
    const usual = await engine[client]('exec', 'host', 'grep', 'CapEff', '/proc/self/status');
    expect(usual.stdout).toBe('CapEff:\t00000000a80425fb\n');
    expect(rights.stdout).not.toBe(usual.stdout);
  });

  test.each([
    [['nope', 'true'], 1, 'No such container: nope'],
    [['-u', 'nobody-knows', 'host', 'true'], 1, 'unable to find user nobody-knows: no matching entries in passwd file'],
    [['--detach-keys', 'odd', 'host', 'true'], 1, 'Invalid escape keys (odd) provided'],
    [['--env-file', '/nope', 'host', 'true'], 1, 'open /nope: no such file or directory'],
  ] as const)('%p is refused', async (words, code, message) => {
    const result = await engine[client]('exec', ...words);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });
});

test.each([
  [['-w', 'rel', 'host', 'pwd'], 128, 'Cwd must be an absolute path'],
  [['-w', '/etc/passwd', 'host', 'pwd'], 127, 'not a directory'],
  [['host', '/etc'], 126, 'permission denied'],
  [['host', 'nosuch'], 127, 'executable file not found in $PATH'],
] as const)('%p cannot be started', async (words, code, message) => {
  const result = await engine.docker('exec', ...words);
  expect(result.code).toBe(code);
  expect(result.stdout + result.stderr).toContain(message);
});

test('a hundred at once, each with its own output and exit code; then nothing of them is left', async () => {
  const { Pid } = (await engine.inspect('host')).State;
  const shim = await shimOf(Pid);
  await manyExecs(engine, 'host', { count: 20, together: 20 });
  const before = { memory: privateKilobytes(shim), files: readdirSync(`/proc/${shim}/fd`).length };
  await manyExecs(engine, 'host', { count: 300, together: 100 });
  expect(privateKilobytes(shim) - before.memory).toBeLessThan(128);
  expect(readdirSync(`/proc/${shim}/fd`).length).toBe(before.files);
  expect(zombiesOf(shim)).toEqual([]);
  expect((await engine.inspect('host')).ExecIDs).toBeNull();
  expect((await engine.ok('top', 'host')).split('\n').length).toBe(2);
});

test('inspect says what it is, while it runs and afterwards', async () => {
  const body = {
    Cmd: ['sh', '-c', 'until [ -e /tmp/end ]; do usleep 1000; done; exit 4'],
    User: '0:0',
    Privileged: true,
  };
  const { Id } = (await (await engine.request('POST', '/containers/host/exec', body)).json()) as { Id: string };
  const look = async () => (await (await engine.request('GET', `/exec/${Id}/json`)).json()) as Record<string, unknown>;
  expect(await look()).toMatchObject({ Running: false, ExitCode: null, Pid: 0 });
  expect((await engine.inspect('host')).ExecIDs).toEqual([Id]);
  expect((await engine.request('POST', `/exec/${Id}/start`, { Detach: true })).status).toBe(200);
  expect(await look()).toMatchObject({
    ...{ Running: true, ExitCode: null, OpenStdout: false },
    ProcessConfig: { entrypoint: 'sh', privileged: true, tty: false, user: '0:0' },
  });
  expect((await engine.request('POST', `/exec/${Id}/start`, {})).status).toBe(409);
  await execOnce(engine, 'host', ['touch', '/tmp/end']);
  await until('its end', async () => (await look())['Running'] === false);
  expect(await look()).toMatchObject({ ExitCode: 4, CanRemove: false });
  expect((await engine.inspect('host')).ExecIDs).toBeNull();
});

test('the streams of an exec with a user are nothing of the host that would be given to that user', async () => {
  const owner = (): string => Bun.spawnSync(['stat', '-c', '%u:%g %a', '/dev/null']).stdout.toString();
  const before = owner();
  await engine.ok('run', '-d', '--name', 'null', 'busybox', 'sh', '-c', 'mkdir -m 777 /free; exec sleep 1000');
  await until('the folder', async () => (await engine.berth('exec', 'null', 'test', '-d', '/free')).code === 0);
  expect(await engine.ok('exec', '-u', '77:88', 'null', 'sh', '-c', 'cat; id -u')).toBe('77');
  await engine.ok('exec', '-d', '-u', '77:88', 'null', 'sh', '-c', 'cat; echo lost; (echo later; touch /free/late) &');
  await until(
    'the detached one',
    async () => (await engine.berth('exec', 'null', 'test', '-e', '/free/late')).code === 0,
  );
  // The same where the container has no such device.
  await engine.ok('exec', 'null', 'sh', '-c', 'rm /dev/null; chmod 777 /tmp');
  await engine.ok('exec', '-d', '-u', '77:88', 'null', 'sh', '-c', 'cat; echo lost; touch /tmp/third');
  await until('the second', async () => (await engine.berth('exec', 'null', 'test', '-e', '/tmp/third')).code === 0);
  expect(owner()).toBe(before);
  await engine.ok('rm', '-f', 'null');
});
