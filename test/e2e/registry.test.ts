/** The registry of the user's own story: the built-in image, accounts, plain http, and a mirror, with both clients. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthRegistry } from '../support/berth-registry.ts';
import type { CommandResult } from '../support/command.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-registry-'));
  // No way to the Hub, on machines that have one too.
  engine = await startEngine({
    images: ['busybox'],
    env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '10.0.0.0/8' },
  });
});
afterAll(async () => {
  await engine.cleanUp();
  rmSync(directory, { recursive: true });
});

type Client = 'berth' | 'docker';
const clients: Client[] = ['berth', 'docker'];

async function ok(client: Client, ...args: string[]): Promise<string> {
  const result = await engine[client](...args);
  if (result.code !== 0) throw new Error(`${client} ${args.join(' ')}: ${result.stderr}${result.stdout}`);
  return result.stdout.trimEnd();
}

async function login(client: Client, host: string, user: string, password: string): Promise<CommandResult> {
  const args = ['login', '-u', user, '--password-stdin', host];
  return client === 'berth'
    ? engine.berthWith({ stdin: password }, ...args)
    : engine.dockerWith({ stdin: password }, ...args);
}

test('the image takes what people give Docker’s: a configuration, its commands, its variables', async () => {
  const port = await freePort();
  const configuration = join(directory, 'config.yml');
  writeFileSync(
    configuration,
    'version: 0.1\nstorage: { filesystem: { rootdirectory: /data }, delete: { enabled: false } }\nhttp: { addr: ":6000" }\n',
  );
  await engine.ok(
    ...[
      'run',
      '-d',
      '--name',
      'configured',
      '-p',
      `${port}:6000`,
      '-v',
      `${configuration}:/etc/distribution/config.yml`,
    ],
    ...['registry:2', 'serve', '/etc/docker/registry/config.yml'],
  );
  await until('the registry to answer', () => answers(`http://localhost:${port}/v2/`));
  const digest = `sha256:${'0'.repeat(64)}`;
  expect((await fetch(`http://localhost:${port}/v2/a/manifests/${digest}`, { method: 'DELETE' })).status).toBe(405);
  const collected = await engine.ok(
    'exec',
    'configured',
    'registry',
    'garbage-collect',
    '/etc/docker/registry/config.yml',
  );
  expect(collected).toContain('Nothing to do');
  await engine.ok('rm', '-f', 'configured');
  const refused = await engine.berth('run', '--rm', '-e', 'REGISTRY_STORAGE=s3', 'registry:2');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('there is no storage "s3" here')]);
});

describe.each(clients)('with %s', (client) => {
  test('run registry, tag, push, rmi, pull, _catalog', async () => {
    const port = await freePort();
    const host = `localhost:${port}`;
    const data = join(directory, client);
    const name = `registry-${client}`;
    const image = client === 'berth' ? 'registry' : 'registry:2';
    await ok(client, 'run', '-d', '--name', name, '-p', `${port}:5000`, '-v', `${data}:/var/lib/registry`, image);
    await until('the registry to answer', () => answers(`http://${host}/v2/`));
    await ok(client, 'tag', 'busybox', `${host}/hello-world`);
    const pushed = await ok(client, 'push', `${host}/hello-world`);
    const digest = /latest: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(pushed)?.[1];
    expect(digest).toBeString();
    await ok(client, 'rmi', `${host}/hello-world`);
    expect(await ok(client, 'pull', `${host}/hello-world`)).toContain(`Digest: ${digest}`);
    expect(await (await fetch(`http://${host}/v2/_catalog`)).json()).toEqual({ repositories: ['hello-world'] });
    expect(await ok(client, 'search', `${host}/hello`)).toContain('hello-world');
    // Accounts are made in the container; from then on pushing needs a login.
    const added = await engine.berthWith(
      { stdin: 'secret' },
      ...['exec', '-i', name, 'berth', 'registry', 'user', 'add', '--password-stdin', 'alice'],
    );
    expect(added).toMatchObject({ code: 0 });
    expect((await engine[client]('push', `${host}/hello-world`)).stderr).toContain(
      'unauthorized: authentication required',
    );
    await ok(client, 'rm', '-f', name);
    await ok(client, 'run', '-d', '--name', name, '-p', `${port}:5000`, '-v', `${data}:/var/lib/registry`, image);
    await until('the registry to answer', () => answers(`http://${host}/v2/`));
    expect((await login(client, host, 'alice', 'secret')).code).toBe(0);
    await ok(client, 'tag', 'busybox', `${host}/alice/busybox`);
    expect(await ok(client, 'push', `${host}/alice/busybox`)).toContain('latest: digest: sha256:');
    await ok(client, 'rm', '-f', name);
    await ok(client, 'logout', host);
  });

  test('accounts: refused, let in, kept out of the namespaces of others', async () => {
    const registry = await BerthRegistry.start({ users: { alice: 'secret', bob: 'word' } });
    try {
      const own = `${registry.host}/alice/app:v1`;
      await ok(client, 'tag', 'busybox', own);
      const refused = await engine[client]('push', own);
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringContaining('unauthorized: authentication required'),
      ]);
      const wrong = await login(client, registry.host, 'alice', 'no');
      expect([wrong.code, wrong.stderr]).toEqual([
        1,
        expect.stringContaining('unauthorized: incorrect username or password'),
      ]);
      expect((await login(client, registry.host, 'alice', 'secret')).code).toBe(0);
      expect(await ok(client, 'push', own)).toContain('v1: digest: sha256:');
      const other = `${registry.host}/bob/app:v1`;
      await ok(client, 'tag', 'busybox', other);
      const denied = await engine[client]('push', other);
      expect([denied.code, denied.stderr]).toEqual([
        1,
        expect.stringContaining('denied: requested access to the resource is denied'),
      ]);
      await ok(client, 'rmi', own);
      await ok(client, 'logout', registry.host);
      expect((await engine[client]('pull', own)).stderr).toMatch(
        /authentication required|access denied|interactive login/,
      );
      expect((await login(client, registry.host, 'alice', 'secret')).code).toBe(0);
      await ok(client, 'pull', own);
      // What only the user sees is found: the login left a token, not the password.
      expect(await ok(client, 'search', `${registry.host}/app`)).toContain('alice/app');
      await ok(client, 'logout', registry.host);
    } finally {
      await registry.stop();
    }
  });

  test('http is refused unless insecure-registries lists it', async () => {
    const address = engine.identity.bip.replace(/\/.*/, '');
    const registry = await BerthRegistry.start({ address: '0.0.0.0' });
    try {
      const name = `${address}:${registry.port}/app:v1`;
      await ok(client, 'tag', 'busybox', name);
      expect((await engine[client]('push', name)).stderr).toContain('server gave HTTP response to HTTPS client');
      await ok(client, 'tag', 'busybox', `${registry.host}/app:v1`);
      expect(await ok(client, 'push', `${registry.host}/app:v1`)).toContain('v1: digest: sha256:');
    } finally {
      await registry.stop();
    }
  });
});

