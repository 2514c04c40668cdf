/** Programs that use other people's clients, unmodified, from npm and PyPI. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { run } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { nodeProgram, pythonProgram } from '../support/foreign-clients.ts';
import { busyboxLayer, dockerArchive } from '../support/images.ts';

const fetchTime = 180_000;
let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});
afterEach(async () => {
  // What a program that failed half way has left.
  await engine.removeContainers();
  await engine.ok('network', 'prune', '-f');
});
afterAll(() => engine.cleanUp());

async function judge(argv: string[], env: Record<string, string> = {}): Promise<void> {
  const { code, stdout, stderr } = await run(argv, { env: { ...engine.clientEnvironment, ...env } });
  expect(`${stderr}${stdout}`).toEndWith('done\n');
  expect(code).toBe(0);
}

async function left(): Promise<string> {
  return `${await engine.ok('ps', '-a', '--format', '{{.Names}}')}${await engine.ok('volume', 'ls', '-q')}`;
}

test(
  'dockerode',
  async () => {
    await judge(await nodeProgram('dockerode.mjs'));
    expect(await left()).toBe('');
  },
  fetchTime,
);

test(
  'docker-py',
  async () => {
    const { argv, env } = await pythonProgram('docker_py.py');
    await judge(argv, env);
    expect(await left()).toBe('');
  },
  fetchTime,
);

test(
  'testcontainers',
  async () => {
    await judge(await nodeProgram('testcontainers.mjs'), { TESTCONTAINERS_RYUK_DISABLED: 'true' });
    expect(await left()).toBe('');
  },
  fetchTime,
);

test(
  'testcontainers with a reaper, which gets the socket and lives as long as the program',
  async () => {
    // What testcontainers wants of a reaper: it says that it started and answers each line. This one reaps nothing.
    const reaper = [
      'sh',
      '-c',
      'test -S /var/run/docker.sock && echo Started && exec nc -ll -p 8080 -e sh -c "while read line; do echo ACK; done"',
    ];
    const archive = dockerArchive({ tags: ['reaper:one'], layers: [busyboxLayer()], config: { Cmd: reaper } });
    await (await engine.request('POST', '/images/load', archive, { 'content-type': 'application/x-tar' })).text();
    const env = { RYUK_CONTAINER_IMAGE: 'reaper:one', TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE: engine.identity.socket };
    await judge(await nodeProgram('testcontainers.mjs'), env);
    expect(await left()).toMatch(/^testcontainers-ryuk-\w+$/);
  },
  fetchTime,
);
