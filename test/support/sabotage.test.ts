/** The leak checker is proved here: each kind of thing is left behind on purpose, and must be seen. */

import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runOk } from './command.ts';
import { demolish } from './demolish.ts';
import { claimIdentity, type EngineIdentity, identityOf, releaseIdentity } from './identity.ts';
import { expectNoLeaks, findLeaks, type Leak, nftables } from './leaks.ts';
import { until } from './until.ts';

const identity = claimIdentity();
// Stands for the engine: a process of its own that may live and hold things.
const engine = Bun.spawn(['sleep', 'infinity'], { env: { ...process.env, ROOT: identity.execRoot } });

for (const directory of ['containers', 'runtime', 'tmp']) {
  mkdirSync(join(identity.dataRoot, directory), { recursive: true });
  mkdirSync(join(identity.execRoot, directory), { recursive: true });
}
const database = new Database(join(identity.dataRoot, 'berth.db'), { create: true });
database.run('CREATE TABLE containers (id TEXT)');

afterAll(async () => {
  database.close();
  await demolish(identity);
  releaseIdentity(identity);
});

function leaks(): Leak[] {
  return findLeaks(identity, { engine: engine.pid, table: '' });
}

function kinds(): string[] {
  return [...new Set(leaks().map((leak) => leak.kind))].sort();
}

test('an engine without containers leaves nothing', () => {
  expect(leaks()).toEqual([]);
});

/** A process that is not a child of the test (those are its clients): given the argument and environment. */
function orphan(argument: string, env: Record<string, string> = {}): number {
  const script = 'setsid sh -c \'while :; do sleep 1; done\' "$0" </dev/null >/dev/null 2>&1 & echo $!';
  const started = Bun.spawnSync(['sh', '-c', script, argument], { env: { ...process.env, ...env }, stderr: 'ignore' });
  return Number(started.stdout.toString());
}

function endGroup(pid: number): void {
  process.kill(-pid, 'SIGKILL');
}

function sees(owner: EngineIdentity, pid: number): boolean {
  return findLeaks(owner, { engine: null, table: null }).some((leak) => leak.what.startsWith(`${pid} `));
}

test('a process is seen by command line and by environment', async () => {
  for (const pid of [orphan(`${identity.execRoot}/containers/x`), orphan('x', { WHERE: `${identity.dataRoot}/x` })]) {
    try {
      await until(
        'the process to lead a group',
        () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[4] === `${pid}`,
      );
      expect(sees(identity, pid)).toBe(true);
    } finally {
      endGroup(pid);
    }
  }
  await expectNoLeaks(identity, { engine: engine.pid, table: '' });
});

test('a mount in a namespace of its own is seen', async () => {
  const holder = Bun.spawn(
    [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs tmpfs ${identity.execRoot}/runtime && echo done && exec sleep 1000`,
    ],
    { stdout: 'pipe' },
  );
  await holder.stdout.getReader().read();
  expect(kinds()).toContain('mount');
  holder.kill();
  await holder.exited;
  await expectNoLeaks(identity, { engine: engine.pid, table: '' });
});

test('an interface, an nftables element, a cgroup, files, a socket and a row are seen', async () => {
  await runOk(['ip', 'link', 'add', identity.bridge, 'type', 'bridge']);
  await runOk(['ip', 'link', 'add', `vb${identity.number}x`, 'type', 'veth', 'peer', 'name', `vb${identity.number}y`]);
  await runOk(['ip', 'link', 'set', `vb${identity.number}x`, 'master', identity.bridge]);
  expect(kinds()).toEqual(['interface']);
  await runOk(['ip', 'link', 'delete', `vb${identity.number}x`]);
  expect(kinds()).toEqual([]);

  await runOk([
    'nft',
    `add table inet ${identity.table}; add map inet ${identity.table} p { type inet_service : ipv4_addr; }`,
  ]);
  const table = nftables(identity);
  expect(table).not.toBe('');
  expect(findLeaks(identity, { engine: engine.pid, table })).toEqual([]);
  await runOk(['nft', `add element inet ${identity.table} p { 80 : 10.0.0.1 }`]);
  expect(findLeaks(identity, { engine: engine.pid, table }).map((leak) => leak.kind)).toEqual(['nftables']);
  await runOk(['nft', 'delete', 'table', 'inet', identity.table]);

  const hierarchy = (await runOk(['sh', '-c', 'ls -d /sys/fs/cgroup/pids 2>/dev/null || echo /sys/fs/cgroup'])).trim();
  const cgroup = `${hierarchy}${identity.cgroupParent}/container`;
  mkdirSync(cgroup, { recursive: true });
  expect(kinds()).toEqual(['cgroup']);
  await runOk(['rmdir', cgroup]);

  for (const path of [
    `${identity.execRoot}/containers/x`,
    `${identity.dataRoot}/tmp/x`,
    `${identity.dataRoot}/containers/x`,
  ]) {
    writeFileSync(path, '');
    expect(leaks()).toEqual([{ kind: 'file', what: path }]);
    rmSync(path);
  }

  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(`${identity.execRoot}/x.sock`, resolve);
  await promise;
  expect(kinds()).toContain('socket');
  server.close();
  rmSync(`${identity.execRoot}/x.sock`, { force: true });

  database.run("INSERT INTO containers VALUES ('x')");
  expect(kinds()).toEqual(['database']);
  database.run('DELETE FROM containers');
  await expectNoLeaks(identity, { engine: engine.pid, table: '' });
});

test('a host port and a namespace held by the engine are seen', async () => {
  const away = Bun.spawn(['unshare', '--net', 'sh', '-c', 'echo ready; exec sleep 1000'], { stdout: 'pipe' });
  await away.stdout.getReader().read();
  const script = `import os, socket, time
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
namespace = os.open("/proc/${away.pid}/ns/net", os.O_RDONLY)
print("ready", flush=True); time.sleep(1000)`;
  const holder = Bun.spawn(['python3', '-c', script], { stdout: 'pipe' });
  await holder.stdout.getReader().read();
  const found = findLeaks(identity, { engine: holder.pid, table: '' }).map((leak) => leak.kind);
  for (const child of [holder, away]) {
    child.kill();
    await child.exited;
  }
  expect(found).toEqual(expect.arrayContaining(['namespace', 'port']));
});

test('another engine with a longer name is not ours', () => {
  const one = identityOf(1);
  const twelve = identityOf(12);
  expect(twelve.dataRoot.startsWith(one.dataRoot)).toBe(true);
  const pid = orphan(twelve.execRoot);
  try {
    expect(sees(one, pid)).toBe(false);
    expect(sees(twelve, pid)).toBe(true);
  } finally {
    endGroup(pid);
  }
});