test('credentials of a helper: for one registry, for all, and an identity token that stands for the password', async () => {
  const registry = await BerthRegistry.start({ users: { alice: 'secret' } });
  const store = join(directory, 'helper');
  mkdirSync(store);
  // What it is told lies in a file for each server; `get` reads it back.
  const helper = `#!/bin/sh
read -r line
case $1 in
store) printf %s "$line" > ${store}/kept ;;
get) [ -e ${store}/kept ] && cat ${store}/kept || { echo credentials not found in native keychain; exit 1; } ;;
erase) rm -f ${store}/kept ;;
esac
`;
  writeFileSync(join(store, 'docker-credential-test'), helper, { mode: 0o755 });
  const env = { DOCKER_CONFIG: store, PATH: `${store}:${process.env['PATH']}` };
  try {
    for (const config of [{ credsStore: 'test' }, { credHelpers: { [registry.host]: 'test' } }]) {
      writeFileSync(join(store, 'config.json'), JSON.stringify(config));
      const name = `${registry.host}/alice/helped`;
      await engine.ok('tag', 'busybox', name);
      const login = await engine.berthWith(
        { stdin: 'secret', env },
        ...['login', '-u', 'alice', '--password-stdin', registry.host],
      );
      expect([login.code, login.stdout]).toEqual([0, 'Login Succeeded\n']);
      const kept = JSON.parse(readFileSync(join(store, 'kept'), 'utf8'));
      expect(kept).toEqual({ ServerURL: registry.host, Username: '<token>', Secret: expect.any(String) });
      expect(kept.Secret).not.toContain('secret');
      expect(readFileSync(join(store, 'config.json'), 'utf8')).not.toContain(kept.Secret);
      for (const client of clients) {
        const push =
          client === 'berth' ? engine.berthWith({ env }, 'push', name) : engine.dockerWith({ env }, 'push', name);
        expect((await push).stdout).toContain('latest: digest: sha256:');
      }
      await engine.berthWith({ env }, 'logout', registry.host);
      expect((await engine.berthWith({ env }, 'push', name)).stderr).toContain('authentication required');
    }
  } finally {
    await registry.stop();
  }
});

