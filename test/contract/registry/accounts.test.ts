/** Who is let in: 401 where better credentials could help, 403 where none would, and what a token opens. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokens } from '../../../src/registry-server/access/tokens.ts';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { type Answer, digestOf, RegistryClient } from './client.ts';

let registry: BerthRegistry;
beforeAll(async () => {
  registry = await BerthRegistry.start({ users: { alice: 'secret', bob: 'word' } });
  await registry.addUser('root', 'all', '--admin');
});
afterAll(() => registry.stop());

const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});
const as = (text: string): RegistryClient => new RegistryClient(registry, basic(text));

async function token(
  scopes: string | string[],
  credentials: Record<string, string> = {},
): Promise<Record<string, string>> {
  const query = new URLSearchParams({ service: 'x' });
  for (const scope of [scopes].flat()) query.append('scope', scope);
  const response = await fetch(`${registry.url}/token?${query}`, { headers: credentials });
  return { authorization: `Bearer ${((await response.json()) as { token: string }).token}` };
}

test('nobody: a challenge that says where to go', async () => {
  const nobody = new RegistryClient(registry);
  const base = await nobody.request('GET', '/v2/');
  expect([base.status, base.code, base.headers.get('www-authenticate')]).toEqual([
    401,
    'UNAUTHORIZED',
    `Bearer realm="${registry.url}/token",service="${registry.host}"`,
  ]);
  const push = await nobody.request('POST', '/v2/alice/app/blobs/uploads/');
  expect(push.headers.get('www-authenticate')).toContain('scope="repository:alice/app:pull,push"');
  // Without a detail docker would print the code alone.
  const detail = ['pull', 'push'].map((Action) => ({ Type: 'repository', Class: '', Name: 'alice/app', Action }));
  expect(JSON.parse(push.text)).toEqual({
    errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail }],
  });
  expect((await nobody.request('GET', '/v2/_catalog')).status).toBe(401);
});

test('a token of nobody opens the base route and nothing else', async () => {
  const nobody = new RegistryClient(registry, await token('repository:alice/app:pull,push'));
  expect((await nobody.request('GET', '/v2/')).status).toBe(200);
  expect((await nobody.request('POST', '/v2/alice/app/blobs/uploads/')).code).toBe('UNAUTHORIZED');
});

test('a token opens what it was asked for, of what its owner may do', async () => {
  const pull = new RegistryClient(registry, await token('repository:alice/app:pull', basic('alice:secret')));
  const refused = await pull.request('POST', '/v2/alice/app/blobs/uploads/');
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('error="insufficient_scope"'),
  ]);
  const push = new RegistryClient(registry, await token('repository:alice/app:pull,push', basic('alice:secret')));
  await push.image('alice/app', 'v1');
  const other = new RegistryClient(registry, await token('repository:bob/app:pull,push', basic('alice:secret')));
  expect(await other.request('POST', '/v2/bob/app/blobs/uploads/')).toMatchObject({ status: 403, code: 'DENIED' });
  const forged = (await token('repository:alice/app:pull', basic('alice:secret')))['authorization'] as string;
  const broken = new RegistryClient(registry, { authorization: `${forged.slice(0, -2)}xx` });
  expect((await broken.request('GET', '/v2/')).status).toBe(401);
});

test('a token for several scopes: in one parameter or in many, one repository more than once, and no more than its owner may', async () => {
  for (const scopes of [
    ['repository:alice/many:pull', 'repository:alice/many:pull,push'],
    'repository:alice/many:pull repository:alice/many:push repository:alice/other:pull',
    ['repository:alice/many:*', 'registry:catalog:*', 'nonsense', 'repository::pull', 'repository:../x:pull,push'],
  ])
    await new RegistryClient(registry, await token(scopes, basic('alice:secret'))).image('alice/many', 'v1');
  const more = await token(
    ['repository:alice/many:pull', 'repository:bob/app:pull,push,delete,*'],
    basic('alice:secret'),
  );
  const client = new RegistryClient(registry, more);
  expect((await client.request('GET', '/v2/alice/many/manifests/v1')).status).toBe(200);
  for (const [method, path] of [
    ['GET', '/v2/bob/app/tags/list'],
    ['POST', '/v2/bob/app/blobs/uploads/'],
    ['DELETE', '/v2/bob/app/manifests/v1'],
    ['GET', `/v2/bob/app/referrers/sha256:${'0'.repeat(64)}`],
  ] as const)
    expect([path, await client.request(method, path)]).toMatchObject([path, { status: 403, code: 'DENIED' }]);
  // Of its owner's own too it opens only what it was asked for.
  for (const path of ['/v2/alice/other/tags/list', '/v2/_catalog'])
    expect((await client.request('GET', path)).headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  const catalog = new RegistryClient(registry, await token('registry:catalog:*', basic('alice:secret')));
  expect(JSON.parse((await catalog.request('GET', '/v2/_catalog')).text).repositories).toContain('alice/many');
});

test('a token takes blobs from where it was asked for, and from what is public', async () => {
  const { layer } = await as('alice:secret').image('alice/source', 'v1');
  const path = '/v2/alice/target/blobs/uploads/';
  const mount = async (scopes: string[], query: string): Promise<Answer> =>
    new RegistryClient(registry, await token(scopes, basic('alice:secret'))).request('POST', path + query);
  const target = 'repository:alice/target:pull,push';
  const named = `?mount=${layer}&from=alice/source`;
  // Where it is named, the answer says what to ask for; without a name nothing is looked through that was not asked for.
  const refused = await mount([target], named);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining(`scope="repository:alice/source:pull ${target}",error="insufficient_scope"`),
  ]);
  const unknown = await new RegistryClient(registry).request('POST', path + named);
  expect(unknown.headers.get('www-authenticate')).toContain(`scope="${target} repository:alice/source:pull"`);
  expect((await mount([target], `?mount=${layer}`)).status).toBe(202);
  for (const query of [named, `?mount=${layer}`]) {
    expect([query, (await mount([target, 'repository:alice/source:pull'], query)).status]).toEqual([query, 201]);
    const sent = await as('alice:secret').request('DELETE', `/v2/alice/target/blobs/${layer}`);
    expect(sent.status).toBe(202);
  }
  // What its owner may not see either is answered as what is not there.
  await as('bob:word').image('bob/source', 'v1');
  const strange = `?mount=${layer}&from=bob/source`;
  expect((await mount([target, 'repository:bob/source:pull'], strange)).status).toBe(202);
  await registry.command({}, 'namespace', 'public', 'alice');
  expect((await mount([target], named)).status).toBe(201);
  await registry.command({}, 'namespace', 'private', 'alice');
});

test('a token that ends in the middle of an upload: the next one goes on', async () => {
  const database = new Database(join(registry.root, 'registry.db'), { readonly: true });
  const row = database.query("SELECT value FROM meta WHERE key = 'token-key'").get() as { value: string };
  database.close();
  const tokens = new Tokens(Buffer.from(row.value, 'base64'));
  const access = [{ type: 'repository', name: 'alice/long', actions: ['pull', 'push'] }];
  const lasting = (seconds: number): RegistryClient =>
    new RegistryClient(registry, {
      authorization: `Bearer ${tokens.issue({ sub: 'alice', access, use: 'access' }, seconds)}`,
    });
  const location = await lasting(60).begin('alice/long');
  expect((await lasting(60).request('PATCH', location, { body: 'first ' })).status).toBe(202);
  const late = await lasting(-1).request('PATCH', location, { body: 'second' });
  expect([late.status, late.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('error="invalid_token"'),
  ]);
  const end = `${location}?digest=${digestOf('first second')}`;
  expect((await lasting(60).request('PUT', end, { body: 'second' })).status).toBe(201);
});

test('guessing ends soon, for one name from one place', async () => {
  const guessed = await BerthRegistry.start({ users: { alice: 'secret', bob: 'word' } });
  try {
    const login = (text: string): Promise<Response> =>
      fetch(`${guessed.url}/token?service=x`, { headers: basic(text) });
    const statuses = new Map<number, number>();
    const guess = async (round: number): Promise<void> => {
      const { status } = await login(`alice:guess ${round}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 5 }, (_, one) => guess(round * 5 + one)));
    expect([...statuses]).toEqual([
      [401, 30],
      [429, 20],
    ]);
    const late = await login('alice:secret');
    expect([late.status, Number(late.headers.get('retry-after')), await late.text()]).toEqual([
      429,
      expect.any(Number),
      expect.stringContaining('TOOMANYREQUESTS'),
    ]);
    expect((await login('bob:word')).status).toBe(200);
  } finally {
    await guessed.stop();
  }
});

test('wrong passwords, and credentials without a token', async () => {
  for (const wrong of ['alice:no', 'nobody:secret', 'alice:']) {
    expect((await as(wrong).request('GET', '/v2/')).status).toBe(401);
    const response = await fetch(`${registry.url}/token?service=x`, { headers: basic(wrong) });
    expect([response.status, await response.text()]).toEqual([
      401,
      expect.stringContaining('incorrect username or password'),
    ]);
  }
  await as('alice:secret').image('alice/direct', 'v1');
  expect((await as('bob:word').request('GET', '/v2/alice/direct/manifests/v1')).code).toBe('DENIED');
  await as('root:all').image('anybody/app', 'v1');
});

test('identity tokens, good until the password changes', async () => {
  await registry.addUser('carol', 'first');
  const form = { grant_type: 'password', username: 'carol', password: 'first', access_type: 'offline', service: 'x' };
  const ask = (fields: Record<string, string>): Promise<Response> =>
    fetch(`${registry.url}/token`, { method: 'POST', body: new URLSearchParams(fields) });
  const { refresh_token: refresh } = (await (await ask(form)).json()) as { refresh_token: string };
  const scope = 'repository:carol/app:pull,push';
  const again = await ask({ grant_type: 'refresh_token', refresh_token: refresh, scope, service: 'x' });
  const { access_token: access } = (await again.json()) as { access_token: string };
  await new RegistryClient(registry, { authorization: `Bearer ${access}` }).image('carol/app', 'v1');
  // It opens nothing itself.
  expect(
    (await new RegistryClient(registry, { authorization: `Bearer ${refresh}` }).request('GET', '/v2/')).status,
  ).toBe(401);
  await registry.command({ stdin: 'second' }, 'user', 'passwd', '--password-stdin', 'carol');
  expect((await ask({ grant_type: 'refresh_token', refresh_token: refresh, scope, service: 'x' })).status).toBe(401);
  expect((await as('carol:second').request('GET', '/v2/')).status).toBe(200);
  await registry.command({}, 'user', 'rm', 'carol');
  expect((await as('carol:second').request('GET', '/v2/')).status).toBe(401);
  expect(await registry.command({}, 'user', 'ls')).toMatch(
    /^NAME +ROLE +CREATED\nalice +user .*\nbob +user .*\nroot +admin .*\n$/,
  );
});

describe('namespaces', () => {
  test('read, write and admin; public ones', async () => {
    const alice = as('alice:secret');
    const bob = as('bob:word');
    await alice.image('alice/shared', 'v1');
    const read = '/v2/alice/shared/manifests/v1';
    const upload = '/v2/alice/shared/blobs/uploads/';
    const tries = async (): Promise<number[]> => [
      (await bob.request('GET', read)).status,
      (await bob.request('POST', upload)).status,
      (await bob.request('DELETE', '/v2/alice/shared/manifests/none')).status,
    ];
    expect(await tries()).toEqual([403, 403, 403]);
    const grant = (role: string): Promise<string> => registry.command({}, 'namespace', 'grant', 'alice', 'bob', role);
    await grant('read');
    expect(await tries()).toEqual([200, 403, 403]);
    await grant('write');
    expect(await tries()).toEqual([200, 202, 403]);
    await grant('admin');
    expect(await tries()).toEqual([200, 202, 404]);
    await registry.command({}, 'namespace', 'revoke', 'alice', 'bob');
    await registry.command({}, 'namespace', 'public', 'alice');
    expect(await tries()).toEqual([200, 403, 403]);
    const nobody = new RegistryClient(registry);
    expect((await nobody.request('GET', read)).status).toBe(200);
    expect((await nobody.request('GET', '/v1/search?q=shared')).text).toContain('alice/shared');
    await registry.command({}, 'namespace', 'private', 'alice');
    expect((await nobody.request('GET', read)).status).toBe(401);
  });

  test('everybody sees what they may see', async () => {
    await as('alice:secret').image('alice/mine', 'v1');
    await as('bob:word').image('bob/mine', 'v1');
    const catalog = JSON.parse((await as('bob:word').request('GET', '/v2/_catalog')).text).repositories;
    expect(catalog).toContain('bob/mine');
    expect(catalog).not.toContain('alice/mine');
    expect((await as('bob:word').request('GET', '/v1/search?q=mine')).text).not.toContain('alice/mine');
    // Nor can it be taken by way of a mount.
    const { layer } = await as('alice:secret').image('alice/mine', 'v2');
    for (const query of [`mount=${layer}&from=alice/mine`, `mount=${layer}`])
      expect((await as('bob:word').request('POST', `/v2/bob/mine/blobs/uploads/?${query}`)).status).toBe(202);
  });

  test('stars and descriptions', async () => {
    await as('alice:secret').image('alice/liked', 'v1');
    const path = '/berth/v1/repositories/alice/liked';
    const body = '{"description":"what it is"}';
    expect((await as('bob:word').request('PATCH', path, { body })).status).toBe(403);
    expect((await as('alice:secret').request('PATCH', path, { body })).status).toBe(204);
    for (const who of ['alice:secret', 'alice:secret', 'root:all']) await as(who).request('PUT', `${path}/star`);
    await as('root:all').request('DELETE', `${path}/star`);
    expect(JSON.parse((await as('alice:secret').request('GET', path)).text)).toMatchObject({
      description: 'what it is',
      stars: 1,
    });
    expect((await as('alice:secret').request('PATCH', path, { body: '{"readme":"# Long"}' })).status).toBe(204);
    expect(JSON.parse((await as('alice:secret').request('GET', path)).text)).toMatchObject({
      ...{ description: 'what it is', readme: '# Long' },
    });
    for (const wrong of ['{', '{}', 'null', '{"readme":1}', `{"description":"${'x'.repeat(5000)}"}`])
      expect((await as('alice:secret').request('PATCH', path, { body: wrong })).status).toBe(400);
  });
});

test('an htpasswd file: basic credentials, everything allowed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-htpasswd-'));
  const hash = (await Bun.password.hash('pass', { algorithm: 'bcrypt', cost: 4 })).replace('$2b$', '$2y$');
  writeFileSync(join(directory, 'htpasswd'), `# users\nuser:${hash}\nold:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n`);
  const guarded = await BerthRegistry.start({ env: { REGISTRY_AUTH_HTPASSWD_PATH: join(directory, 'htpasswd') } });
  try {
    const nobody = await new RegistryClient(guarded).request('GET', '/v2/');
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="Berth registry"']);
    await new RegistryClient(guarded, basic('user:pass')).image('any/thing', 'v1');
    expect((await new RegistryClient(guarded, basic('old:123456')).request('GET', '/v2/')).status).toBe(401);
  } finally {
    await guarded.stop();
    rmSync(directory, { recursive: true });
  }
});

test('TLS with a certificate that it makes itself, the same one at the next start', async () => {
  const tls = await BerthRegistry.start({
    options: ['--tls-self-signed', 'localhost', '--tls-self-signed', '127.0.0.1'],
  });
  try {
    const ca = await Bun.file(join(tls.root, 'tls/cert.pem')).text();
    const ask = async (host: string): Promise<number> =>
      (await fetch(`https://${host}:${tls.port}/v2/`, { tls: { ca } })).status;
    expect([await ask('localhost'), await ask('127.0.0.1')]).toEqual([200, 200]);
    await expect(fetch(`https://127.0.0.1:${tls.port}/v2/`)).rejects.toThrow();
    await tls.kill();
    await tls.start();
    expect(await ask('localhost')).toBe(200);
  } finally {
    await tls.stop();
  }
});
