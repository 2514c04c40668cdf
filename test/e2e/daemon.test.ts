/** The engine as a service: its configuration, reload, TLS, metrics. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SystemInfo } from '../../src/api/types/system.ts';
import { certificateFolder } from '../support/certificate.ts';
import { run } from '../support/command.ts';
import { dockerClient } from '../support/docker-client.ts';
import { program, startEngine, type TestEngine } from '../support/engine.ts';
import type { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-daemon-'));
const certificates = mkdtempSync(join(tmpdir(), 'berth-tls-'));
let engine: TestEngine;

beforeAll(async () => {
  certificateFolder(certificates, 'IP:127.0.0.1', 'DNS:localhost');
  engine = await startEngine({
    images: ['busybox'],
    flags: [
      ...['-H', 'tcp://127.0.0.1:0', '--tlsverify', '--tlscacert', join(certificates, 'ca.pem')],
      ...['--tlscert', join(certificates, 'server.pem'), '--tlskey', join(certificates, 'server-key.pem')],
      ...['--metrics-addr', '127.0.0.1:0', '--log-format', 'json'],
    ],
    config: { labels: ['place=here'], 'default-ulimits': { nofile: { Name: 'nofile', Soft: 1000, Hard: 2000 } } },
  });
});
afterAll(async () => {
  await engine.cleanUp();
  rmSync(folder, { recursive: true });
  rmSync(certificates, { recursive: true });
});

/** Of a container's first process it is the shim. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Each line of the log is an object. */
function messages(): string[] {
  return engine.log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      if (!line.startsWith('{') || !line.endsWith('}')) throw new Error(`no object: ${line}`);
      return (JSON.parse(line) as { level: string; msg: string; time: string }).msg;
    });
}

/** What the log says that something listens on. */
function address(pattern: RegExp): string {
  return messages()
    .map((message) => pattern.exec(message)?.[1])
    .find((found) => found !== undefined) as string;
}

describe('berth daemon --validate', () => {
  async function validate(config: string, ...flags: string[]) {
    const file = join(folder, 'daemon.json');
    writeFileSync(file, config);
    return await run([...program(), 'daemon', '--validate', '--config-file', file, ...flags]);
  }

  test('a good file', async () => {
    expect(await validate('{"debug":true}')).toEqual({ code: 0, stdout: '', stderr: 'configuration OK\n' });
  });

  test.each([
    ['{"bip":"bogus"}', 'invalid --bip: bogus\n'],
    ['{"bip":"10.0.0.0/16"}', 'invalid --bip: 10.0.0.0/16 is no address of a host\n'],
    [
      '{"bip":"10.0.0.1/16","fixed-cidr":"10.1.0.0/24"}',
      "--fixed-cidr 10.1.0.0/24 is not inside of the bridge's 10.0.0.0/16\n",
    ],
    ['{"default-gateway":"bogus"}', 'invalid --default-gateway: bogus\n'],
    ['{"ip":"bogus"}', 'invalid argument "bogus" for "--ip" flag: bogus is not an ip address\n'],
    ['{"default-address-pools":[{"base":"bogus","size":24}]}', 'invalid default address pool: base bogus, size 24\n'],
    ['{"default-runtime":"nosuch"}', "specified default runtime 'nosuch' does not exist\n"],
    [
      '{"seccomp-profile":"/nosuch"}',
      'opening seccomp profile (/nosuch) failed: open /nosuch: no such file or directory\n',
    ],
  ])('%s, which would stop the start', async (config, stderr) => {
    expect(await validate(config)).toEqual({ code: 1, stdout: '', stderr });
  });

  test('a bad one, in the words of dockerd', async () => {
    const { code, stderr } = await validate('{"debug":true}', '--debug');
    expect(code).toBe(1);
    expect(stderr).toBe(
      `unable to configure the Docker daemon with file ${folder}/daemon.json: the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: true)\n`,
    );
    expect((await validate('{"tlsverify":true}', '--tlscert=/no', '--tlskey=/no')).stderr).toStartWith(
      'invalid TLS configuration: Could not load X509 key pair (cert: "/no", key: "/no"): open /no: no such file or directory\n',
    );
  });
});

test('ulimits of the configuration reach containers', async () => {
  expect(await engine.ok('run', '--rm', 'busybox', 'sh', '-c', 'ulimit -Sn; ulimit -Hn')).toBe('1000\n2000');
});

test('the collector reckons with little memory, and no program that the engine starts hears of it', async () => {
  const environment = (pid: number): string => readFileSync(`/proc/${pid}/environ`, 'latin1');
  expect(environment(engine.pid)).toContain('BUN_JSC_forceRAMSize=');
  await engine.ok('run', '-d', '--name', 'poor', '--network', 'none', 'busybox', 'sleep', '1000');
  const pid = Number(await engine.ok('inspect', '-f', '{{.State.Pid}}', 'poor'));
  expect(environment(parentOf(pid))).not.toContain('BUN_JSC');
  await engine.ok('rm', '-f', 'poor');
});

