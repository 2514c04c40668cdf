/** What the command line reads beside its flags: contexts, plugins, config.json, and how it starts the engine. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, run } from '../support/command.ts';
import { demolish } from '../support/demolish.ts';
import { composePlugin, dockerClient } from '../support/docker-client.ts';
import { program, startEngine, type TestEngine } from '../support/engine.ts';
import { claimIdentity, releaseIdentity } from '../support/identity.ts';
import { busyboxArchive } from '../support/images.ts';

let engine: TestEngine;
const folder = mkdtempSync(join(tmpdir(), 'berth-client-'));

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(async () => {
  await engine.cleanUp();
  rmSync(folder, { recursive: true });
});

/** A client without any engine in its environment. */
async function client(name: 'berth' | 'docker', args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const clean = { DOCKER_HOST: undefined, BERTH_HOST: undefined, DOCKER_CONTEXT: undefined, DOCKER_CONFIG: folder };
  const command = name === 'berth' ? program() : [dockerClient()];
  return await run([...command, ...args], { ...options, env: { ...clean, ...options.env } });
}
const berth = (...args: string[]): Promise<CommandResult> => client('berth', args);
const docker = (...args: string[]): Promise<CommandResult> => client('docker', args);

function config(value: object): void {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(value));
}

describe('contexts', () => {
  test('made, chosen, used, shown, removed', async () => {
    expect(
      await berth('context', 'create', 'here', '--description', 'this one', '--docker', `host=${engine.host}`),
    ).toEqual({
      code: 0,
      stdout: 'here\n',
      stderr: 'Successfully created context "here"\n',
    });
    expect(await berth('context', 'use', 'here')).toEqual({
      code: 0,
      stdout: 'here\n',
      stderr: 'Current context is now "here"\n',
    });
    expect((await berth('version', '-f', '{{.Client.Context}} {{.Server.Version}}')).stdout).toBe('here 28.5.2\n');
    expect((await docker('version', '-f', '{{.Client.Context}} {{.Server.Version}}')).stdout).toBe('here 28.5.2\n');
    expect((await berth('context', 'ls', '--format', '{{.Name}} {{.Current}} {{.Description}}')).stdout).toBe(
      'default false Current DOCKER_HOST based configuration\nhere true this one\n',
    );
    const warned = await client('berth', ['context', 'use', 'here'], { env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } });
    expect(warned.stderr).toContain('DOCKER_HOST environment variable overrides the active context.');
    expect((await berth('context', 'rm', 'here')).stderr).toBe(
      'context "here" is in use, set -f flag to force remove\n',
    );
    expect((await berth('context', 'rm', 'nosuch')).stderr).toBe('context "nosuch" does not exist\n');
    expect((await berth('context', 'rm', '-f', 'here')).stdout).toBe('here\n');
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).not.toContain('here');
  });

  test('both clients say the same about what is wrong', async () => {
    for (const words of [
      ['create', 'default'],
      ['create', 'a b'],
      ['create', 'x', '--docker', 'host=bogus'],
    ]) {
      const [ours, theirs] = [await berth('context', ...words), await docker('context', ...words)];
      expect([words, ours]).toEqual([words, theirs]);
    }
    for (const words of [
      ['use', 'nosuch'],
      ['inspect', 'nosuch'],
      ['update', 'nosuch'],
    ])
      expect((await berth('context', ...words)).stderr).toStartWith('context "nosuch": context not found: open ');
  });

  test('exported and imported, from one client to the other', async () => {
    await berth('context', 'create', 'moving', '--docker', `host=${engine.host}`);
    const [ours, theirs] = [join(folder, 'ours.tar'), join(folder, 'theirs.tar')];
    expect((await berth('context', 'export', 'moving', ours)).stderr).toBe(`Written file "${ours}"\n`);
    expect((await berth('context', 'export', 'moving', ours)).stderr).toBe(`open ${ours}: file exists\n`);
    expect((await docker('context', 'import', 'there', ours)).code).toBe(0);
    expect((await docker('context', 'export', 'there', theirs)).code).toBe(0);
    expect((await berth('context', 'import', 'back', theirs)).stderr).toBe('Successfully imported context "back"\n');
    expect((await berth('context', 'import', 'back', theirs)).stderr).toBe('context "back" already exists\n');
    const [a, b] = await Promise.all([berth('context', 'inspect', 'back'), docker('context', 'inspect', 'back')]);
    expect(a).toEqual(b);
    expect((await berth('-c', 'back', 'ps', '-q')).code).toBe(0);
  });

  test('a context that has gone keeps nobody from choosing another', async () => {
    config({ currentContext: 'gone' });
    expect((await berth('ps')).stderr).toStartWith(
      'Failed to initialize: unable to resolve docker endpoint: context "gone": context not found: open ',
    );
    expect(await berth('context', 'use', 'default')).toMatchObject({ code: 0, stdout: 'default\n' });
    expect((await berth('context', 'show')).stdout).toBe('default\n');
  });
});

