/**
 * docker-py's own integration tests, out of its source package on PyPI, against a real engine: everything but swarm, its
 * services, secrets, configs and nodes, and plugins. What fails stands in expected-failures.txt with its reason.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../support/command.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { dockerPySuite } from '../../support/foreign-clients.ts';
import { imageFixture } from '../../support/image-fixture.ts';
import { busyboxLayer } from '../../support/images.ts';
import { TestRegistry } from '../../support/registry.ts';
import { tar } from '../../support/tar.ts';

/** The version that the suite is written for and run with by its authors. */
const apiVersion = '1.41';
/** Swarm and plugins. */
const elsewhere = /_(config|secret|service|services|swarm|node|nodes|plugin)_test\.py$/;

let hub: TestRegistry;
let engine: TestEngine;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'docker-py-'));
  writeFileSync(join(home, 'config.json'), '{}');
  // Docker Hub, as far as the suite asks it: what it needs of alpine is in busybox, but for a user and a folder.
  hub = await TestRegistry.start();
  const alpine = imageFixture({
    tars: [
      busyboxLayer(),
      tar([
        {
          name: 'etc/passwd',
          content: 'root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n',
        },
        { name: 'var/opt', type: '5' },
      ]),
    ],
    defaults: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
  });
  hub.add('library/hello-world', 'latest', imageFixture());
  const names = ['alpine:3.10', 'alpine:latest', 'busybox:latest'];
  for (const name of names) hub.add(`library/${name.split(':')[0]}`, name.split(':')[1] ?? '', alpine);
  engine = await startEngine({ config: { 'registry-mirrors': [hub.url] } });
  for (const name of names) await engine.ok('pull', '-q', name);
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await hub?.stop();
  if (!engine) return;
  await engine.ok('network', 'prune', '-f');
  await engine.ok('volume', 'prune', '-af');
  await engine.cleanUp();
});

/** Names of tests that must fail, and of those that may. */
function expectedFailures(): { certain: string[]; chance: string[] } {
  const lines = readFileSync(join(import.meta.dir, 'expected-failures.txt'), 'utf8').split('\n');
  const entries = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(' '));
  return {
    certain: entries.flatMap(([first]) => (first && first !== '?' ? [first] : [])),
    chance: entries.flatMap(([first, second]) => (first === '?' && second ? [second] : [])),
  };
}

interface Outcome {
  passed: string[];
  failed: string[];
  /** What pytest wrote. */
  text: string;
}

/** Runs files of the suite, or tests of them (`exec_test.py::ExecTest::test_one`). */
async function pytest(wanted: string[]): Promise<Outcome> {
  const { folder, env } = await dockerPySuite();
  const { stdout, stderr } = await run(
    [
      ...['python3', '-m', 'pytest', '-q', '-rfEp', '--tb=short', '--timeout=240', '-p', 'no:cacheprovider'],
      ...wanted.map((name) => `tests/integration/${name}`),
    ],
    {
      cwd: folder,
      env: {
        ...engine.clientEnvironment,
        ...env,
        HOME: home,
        DOCKER_CONFIG: home,
        DOCKER_TEST_API_VERSION: apiVersion,
      },
      timeout: 900_000,
    },
  );
  const named = (outcome: string) =>
    [...stdout.matchAll(new RegExp(`^${outcome} tests/integration/(\\S+)`, 'gm'))].map(([, name]) => name ?? '');
  return {
    passed: named('PASSED'),
    failed: [...new Set([...named('FAILED'), ...named('ERROR')])],
    text: `${stdout.slice(-60_000)}\n${stderr}`,
  };
}

/** The client loses output that comes in one segment with an answer's head, in any test that has some: once is chance. */
const attempts = 4;

test('docker-py 6.1.3', async () => {
  const { folder } = await dockerPySuite();
  const files = readdirSync(join(folder, 'tests/integration')).filter(
    (name) => name.endsWith('_test.py') && !elsewhere.test(name),
  );
  const { certain, chance } = expectedFailures();
  const { passed, failed, text } = await pytest(files);
  let unexpected = failed.filter((name) => !certain.includes(name) && !chance.includes(name));
  if (unexpected.length > 0) console.error(`asked again: ${unexpected.join(' ')}`);
  for (let attempt = 1; attempt < attempts && unexpected.length > 0; attempt++)
    unexpected = (await pytest(unexpected)).failed;
  if (passed.length === 0 || unexpected.length > 0) console.error(text);
  const failures = [...failed.filter((name) => certain.includes(name)), ...unexpected];
  expect(failures.sort()).toEqual(certain.sort());
  expect(passed.length).toBeGreaterThan(230);
}, 1_000_000);
