/** Programs that people put on networks: nginx before Flask, a server of UDP and TCP; and other engines on the same host. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/command.ts';
import { dockerdFolders, nginx, pythonWithFlask } from '../support/debian-programs.ts';
import { dockerClient } from '../support/docker-client.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { busyboxArchive } from '../support/images.ts';
import { answerOf, ask, askUdp, Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

let host: Machine;
let engine: TestEngine;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-web-'));
  host = await Machine.start();
  engine = await startEngine({ images: ['busybox'], machine: host });
}, 300_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
  await host.stop();
});

type Run = (...args: string[]) => Promise<string>;

const clients: [string, Run][] = [
  ['berth', (...args) => engine.ok(...args)],
  [
    'docker',
    async (...args) => {
      const { code, stdout, stderr } = await engine.docker(...args);
      if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
      return stdout.trim();
    },
  ],
];

const application = `
import os, flask
application = flask.Flask('shop')
@application.route('/')
def root():
    return os.environ['HOSTNAME'] + '\\n'
application.run(host='0.0.0.0', port=5000)
`;

const proxy = `
daemon off; pid /tmp/pid; error_log /dev/stderr; user root;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  upstream back { server back1:5000; server back2:5000; }
  server { listen 80; location / { proxy_pass http://back; } }
}
`;

describe.each(clients)('with %s', (_name, client) => {
  test('nginx finds two Flask back ends by their names, also after the engine’s death', async () => {
    const python = pythonWithFlask();
    const server = nginx();
    writeFileSync(join(folder, 'application.py'), application);
    writeFileSync(join(folder, 'nginx.conf'), proxy);
    await client('network', 'create', 'shop');
    const common = ['run', '-d', '--network', 'shop', '-v', `${folder}:/shop:ro`];
    for (const name of ['back1', 'back2'])
      await client(
        ...common,
        '--name',
        name,
        '-h',
        name,
        ...python.flags,
        'busybox',
        python.path,
        '/shop/application.py',
      );
    const front = ['--name', 'front', '-p', '8080:80', ...server.flags];
    await client(...common, ...front, 'busybox', server.path, '-p', '/tmp', '-c', '/shop/nginx.conf');
    const bothAnswer = async (): Promise<boolean> => {
      const answers = new Set<string>();
      for (let question = 0; question < 6; question++) answers.add(await ask(host, 'http://127.0.0.1:8080/'));
      return answers.has('back1\n') && answers.has('back2\n');
    };
    await until('both back ends to answer', bothAnswer);
    await engine.kill9();
    expect(await bothAnswer()).toBe(true);
    await engine.start();
    expect(await bothAnswer()).toBe(true);
    await client('rm', '-f', 'front', 'back1', 'back2');
    await client('network', 'rm', 'shop');
  }, 300_000);

  test('a server of UDP and TCP has both ports, each with the same number', async () => {
    const program = `
import http.server, socketserver, threading
class Echo(socketserver.BaseRequestHandler):
    def handle(self): self.request[1].sendto(self.request[0], self.client_address)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'tcp\\n')
threading.Thread(target=socketserver.UDPServer(('', 9000), Echo).serve_forever).start()
http.server.HTTPServer(('', 9000), Page).serve_forever()
`;
    const python = pythonWithFlask();
    const flags = ['--name', 'both', '-p', '9000:9000', '-p', '9000:9000/udp', ...python.flags];
    await client('run', '-d', ...flags, 'busybox', python.path, '-c', program);
    expect(await answerOf(host, 'http://127.0.0.1:9000/')).toBe('tcp\n');
    expect(await until('an echo', () => askUdp(host, '127.0.0.1', 9000, 'udp'))).toBe('udp');
    const shown = (await client('port', 'both')).split('\n').sort();
    expect(shown).toContain('9000/tcp -> 0.0.0.0:9000');
    expect(shown).toContain('9000/udp -> 0.0.0.0:9000');
    await client('rm', '-f', 'both');
  });
});

/** dockerd in the same network, with roots of its own. */
class Dockerd {
  readonly #directory = mkdtempSync(join(tmpdir(), 'berth-dockerd-'));
  readonly #process: Bun.Subprocess;

  constructor() {
    const path = `${dockerdFolders().join(':')}:${process.env['PATH']}`;
    const roots = ['--data-root', `${this.#directory}/data`, '--exec-root', `${this.#directory}/run`];
    const flags = ['-H', this.host, ...roots, '-p', `${this.#directory}/pid`, '--storage-driver', 'vfs'];
    mkdirSync(`${this.#directory}/run`);
    this.#process = Bun.spawn([...host.prefix, 'dockerd', ...flags, '--cgroup-parent', '/berth-test-dockerd'], {
      env: { ...process.env, PATH: path },
      stdout: Bun.file(`${this.#directory}/log`),
      stderr: Bun.file(`${this.#directory}/errors`),
    });
  }

  get host(): string {
    return `unix://${this.#directory}/socket`;
  }

  async command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run([dockerClient(), '-H', this.host, ...args]);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}${await this.#log()}`);
    return stdout.trim();
  }

  async answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`dockerd ended\n${await this.#log()}`);
    return (await run([dockerClient(), '-H', this.host, 'version'])).code === 0;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#process.exited;
    // Where mounts of the root are private it mounts its own root, and leaves that.
    await run(['umount', '-l', join(this.#directory, 'data')]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #log(): Promise<string> {
    return (await Bun.file(`${this.#directory}/errors`).text()).slice(-2000);
  }
}

test('two engines and a dockerd live side by side', async () => {
  const other = await startEngine({ images: ['busybox'], machine: host });
  const docker = new Dockerd();
  try {
    await until('dockerd to answer', () => docker.answers());
    await docker.command('load', '-q', '-i', busyboxArchive());
    const all: [string, Run][] = [
      ['one', (...args) => engine.ok(...args)],
      ['two', (...args) => other.ok(...args)],
      ['dockerd', (...args) => docker.command(...args)],
    ];
    const server = 'mkdir /w; hostname >/w/index.html; exec httpd -f -p 80 -h /w';
    for (const [index, [name, command]] of all.entries()) {
      await command('network', 'create', 'shared-name');
      const flags = ['-d', '--name', 'server', '-h', name, '--network', 'shared-name', '-p', `${8100 + index}:80`];
      await command('run', ...flags, 'busybox', 'sh', '-c', server);
    }
    const eachAnswers = async (): Promise<void> => {
      for (const [index, [name, command]] of all.entries()) {
        expect(await answerOf(host, `http://127.0.0.1:${8100 + index}/`)).toBe(`${name}\n`);
        const asked = ['run', '--rm', '--network', 'shared-name', 'busybox', 'wget', '-q', '-O-', 'http://server/'];
        expect((await command(...asked)).trim()).toBe(name);
      }
    };
    await eachAnswers();
    // Nobody takes what another one has.
    const taken = await engine.berth('run', '--rm', '-p', '8102:80', 'busybox', 'true');
    expect(taken.stderr).toContain('address already in use');
    await engine.kill9();
    await eachAnswersWithout(all[0] as [string, Run]);
    await engine.start();
    await other.restart();
    await eachAnswers();
    async function eachAnswersWithout([dead]: [string, Run]): Promise<void> {
      for (const [index, [name]] of all.entries())
        expect(await answerOf(host, `http://127.0.0.1:${8100 + index}/`)).toBe(`${name}\n`);
      expect(dead).toBe('one');
    }
    for (const [, command] of all) {
      await command('rm', '-f', 'server');
      await command('network', 'rm', 'shared-name');
    }
  } finally {
    await docker.stop();
    await other.cleanUp();
  }
}, 300_000);