describe('plugins', () => {
  const plugins = join(folder, 'cli-plugins');
  const host = (): string[] => ['-H', engine.host];

  beforeAll(() => {
    mkdirSync(plugins);
    const metadata =
      '{"SchemaVersion":"0.1.0","Vendor":"Somebody","Version":"v1","ShortDescription":"Says what it got"}';
    const text = `#!/bin/sh\n[ "$1" = docker-cli-plugin-metadata ] && { echo '${metadata}'; exit; }
echo "$@"; echo "$DOCKER_HOST"; [ -n "$DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND" ] && cat; exit 7\n`;
    writeFileSync(join(plugins, 'docker-echo'), text);
    writeFileSync(join(plugins, 'docker-broken'), '#!/bin/sh\nexit 1\n');
    copyFileSync(composePlugin(), join(plugins, 'docker-compose'));
    for (const name of ['echo', 'broken', 'compose']) chmodSync(join(plugins, `docker-${name}`), 0o755);
  });

  test('get the whole command line, our input, and the engine that is meant', async () => {
    const answer = await client('berth', ['--debug', 'echo', 'a', '--b', 'c d'], { stdin: 'input' });
    expect(answer).toEqual({
      code: 7,
      stdout: '--debug echo a --b c d\nunix:///run/berth/berth.sock\ninput',
      stderr: '',
    });
    const named = await client('berth', ['echo'], { env: { BERTH_HOST: 'unix:///other' } });
    expect(named.stdout).toBe('echo\nunix:///other\n');
    config({ aliases: { say: 'echo' } });
    expect((await berth('say', 'x')).stdout).toStartWith('echo x\n');
  });

  test('are in the help and in info', async () => {
    const { stdout } = await berth('--help');
    expect(stdout).toMatch(/^ {2}echo\* +Says what it got$/m);
    expect(stdout).toMatch(/^Invalid Plugins:\n {2}broken +failed to fetch metadata: exit status 1$/m);
    const info = JSON.parse((await berth(...host(), 'info', '--format', 'json')).stdout);
    expect(info.ClientInfo.Plugins).toContainEqual({
      ...{ SchemaVersion: '0.1.0', Vendor: 'Somebody', Version: 'v1', ShortDescription: 'Says what it got' },
      ...{ Name: 'echo', Path: join(plugins, 'docker-echo') },
    });
    expect((await berth('help', 'echo')).stdout).toStartWith('echo --help\n');
    expect((await berth('nosuch')).stderr).toStartWith('berth: unknown command: berth nosuch\n');
  });

  test('an installed docker-compose is `berth compose`', async () => {
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(
      join(project, 'compose.yaml'),
      'services:\n  one:\n    image: busybox\n    command: [sleep, "1000"]\n',
    );
    const up = await client('berth', [...host(), 'compose', 'up', '-d'], { cwd: project });
    expect(up.code).toBe(0);
    expect(
      (await client('berth', [...host(), 'compose', 'ps', '--format', '{{.Name}} {{.State}}'], { cwd: project }))
        .stdout,
    ).toBe('project-one-1 running\n');
    expect((await client('berth', [...host(), 'compose', 'down', '-t', '0'], { cwd: project })).code).toBe(0);
  });
});