test('version and info tell which runtime runs the containers', async () => {
  const [runtime = ''] = (await engine.ok('info', '--format', '{{.DefaultRuntime}}')).split('\n');
  const { stdout } = await run([runtime, '--version']);
  const [, version] = /version (\S+)/.exec(stdout) as RegExpExecArray;
  const [, commit] = /^commit: (\S+)/m.exec(stdout) as RegExpExecArray;
  for (const client of [engine.berth.bind(engine), engine.docker.bind(engine)]) {
    const shown = await client('version', '--format', '{{range .Server.Components}}{{.Name}} {{.Version}};{{end}}');
    expect(shown.stdout).toContain(`${runtime} ${version};`);
    expect((await client('info', '--format', '{{.RuncCommit.ID}}')).stdout).toBe(`${commit}\n`);
  }
});

describe('reload by SIGHUP', () => {
  const file = (): string => join(engine.identity.notes, 'daemon.json');

  async function reload(config: object, message: string): Promise<void> {
    const before = messages().length;
    writeFileSync(file(), JSON.stringify(config));
    process.kill(engine.pid, 'SIGHUP');
    await until(`the log to say: ${message}`, () =>
      messages()
        .slice(before)
        .some((line) => line.includes(message)),
    );
  }

  async function info(): Promise<SystemInfo> {
    return (await (await engine.request('GET', '/info')).json()) as SystemInfo;
  }

  test('what may change changes, and an event tells', async () => {
    const original = JSON.parse(readFileSync(file(), 'utf8')) as object;
    const since = String(Date.now() / 1000);
    await reload(
      {
        ...original,
        labels: ['place=there'],
        debug: true,
        'registry-mirrors': ['https://mirror.example/'],
        'insecure-registries': ['plain.example:5000'],
        runtimes: { mine: { path: '/bin/true' } },
        'max-concurrent-downloads': 7,
        mtu: 1400,
      },
      'the configuration was taken over',
    );
    expect(await info()).toMatchObject({
      Labels: ['place=there'],
      Debug: true,
      Runtimes: { mine: { path: '/bin/true' } },
      RegistryConfig: {
        Mirrors: ['https://mirror.example/'],
        IndexConfigs: { 'plain.example:5000': { Secure: false } },
      },
    });
    expect(messages().some((line) => line.startsWith('mtu has changed'))).toBe(true);
    const events = await engine.ok('events', '--since', since, '--until', '0s', '--format', 'json');
    const event = JSON.parse(events.split('\n').find((line) => line.includes('"reload"')) as string);
    expect(event).toMatchObject({
      Type: 'daemon',
      Action: 'reload',
      Actor: {
        ID: (await info()).ID,
        Attributes: { debug: 'true', labels: '["place=there"]', 'max-concurrent-downloads': '7' },
      },
    });
    const attributes = Object.keys(event.Actor.Attributes);
    // Those of dockerd 28.5.
    for (const name of ['name', 'default-runtime', 'runtimes', 'features', 'live-restore', 'shutdown-timeout'])
      expect(attributes).toContain(name);
    await reload(original, 'the configuration was taken over');
    expect(await info()).toMatchObject({ Labels: ['place=here'], Debug: false });
  });

  test('a file that does not fit changes nothing', async () => {
    const original = readFileSync(file(), 'utf8');
    try {
      await reload({ labels: ['a=1'], nosuch: true }, "don't match any configuration option: nosuch");
      await reload({ labels: ['a=1'], 'default-runtime': 'nosuch' }, "default runtime 'nosuch' does not exist");
      await reload({ labels: ['a=1'], 'registry-mirrors': ['x'] }, 'invalid mirror');
      expect((await info()).Labels).toEqual(['place=here']);
    } finally {
      writeFileSync(file(), original);
    }
  });
});

