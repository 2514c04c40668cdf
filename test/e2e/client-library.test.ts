/** The client library as its users have it: the package, its types, and every example, under Bun and under Node 22. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runOk } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { node22 } from '../support/foreign-clients.ts';
import { repository } from '../support/repository.ts';

const examples = join(repository, 'examples/client');
const said: Record<string, string> = {
  'exec-and-files.ts': 'apple, pear\nexit code 0\npasswd: true\nroot:x:0:0:root:/root:/bin/sh\n',
  'follow-logs.ts': 'enough\n',
  'images.ts':
    'true, runs sh\nLoaded image: example/images:one\n0\nnot-found, 404: No such image: example/nosuch:latest\nno registry: internal\n',
  'networks-and-volumes.ts': "API 1\n[ 'example-server' ]\nby name: 0\nstill there: 0\n",
  'run.ts': 'stdout: hello world\nstderr: bye world\nexit code 3\n',
  'watch.ts': '1 process, some memory: true\ncreate\nstart\ndie\ndestroy\n',
};

let engine: TestEngine;
let folder: string;
let node: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-client-library-'));
  // A project that has the package as npm would put it there.
  const installed = join(folder, 'node_modules/berth');
  mkdirSync(join(installed, 'dist'), { recursive: true });
  cpSync(join(repository, 'package.json'), join(installed, 'package.json'));
  await runOk([join(repository, 'scripts/build-client'), join(installed, 'dist/client')]);
  cpSync(examples, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  [engine, node] = await Promise.all([startEngine({ images: ['busybox'] }), node22()]);
}, 300_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

test('every example is known here', () => {
  expect(readdirSync(examples).sort()).toEqual(Object.keys(said));
});

test('the types are those of the source', async () => {
  cpSync(join(repository, 'node_modules/@types'), join(folder, 'node_modules/@types'), { recursive: true });
  const options = ['--noEmit', '--strict', '--module', 'NodeNext', '--target', 'ESNext', '--types', 'node'];
  const compiler = join(repository, 'node_modules/.bin/tsc');
  await runOk([compiler, ...options, ...Object.keys(said)], { cwd: folder });
});

describe.each(Object.entries(said))('%s', (name, expected) => {
  test('under Bun', async () => {
    const result = await run([process.execPath, join(examples, name)], { env: engine.clientEnvironment });
    expect(result).toEqual({
      code: 0,
      stdout: expected.replace("[ 'example-server' ]", '[ "example-server" ]'),
      stderr: '',
    });
  });

  test('under Node 22', async () => {
    const result = await run([node, '--disable-warning=ExperimentalWarning', name], {
      cwd: folder,
      env: engine.clientEnvironment,
    });
    expect(result).toEqual({ code: 0, stdout: expected, stderr: '' });
  });
});
