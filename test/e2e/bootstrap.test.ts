/** Base images out of the host's own packages, and what works inside them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.cleanUp());

const left = (): string[] => readdirSync(join(engine.identity.dataRoot, 'tmp'));
const inspect = async (name: string) =>
  (await (await engine.request('GET', `/images/${name}/json`)).json()) as {
    Id: string;
    Config: { Cmd: string[]; Env: string[] };
    RepoTags: string[];
  };

test('busybox: the same image each time, and it works', async () => {
  const output = await engine.ok('image', 'bootstrap', 'busybox');
  expect(output).toContain('Status: Bootstrapped image for busybox:latest');
  const { Id, Config } = await inspect('busybox');
  expect(Config).toMatchObject({ Cmd: ['sh'], Env: [expect.stringContaining('PATH=')] });
  await engine.ok('image', 'bootstrap', 'busybox:latest');
  expect((await inspect('busybox')).Id).toBe(Id);
  const shell = ['run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', 'id -un; ls -ld /tmp; which sed'];
  const lines = (await engine.ok(...shell)).split('\n');
  expect(lines).toEqual(['root', expect.stringMatching(/^drwxrwxrwt/), '/bin/sed']);
  await until('its files to be gone', () => left().length === 0);
});

test('hello-world is built in, and says so', async () => {
  const { code, stdout, stderr } = await engine.docker('run', '--rm', '--network', 'none', 'hello-world');
  expect([code, stdout.includes('Hello from Berth!')]).toEqual([0, true]);
  expect(stderr).toContain('Using the hello-world that comes with Berth');
});

test('an unknown name, and a suite that no mirror has', async () => {
  const unknown = await engine.berth('image', 'bootstrap', 'alpine');
  expect(unknown.stderr).toContain('no way to bootstrap "alpine"');
  const absent = await engine.berth('image', 'bootstrap', 'debian:nosuchsuite');
  expect(absent.code).toBe(1);
  expect(absent.stderr + absent.stdout).toContain('debian:nosuchsuite cannot be made: No such script');
  await until('its files to be gone', () => left().length === 0);
});

test('a client that leaves ends the work, with everything that runs for it', async () => {
  const mark = engine.identity.dataRoot;
  const working = (): boolean =>
    readdirSync('/proc').some(
      (pid) => /^\d+$/.test(pid) && commandLine(pid).match(/debootstrap/) && commandLine(pid).includes(mark),
    );
  const client = engine.spawn('berth', 'image', 'bootstrap', 'debian');
  await until('debootstrap to run', working);
  await client.kill();
  await until('debootstrap to be gone', () => !working());
  await until('its files to be gone', () => left().length === 0);
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

test('debian: apt works, and nothing of this machine is in it', async () => {
  await engine.ok('image', 'bootstrap', 'debian');
  const { RepoTags, Config } = await inspect('debian');
  expect(RepoTags).toHaveLength(2);
  expect(RepoTags).toEqual(
    expect.arrayContaining(['debian:latest', expect.stringMatching(/^debian:(?!latest$)[a-z]+$/)]),
  );
  expect(Config.Cmd).toEqual(['bash']);
  const inside = async (script: string) =>
    await engine.ok('run', '--rm', '--network', 'host', 'debian', 'sh', '-c', script);
  expect(await inside('cat /etc/os-release')).toContain('ID=debian');
  const layers = join(engine.identity.dataRoot, 'layers');
  const etc = readdirSync(layers)
    .map((name) => join(layers, name, 'diff', 'etc'))
    .find((path) => existsSync(join(path, 'debian_version'))) as string;
  const machine = ['hostname', 'resolv.conf', 'machine-id'].map((name) => join(etc, name));
  expect(machine.filter((path) => existsSync(path) && readFileSync(path, 'utf8') !== '')).toEqual([]);
  expect(await inside('find /var/lib/apt/lists /var/log /tmp -type f')).toBe('');
  const installed = await inside(
    'apt-get update -q >/dev/null && apt-get install -qy --no-install-recommends hello >/dev/null && hello',
  );
  expect(installed).toBe('Hello, world!');
  await until('its files to be gone', () => left().length === 0);
}, 300_000);
