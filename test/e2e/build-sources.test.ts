/** What a build is made of besides a folder: addresses, repositories, named contexts, an agent. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { tar } from '../support/tar.ts';

let engine: TestEngine;
const root = mkdtempSync('/tmp/berth-sources-');
/** Files below `root/www`. */
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const path = join(root, 'www', new URL(request.url).pathname);
    try {
      if (statSync(path).isFile()) return new Response(new Uint8Array(readFileSync(path)));
    } catch {
      // there is no such file
    }
    return new Response('no', { status: 404 });
  },
});
const address = `http://127.0.0.1:${server.port}`;

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(root, { recursive: true });
  await engine.cleanUp();
}, 300_000);

function put(path: string, content: string | Uint8Array): string {
  const place = join(root, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

/** Sends a word to the agent and prints what it answers. */
const askAgent = `
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", getenv("SSH_AUTH_SOCK"));
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  char answer[100];
  if (write(fd, "question", 8) != 8) return 2;
  ssize_t length = read(fd, answer, sizeof answer);
  return length > 0 && fwrite(answer, 1, (size_t)length, stdout) == (size_t)length ? 0 : 3;
}
`;

/** Without settings of this machine. */
function git(directory: string, ...words: string[]): void {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main'];
  const { exitCode, stderr } = Bun.spawnSync(['git', ...identity, ...words], { cwd: directory, env });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

test('ADD of an address, with and without its digest', async () => {
  put('www/file.txt', 'from afar');
  const digest = createHash('sha256').update('from afar').digest('hex');
  const context = dirname(
    put(
      'add/Dockerfile',
      `FROM busybox\nADD ${address}/file.txt /x/\nADD --checksum=sha256:${digest} ${address}/file.txt /y\nRUN test "$(cat /x/file.txt)" = "from afar" && test "$(stat -c %a /y)" = 600`,
    ),
  );
  await engine.ok('build', '-q', context);
  put('add/Dockerfile', `FROM busybox\nADD --checksum=sha256:${'0'.repeat(64)} ${address}/file.txt /y`);
  expect((await engine.berth('build', context)).stderr).toContain('digest mismatch');
  put('add/Dockerfile', `FROM busybox\nADD ${address}/nothing /y`);
  expect((await engine.berth('build', context)).stderr).toContain('invalid response status 404');
});

test('a repository as context and as source of ADD', async () => {
  const work = join(root, 'work');
  mkdirSync(work);
  git(work, 'init', '--quiet');
  put('work/Dockerfile', 'FROM busybox\nCOPY f /f\nCMD ["cat", "/f"]');
  put('work/f', 'committed');
  put('work/sub/Dockerfile', 'FROM busybox\nCOPY . /d\nCMD ["ls", "/d"]');
  git(work, 'add', '.');
  git(work, 'commit', '--quiet', '-m', 'one');
  git(work, 'clone', '--quiet', '--bare', '.', join(root, 'www/r.git'));
  git(join(root, 'www/r.git'), 'update-server-info');
  await engine.ok('build', '-q', '-t', 'of-git', `${address}/r.git`);
  expect(await engine.ok('run', '--rm', 'of-git')).toBe('committed');
  await engine.ok('build', '-q', '-t', 'of-git', `${address}/r.git#main:sub`);
  expect(await engine.ok('run', '--rm', 'of-git')).toBe('Dockerfile');
  const context = dirname(
    put('git/Dockerfile', `FROM busybox\nADD ${address}/r.git#main /r\nRUN test -f /r/f && ! test -e /r/.git`),
  );
  await engine.ok('build', '-q', context);
});

test('an archive and a Dockerfile at an address, by both clients', async () => {
  put(
    'www/context.tar',
    tar([
      { name: 'Dockerfile', content: 'FROM busybox\nCOPY f /f' },
      { name: 'f', content: 'packed' },
    ]),
  );
  put('www/Dockerfile', 'FROM busybox\nENV a=b');
  await engine.ok('build', '-q', '-t', 'of-archive', `${address}/context.tar`);
  expect(await engine.ok('run', '--rm', 'of-archive', 'cat', '/f')).toBe('packed');
  const result = await engine.dockerWith(
    { env: { DOCKER_BUILDKIT: '0' } },
    'build',
    '-t',
    'of-text',
    `${address}/Dockerfile`,
  );
  expect(result.code === 0 ? '' : result.stderr).toBe('');
  expect(await engine.ok('run', '--rm', 'of-text', 'sh', '-c', 'echo $a')).toBe('b');
});

test('named contexts: a folder, a stage in place of an image', async () => {
  const other = dirname(put('other/f', 'of the other folder'));
  const context = dirname(
    put(
      'named/Dockerfile',
      'FROM busybox\nCOPY --from=extra f /f\nRUN --mount=from=extra,target=/e test -f /e/f\nCMD ["cat", "/f"]',
    ),
  );
  await engine.ok('build', '-q', '-t', 'named', '--build-context', `extra=${other}`, context);
  expect(await engine.ok('run', '--rm', 'named')).toBe('of the other folder');
});

test('only what has changed travels', async () => {
  const context = dirname(put('travel/Dockerfile', 'FROM busybox\nCOPY . /c'));
  put('travel/big', new Uint8Array(3_000_000));
  put('travel/small', '1');
  const transferred = async (): Promise<string> => {
    const { stderr } = await engine.berth('build', '--progress', 'plain', context);
    return /transferring context: (\S+)/.exec(stderr)?.[1] ?? 'nothing';
  };
  expect(await transferred()).toBe('3.00MB');
  expect(await transferred()).toBe('nothing');
  put('travel/small', '22');
  expect(await transferred()).toBe('2B');
});

test('an agent of the client is reached by a step, and only by it', async () => {
  const socket = join(root, 'agent');
  const agent = createServer((connection) => {
    connection.on('data', (bytes) => connection.end(`agent got ${bytes}`));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  agent.listen(socket, resolve);
  await promise;
  const context = dirname(
    put(
      'ssh/Dockerfile',
      'FROM busybox\nCOPY ask /ask\nRUN --mount=type=ssh /ask > /said\nRUN test -z "$SSH_AUTH_SOCK"\nCMD ["cat", "/said"]',
    ),
  );
  const { exitCode } = Bun.spawnSync(['musl-gcc', '-static', '-o', join(context, 'ask'), put('ask.c', askAgent)]);
  expect(exitCode).toBe(0);
  const result = await engine.berth('build', '-t', 'agent', '--ssh', `default=${socket}`, context);
  agent.close();
  expect(result.code === 0 ? '' : result.stderr).toBe('');
  expect(await engine.ok('run', '--rm', 'agent')).toBe('agent got question');
  put('ssh/Dockerfile', 'FROM busybox\nRUN --mount=type=ssh,required true');
  expect((await engine.berth('build', context)).stderr).toContain('unset ssh forward key default');
});