describe('config.json', () => {
  const host = (): string[] => ['-H', engine.host];

  test('formats of lists', async () => {
    config({ imagesFormat: '{{.Repository}}!', networksFormat: '{{.Name}}?', psFormat: '{{.Names}}' });
    expect((await berth(...host(), 'images')).stdout).toBe('busybox!\n');
    expect((await berth(...host(), 'network', 'ls', '-f', 'name=host')).stdout).toBe('host?\n');
    expect((await berth(...host(), 'images', '--format', '{{.Tag}}')).stdout).toBe('latest\n');
  });

  test('proxies of containers', async () => {
    config({ proxies: { default: { httpProxy: 'http://proxy:1' } } });
    const script = 'echo $HTTP_PROXY $http_proxy';
    expect((await berth(...host(), 'run', '--rm', 'busybox', 'sh', '-c', script)).stdout).toBe(
      'http://proxy:1 http://proxy:1\n',
    );
    config({});
  });

  test('filters of prune, unless the command line says the opposite', async () => {
    config({ pruneFilters: ['label!=keep'] });
    await engine.ok('create', '--name', 'kept', '--label', 'keep', 'busybox', 'true');
    await engine.ok('create', '--name', 'gone', 'busybox', 'true');
    expect((await berth(...host(), 'container', 'prune', '-f')).code).toBe(0);
    expect(await engine.ok('ps', '-a', '--format', '{{.Names}}')).toBe('kept');
    await berth(...host(), 'container', 'prune', '-f', '--filter', 'label=keep');
    expect(await engine.ok('ps', '-aq')).toBe('');
  });

  test('DOCKER_API_VERSION', async () => {
    const env = { DOCKER_API_VERSION: '1.40' };
    const answer = await client(
      'berth',
      [...host(), 'version', '-f', '{{.Client.APIVersion}} {{.Server.MinAPIVersion}}'],
      {
        env,
      },
    );
    expect(answer.stdout).toBe('1.40 1.24\n');
    const old = await client('berth', [...host(), 'ps'], { env: { DOCKER_API_VERSION: '1.10' } });
    expect(old.stderr).toContain('client version 1.10 is too old');
  });
});

test('HttpHeaders of config.json are on every request', async () => {
  const seen: (string | null)[] = [];
  const socket = join(folder, 'fake.sock');
  const server = Bun.serve({
    unix: socket,
    fetch(request) {
      seen.push(request.headers.get('x-meta-one'));
      return Response.json([]);
    },
  });
  config({ HttpHeaders: { 'X-Meta-One': 'yes' } });
  expect((await berth('-H', `unix://${socket}`, 'ps', '-q')).code).toBe(0);
  config({});
  await server.stop(true);
  expect(seen).toEqual(['yes']);
});

test('system dial-stdio is a connection to the engine, for docker over ssh', async () => {
  const asked = 'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const { code, stdout } = await client('berth', ['-H', engine.host, 'system', 'dial-stdio'], { stdin: asked });
  expect(code).toBe(0);
  expect(stdout).toStartWith('HTTP/1.1 200 OK\r\n');
  expect(stdout).toEndWith('OK');
});