describe('TLS', () => {
  const host = (): string => address(/^API listen on (tcp:.*)/);
  const flags = (): string[] => [
    ...['-H', host(), '--tlsverify', '--tlscacert', join(certificates, 'ca.pem')],
    ...['--tlscert', join(certificates, 'cert.pem'), '--tlskey', join(certificates, 'key.pem')],
  ];
  const clean = { DOCKER_HOST: undefined, BERTH_HOST: undefined, DOCKER_CONFIG: folder, DOCKER_CONTEXT: undefined };
  const clients: [name: string, command: () => string[]][] = [
    ['berth', () => program()],
    ['docker', () => [dockerClient()]],
  ];
  /** Longer than any buffer on the way. */
  const much = 'all of this comes back\n'.repeat(20_000);

  test.each(clients)('%s: run with input, its end and all of the output', async (_name, command) => {
    const call = [...command(), ...flags(), 'run', '-i', '--rm', 'busybox', 'cat'];
    const { code, stdout } = await run(call, { env: clean, stdin: much });
    expect(code).toBe(0);
    expect(stdout === much).toBe(true);
  });

  test.each(clients)('%s: exec, by the variables of the environment', async (name, command) => {
    await engine.ok('run', '-d', '--name', `tls-${name}`, 'busybox', 'sleep', '1000');
    const env = { ...clean, DOCKER_HOST: host(), DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates };
    const call = [...command(), 'exec', '-i', `tls-${name}`, 'sh', '-c', 'cat; exit 7'];
    expect(await run(call, { env, stdin: 'hello' })).toEqual({ code: 7, stdout: 'hello', stderr: '' });
    await engine.ok('rm', '-f', '-t', '0', `tls-${name}`).catch(() => engine.ok('rm', '-f', `tls-${name}`));
  });

  test.each(clients)('%s: by a context with its own files', async (name, command) => {
    const files = `ca=${certificates}/ca.pem,cert=${certificates}/cert.pem,key=${certificates}/key.pem`;
    const context = `far-${name}`;
    const make = [...command(), 'context', 'create', context, '--docker', `host=${host()},${files}`];
    expect((await run(make, { env: clean })).stdout).toBe(`${context}\n`);
    // Either client reads what the other one wrote.
    for (const [, other] of clients) {
      const version = await run([...other(), '-c', context, 'version', '-f', '{{.Server.Version}}'], { env: clean });
      expect(version).toMatchObject({ code: 0, stdout: '28.5.2\n' });
    }
  });

  test('curl', async () => {
    const url = `${host().replace('tcp', 'https')}/_ping`;
    const own = ['--cert', join(certificates, 'cert.pem'), '--key', join(certificates, 'key.pem')];
    expect((await run(['curl', '-s', '--cacert', join(certificates, 'ca.pem'), ...own, url])).stdout).toBe('OK');
    expect((await run(['curl', '-s', '--cacert', join(certificates, 'ca.pem'), url])).stdout).toBe('');
    expect((await run(['curl', '-s', url.replace('https', 'http')])).stdout).toBe('');
  });

  test.each(clients)(
    '%s: who is nobody stays out, and an engine that is not the one is not believed',
    async (_n, command) => {
      const stranger = await run([...command(), '-H', host(), '--tls', 'version'], { env: clean });
      expect(stranger.code).toBe(1);
      const doubtful = mkdtempSync(join(tmpdir(), 'berth-tls-'));
      certificateFolder(doubtful, 'DNS:other');
      const env = { ...clean, DOCKER_HOST: host(), DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: doubtful };
      const { code, stderr } = await run([...command(), 'ps'], { env });
      rmSync(doubtful, { recursive: true });
      expect(code).toBe(1);
      expect(stderr).toMatch(/certificate/);
    },
  );
});

test('a socket that a service manager opened is served beside the others, and no container inherits it', async () => {
  const socket = join(folder, 'activated.sock');
  // What systemd does (sd_listen_fds(3)): descriptor 3, its count, and for whom it is.
  const activate = `use Socket; use POSIX; $^F = 3; socket(S, AF_UNIX, SOCK_STREAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die;
    listen(S, 5) or die; POSIX::dup2(fileno(S), 3) if fileno(S) != 3; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$; exec @ARGV[1..$#ARGV];`;
  const place = { prefix: ['perl', '-e', activate, socket] } as unknown as Machine;
  const activated = await startEngine({ images: ['busybox'], machine: place });
  try {
    expect(activated.log).toContain('API listen on fd://');
    await activated.ok('run', '-d', '--name', 'heir', '--network', 'none', 'busybox', 'sleep', '1000');
    const answer = await fetch('http://engine/containers/heir/json', { unix: socket });
    const { State } = (await answer.json()) as { State: { Pid: number } };
    const inode = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .find((line) => line.includes(' 00010000 ') && line.endsWith(` ${socket}`))
      ?.split(/\s+/)[6];
    for (const pid of [State.Pid, parentOf(State.Pid)])
      for (const fd of readdirSync(`/proc/${pid}/fd`))
        expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).not.toBe(`socket:[${inode}]`);
  } finally {
    await activated.cleanUp();
  }
});

test('metrics, under the names of dockerd', async () => {
  const { stdout } = await engine.berth('run', '--rm', 'busybox', 'true');
  expect(stdout).toBe('');
  const answer = await fetch(address(/^metrics listen on (http:.*)/));
  expect(answer.headers.get('content-type')).toStartWith('text/plain');
  const text = await answer.text();
  expect(text).toMatch(/^engine_daemon_container_actions_seconds_count\{action="start"\} [1-9]/m);
  expect(text).toContain('engine_daemon_container_states_containers{state="running"} 0\n');
  expect(text).toMatch(/^engine_daemon_events_total [1-9]/m);
  expect(text).toMatch(/^engine_daemon_engine_memory_bytes \d+$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  // Every sample belongs to a family that is described.
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const name = /^([a-z_]+?)(_bucket|_sum|_count)?[ {]/.exec(line)?.[1];
    expect(text).toContain(`# TYPE ${name} `);
  }
});