test('a build goes straight to the registry: refused without a login, there for everybody who pulls with one', async () => {
  const registry = await BerthRegistry.start({ users: { alice: 'secret' } });
  const context = join(directory, 'built');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nRUN echo built > /built\n');
  const name = `${registry.host}/alice/built:v1`;
  const ways = [
    ['--push', '-t', name],
    ['-o', `type=registry,name=${name}`],
    ['-o', `type=image,name=${name},push=true`],
  ];
  try {
    const [first = []] = ways;
    const refused = await engine.berth('build', ...first, context);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('authentication required')]);
    expect((await login('berth', registry.host, 'alice', 'secret')).code).toBe(0);
    for (const way of ways) {
      await engine.ok('build', ...way, context);
      const headers = { authorization: `Basic ${btoa('alice:secret')}` };
      const answer = await fetch(`${registry.url}/v2/alice/built/manifests/v1`, { headers });
      const digest = answer.headers.get('docker-content-digest');
      await engine.berth('rmi', '-f', name);
      expect([way, await engine.ok('pull', name)]).toEqual([way, expect.stringContaining(`Digest: ${digest}`)]);
      expect((await fetch(answer.url, { method: 'DELETE', headers })).status).toBe(202);
      expect(await engine.ok('run', '--rm', name, 'cat', '/built')).toBe('built');
    }
  } finally {
    await engine.berth('logout', registry.host);
    await registry.stop();
  }
});

test('a login by berth is one for docker too', async () => {
  const registry = await BerthRegistry.start({ users: { alice: 'secret' } });
  const env = { DOCKER_CONFIG: join(directory, 'shared') };
  const name = `${registry.host}/alice/shared`;
  try {
    const words = ['login', '-u', 'alice', '--password-stdin', registry.host];
    expect((await engine.berthWith({ stdin: 'secret', env }, ...words)).code).toBe(0);
    await engine.ok('tag', 'busybox', name);
    const push = await engine.dockerWith({ env }, 'push', name);
    expect([push.code, push.stderr]).toEqual([0, '']);
    const { auths } = JSON.parse(readFileSync(join(directory, 'shared', 'config.json'), 'utf8'));
    expect(auths[registry.host]).toEqual({ auth: btoa('alice:'), identitytoken: expect.any(String) });
  } finally {
    await registry.stop();
  }
});

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    ({ status }) => status === 200 || status === 401,
    () => false,
  );
}