describe('autostart', () => {
  test('root gets an engine where none answers; two at once get the same', async () => {
    const identity = claimIdentity();
    const work = `${identity.dataRoot}.autostart`;
    mkdirSync(work, { recursive: true });
    const { bridge, bip, cgroupParent } = identity;
    const settings = JSON.stringify({ bridge, bip, 'cgroup-parent': cgroupParent });
    // A machine of its own in all but the kernel: what is installed and what runs on this one is not there.
    const script = `set -e
      mkdir -p ${work}/lib ${work}/upper ${work}/work; mount -t tmpfs tmpfs /run; mount --bind ${work}/lib /var/lib
      mount -t overlay -o lowerdir=/etc,upperdir=${work}/upper,workdir=${work}/work overlay /etc
      mkdir -p /etc/berth; echo '${settings}' >/etc/berth/daemon.json; rm -f /etc/systemd/system/berth.service
      BERTH_AUTOSTART=0 berth load -q -i ${busyboxArchive()} 2>&1 | head -n 1
      berth ps 2>&1 | head -n 1
      berth load -q -i ${busyboxArchive()} & berth run --rm --network none hello-world >/dev/null 2>&1 & wait
      berth run --rm --network none busybox echo hi
      engine=$(cat /run/berth.pid); kill $engine; while kill -0 $engine 2>/dev/null; do sleep 0.05; done
      echo '{"nosuch":1}' >/etc/berth/daemon.json; berth run busybox true 2>&1 || :`;
    writeFileSync(join(work, 'berth'), `#!/bin/sh\nexec ${program().join(' ')} "$@"\n`, { mode: 0o755 });
    try {
      const env = {
        ...{ DOCKER_HOST: undefined, BERTH_HOST: undefined, DOCKER_CONTEXT: undefined, DOCKER_CONFIG: folder },
      };
      const path = `${work}:${process.env['PATH']}`;
      const { stdout, stderr } = await run(['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script], {
        env: { ...env, PATH: path },
      });
      const no = 'Cannot connect to the Docker daemon at unix:///run/berth/berth.sock. Is the docker daemon running?';
      const [off, ps, loaded, hi, ...failed] = stdout.split('\n');
      expect([off, ps, loaded, hi, stderr]).toEqual([no, no, 'Loaded image: busybox:latest', 'hi', '']);
      expect(failed.join('\n')).toContain(
        "the engine did not start: unable to configure the Docker daemon with file /etc/berth/daemon.json: the following directives don't match any configuration option: nosuch",
      );
    } finally {
      await demolish(identity);
      rmSync(work, { recursive: true, force: true });
      releaseIdentity(identity);
    }
  });
});

test('service install --root writes the files of a system that does not run', async () => {
  const root = join(folder, 'system');
  expect((await berth('service', 'status', '--root', root)).code).toBe(4);
  expect(
    (await berth('service', 'install', '--root', root, '--docker-socket', '--socket', '--group', 'staff')).code,
  ).toBe(0);
  const unit = readFileSync(join(root, 'etc/systemd/system/berth.service'), 'utf8');
  expect(unit).toMatch(/^ExecStart=\/\S+ .*daemon --group staff$/m);
  expect(unit).toContain('\nKillMode=process\nDelegate=yes\n');
  expect(readFileSync(join(root, 'etc/systemd/system/berth.socket'), 'utf8')).toContain('SocketGroup=staff\n');
  expect(readFileSync(join(root, 'etc/tmpfiles.d/berth.conf'), 'utf8')).toBe(
    'L /run/docker.sock - - - - /run/berth/berth.sock\n',
  );
  const status = JSON.parse((await berth('service', 'status', '--root', root, '--format', 'json')).stdout);
  expect(status).toMatchObject({ installed: true, group: 'staff', socketActivation: true, dockerSocket: true });
  expect((await berth('service', 'uninstall', '--root', root)).code).toBe(0);
  expect((await run(['find', root, '-type', 'f'])).stdout).not.toContain('berth.service');
  expect((await berth('service', 'uninstall', '--root', root)).stderr).toBe('the service is not installed\n');
});

test('doctor: JSON, text, exit status', async () => {
  const { stdout } = await berth('doctor', '--format', 'json');
  const findings = JSON.parse(stdout) as { name: string; state: string }[];
  expect(findings.find(({ name }) => name === 'runtime')).toMatchObject({ state: 'ok' });
  const text = await berth('doctor');
  expect(text.stdout).toMatch(/^ok +runtime +(crun|runc)/m);
  expect(text.code).toBe(findings.some(({ state }) => state === 'broken') ? 1 : 0);
});
