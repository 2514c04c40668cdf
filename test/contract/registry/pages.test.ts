/** The registry's pages: what they show and to whom, and what their forms do. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { Browser, htmlProblems, type WebPage } from '../../support/browser.ts';
import { until } from '../../support/until.ts';
import { digestOf, emptyType, indexType, manifestOf, manifestType, RegistryClient, someBytes } from './client.ts';

let registry: BerthRegistry;
beforeAll(async () => {
  registry = await BerthRegistry.start({ users: { alice: 'alice-secret', bob: 'bob-secret' } });
  await registry.addUser('root', 'root-secret', '--admin');
});
afterAll(() => registry.stop());

const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});
const as = (name: string): RegistryClient => new RegistryClient(registry, basic(`${name}:${name}-secret`));

async function signedIn(name: string): Promise<Browser> {
  const browser = new Browser(registry.url);
  const page = await browser.signIn(name, `${name}-secret`);
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('Sign out')]);
  return browser;
}

/** Sees that every page is well-formed, and cannot be put into a frame or kept. */
function sound(page: WebPage): WebPage {
  expect([page.path, htmlProblems(page.html)]).toEqual([page.path, []]);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'self';.*frame-ancestors 'none'/,
  );
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
  return page;
}

async function pushImage(client: RegistryClient, repository: string, tag: string, config: object = {}) {
  const layers: [string, number][] = [];
  for (const size of [1000, 23_000]) layers.push([await client.blob(repository, someBytes(size)), size]);
  const diffIds = layers.map(([digest]) => digest);
  const text = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...config,
  });
  const document = manifestOf({ config: await client.blob(repository, text), configSize: text.length, layers });
  const answer = await client.put(repository, tag || digestOf(JSON.stringify(document)), document);
  expect(answer.status).toBe(201);
  return { digest: answer.headers.get('docker-content-digest') as string, size: JSON.stringify(document).length };
}

describe('what is shown', () => {
  test('a repository: how to get it, its tags with platforms and sizes, who pushed them', async () => {
    const alice = as('alice');
    await pushImage(alice, 'alice/web', 'v1');
    const images = [];
    for (const architecture of ['amd64', 'arm64']) {
      const { digest, size } = await pushImage(alice, 'alice/web', '', { architecture });
      images.push({ mediaType: manifestType, digest, size, platform: { os: 'linux', architecture } });
    }
    await alice.put('alice/web', 'latest', { schemaVersion: 2, mediaType: indexType, manifests: images }, indexType);
    const page = sound(await (await signedIn('alice')).get('/r/alice/web'));
    expect(page.title).toBe(`alice/web · ${registry.host}`);
    expect(page.text).toContain('alice/web Private');
    expect(page.text).toContain(`docker pull ${registry.host}/alice/web berth pull ${registry.host}/alice/web `);
    expect(page.text).toMatch(/2 tags latest pushed just now by alice/);
    expect(page.text).toContain(`docker pull ${registry.host}/alice/web:v1`);
    expect(page.text.match(/linux\/(?:amd64|arm64) 24\.\d kB/g)).toHaveLength(3);
    expect(page.links).toContain(`/r/alice/web/-/manifests/${images[1]?.digest}`);
    const tag = sound(await (await signedIn('alice')).get('/r/alice/web/-/tags/latest'));
    expect(tag.text).toMatch(/Platforms .*linux\/amd64 .*linux\/arm64/);
  });

  test('a tag: configuration, layers, and what refers to it', async () => {
    const alice = as('alice');
    const config = {
      ...{ created: '2024-05-06T07:08:09Z', author: 'Alice <a@b>' },
      config: { Env: ['A=<1>'], Entrypoint: ['/go'], ExposedPorts: { '80/tcp': {} }, Labels: { l: '"x"' } },
      history: [
        { created_by: '/bin/sh -c #(nop) ADD file:1 in /' },
        { created_by: 'ENV A=1', empty_layer: true },
        { created_by: '/bin/sh -c make <all>' },
      ],
    };
    const { digest, size } = await pushImage(alice, 'alice/tool', 'v1', config);
    const empty = await alice.blob('alice/tool', '{}');
    for (const artifactType of ['application/spdx+json', 'application/vnd.in-toto+json'])
      await alice.put('alice/tool', digestOf(artifact(artifactType)), artifact(artifactType));
    function artifact(artifactType: string): string {
      const part = { mediaType: emptyType, digest: empty, size: 2 };
      const subject = { mediaType: manifestType, digest, size };
      return JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType,
        config: part,
        layers: [part],
        subject,
      });
    }
    await pushImage(alice, 'alice/tool', `${digest.replace(':', '-')}.sig`);
    const page = sound(await (await signedIn('alice')).get('/r/alice/tool/-/tags/v1'));
    expect(page.text).toContain(`Digest ${digest} `);
    expect(page.text).toContain('Platform linux/amd64');
    expect(page.text).toContain('Author Alice <a@b>');
    expect(page.text).toContain('Entrypoint ["/go"] Ports 80/tcp Environment A=<1> Labels l="x"');
    expect(page.text).toMatch(/2 layers, 24 kB ADD file:1 in \/\s?1 kB ENV A=1\s?0 B RUN make <all>\s?23 kB/);
    expect(page.text).toMatch(/Referrers .*SBOM application\/spdx\+json .*Signature by its tag/);
    expect(page.text).toContain('Attestation application/vnd.in-toto+json');
    const byDigest = sound(await (await signedIn('alice')).get(`/r/alice/tool/-/manifests/${digest}`));
    expect(byDigest.text).toContain(`docker pull ${registry.host}/alice/tool@${digest}`);
    expect(byDigest.text).toContain('Tagged v1');
  });

  test('nothing that people write gets out of its place', async () => {
    const hostile = `"><script>alert('1')</script><img src=x onerror=alert(2)>&amp;\u202e`;
    const browser = await signedIn('alice');
    await pushImage(as('alice'), 'alice/hostile', 'v1', {
      ...{ author: hostile, created: hostile, variant: hostile, architecture: hostile },
      config: {
        Env: [hostile],
        Cmd: [hostile],
        User: hostile,
        WorkingDir: hostile,
        StopSignal: hostile,
        Labels: { [hostile]: hostile },
        ExposedPorts: { [hostile]: {} },
        Volumes: { [hostile]: {} },
        Healthcheck: { Test: [hostile] },
      },
      history: [{ created_by: hostile, comment: hostile }, { created_by: { an: 'object' } }, null],
    });
    const form = await browser.get('/r/alice/hostile/-/edit');
    const readme = `# ${hostile}\n\n[${hostile}](javascript:alert(3)) <b>\n</textarea><script>`;
    await browser.submit(form, '/r/alice/hostile/-/edit', { description: hostile.slice(0, 150), readme });
    await browser.submit(await browser.get('/settings'), '/settings/tokens', { name: hostile.slice(0, 60) });
    const paths = [
      ...['/r/alice/hostile', '/r/alice/hostile/-/edit', '/r/alice/hostile/-/tags/v1', '/u/alice', '/settings', '/'],
      ...[`/search?q=${encodeURIComponent(hostile)}`, `/r/alice/hostile?tag=${encodeURIComponent(hostile)}`],
      ...[
        `/r/${encodeURIComponent(hostile)}`,
        `/u/${encodeURIComponent(hostile)}`,
        `/sign-in?next=${encodeURIComponent(hostile)}`,
      ],
    ];
    for (const path of paths) {
      const page = sound(await browser.get(path));
      expect([path, /<(?:script|img|b)\b/.test(page.html)]).toEqual([path, false]);
    }
    const again = await browser.get('/r/alice/hostile/-/edit');
    expect(again.form('/r/alice/hostile/-/edit').fields).toMatchObject({ description: hostile.slice(0, 150), readme });
    const forged = await new Browser(registry.url, { host: 'a"><script>' }).get('/');
    expect(forged.html).not.toContain('<script');
  });

  test('the first page, searches, pages of a list', async () => {
    await registry.command({}, 'namespace', 'public', 'bob');
    const bob = as('bob');
    const push = (name: string, tag: string): Promise<unknown> =>
      bob.put(name, tag, '{}', 'application/vnd.some.thing+json');
    for (let number = 0; number < 23; number++) await push(`bob/many-${number}`, 'v1');
    for (let number = 0; number < 23; number++) await push('bob/many-0', `t${number}`);
    const alice = await signedIn('alice');
    await alice.submit(await alice.get('/r/bob/many-7'), '/r/bob/many-7/-/star', { starred: 'yes' });
    const visitor = new Browser(registry.url);
    const home = sound(await visitor.get('/'));
    expect(home.text).toMatch(/Newest bob\/many-0 .*Most starred bob\/many-7 1 star/);
    expect(home.html).not.toContain('alice/');
    const first = sound(await visitor.get('/search?q=many'));
    expect(first.text).toContain('23 repositories for “many”');
    expect(first.links.filter((link) => link.startsWith('/r/'))[0]).toBe('/r/bob/many-7');
    const second = sound(await visitor.get(first.links.find((link) => link.includes('page=2')) as string));
    expect(second.text).toContain('Page 2 of 2');
    expect(second.links.filter((link) => link.startsWith('/r/'))).toHaveLength(3);
    const newest = sound(await visitor.get('/search?q=many&sort=pushed'));
    expect(newest.links.filter((link) => link.startsWith('/r/'))[0]).toBe('/r/bob/many-0');
    expect(newest.links.find((link) => link.includes('page=2'))).toContain('sort=pushed');
    const tags = sound(await visitor.get('/r/bob/many-0?page=2'));
    expect(tags.text).toMatch(/24 tags .*Page 2 of 2/);
    expect((await visitor.get('/r/bob/many-0?tag=t2')).text).toContain('4 tags with “t2”');
    for (const wrong of ['-1', '0', '9999999', '1e9', 'x']) sound(await visitor.get(`/search?q=many&page=${wrong}`));
    expect(sound(await visitor.get('/u/bob')).text).toMatch(/bob Public 23 repositories/);
    expect(sound(await visitor.get('/search?q=%25')).text).toContain('0 repositories');
    await alice.submit(await alice.get('/r/bob/many-7'), '/r/bob/many-7/-/star', { starred: 'no' });
    expect((await visitor.get('/')).text).not.toContain('Most starred');
  });

  test('a name with and without library', async () => {
    await as('root').image('plain', 'v1');
    await as('root').image('library/official', 'v1');
    const root = await signedIn('root');
    expect((await root.get('/r/library/plain')).title).toStartWith('plain ');
    expect((await root.get('/r/official')).title).toStartWith('library/official ');
    expect((await root.get('/u/library')).text).toMatch(/2 repositories/);
  });
});

/** All that there is to ask of a repository, and what it may be asked for. */
const repositoryPaths = ['', '/-/tags/v1', '/-/edit', '/-/delete', '/-/tags/v1/delete'];
const repositoryForms = ['/-/edit', '/-/star', '/-/delete', '/-/tags/v1/delete'];

describe('who sees and does what', () => {
  test('a private repository is no other than one that is not there', async () => {
    const { manifest } = await as('alice').image('alice/secret', 'v1');
    for (const browser of [new Browser(registry.url), await signedIn('bob')]) {
      const token =
        (await browser.get('/sign-in')).forms.at(-1)?.fields['form-token'] ??
        ((await browser.get('/settings')).forms[1]?.fields['form-token'] as string);
      for (const name of ['alice/secret', 'alice/none', 'nobody/none']) {
        const pages = [];
        for (const path of [...repositoryPaths, `/-/manifests/${manifest}`])
          pages.push(sound(await browser.get(`/r/${name}${path}`)));
        for (const path of repositoryForms)
          pages.push(sound(await browser.post(`/r/${name}${path}`, { 'form-token': token, name, starred: 'yes' })));
        for (const { status, text } of pages) {
          expect(status).toBe(404);
          expect(text).not.toContain('secret');
          expect(text).toContain('There is no such page, or you may not see it.');
        }
      }
      expect((await browser.get('/search?q=secret')).text).toContain('0 repositories');
      expect((await browser.get('/u/alice')).status).toBe(404);
      expect((await browser.get('/u/alice/-/access')).status).toBe(404);
    }
    expect((await as('alice').request('GET', '/v2/alice/secret/manifests/v1')).status).toBe(200);
  });

  test('who may only pull changes nothing', async () => {
    await as('bob').image('bob/readable', 'v1');
    const alice = await signedIn('alice');
    const page = sound(await alice.get('/r/bob/readable'));
    expect(page.links.filter((link) => link.includes('/-/edit') || link.includes('delete'))).toEqual([]);
    for (const path of ['/-/edit', '/-/delete', '/-/tags/v1/delete']) {
      expect((await alice.get(`/r/bob/readable${path}`)).status).toBe(403);
      expect((await alice.post(`/r/bob/readable${path}`, page.form('/sign-out').fields)).status).toBe(403);
    }
    expect((await alice.get('/u/bob/-/access')).status).toBe(403);
    expect((await alice.get('/users')).status).toBe(403);
    const visitor = new Browser(registry.url);
    expect(sound(await visitor.get('/r/bob/readable')).forms.map(({ method }) => method)).not.toContain('post');
    const token = (await visitor.get('/sign-in')).form('/sign-in').fields;
    expect((await visitor.post('/r/bob/readable/-/star', token)).status).toBe(403);
    expect((await visitor.post('/settings/tokens', token)).status).toBe(403);
  });

  test('a form without the token of its browser does nothing', async () => {
    await as('alice').image('alice/kept', 'v1');
    const [alice, bob] = [await signedIn('alice'), await signedIn('bob')];
    const bobs = (await bob.get('/')).form('/sign-out').fields['form-token'] as string;
    const posts: [string, Record<string, string>][] = [
      ['/sign-in', { name: 'alice', password: 'alice-secret' }],
      ['/sign-out', {}],
      ['/settings/password', { current: 'alice-secret', password: 'another-secret', again: 'another-secret' }],
      ['/settings/tokens', { name: 'x', role: 'read' }],
      ['/settings/tokens/revoke', { id: '1' }],
      ['/u/alice/-/access', { public: 'yes' }],
      ['/r/alice/kept/-/edit', { description: 'x' }],
      ['/r/alice/kept/-/star', { starred: 'yes' }],
      ['/r/alice/kept/-/delete', { name: 'alice/kept' }],
      ['/r/alice/kept/-/tags/v1/delete', { manifest: 'yes' }],
    ];
    for (const [path, fields] of posts)
      for (const token of [null, '', bobs]) {
        const page = sound(await alice.post(path, { ...fields, ...(token !== null && { 'form-token': token }) }));
        expect([path, page.status]).toEqual([path, 403]);
      }
    const kept = await alice.get('/r/alice/kept');
    expect(kept.text).toMatch(/Sign out .*alice\/kept Private .*0 stars .*1 tag /);
    expect((await as('alice').request('GET', '/v2/alice/kept/manifests/v1')).status).toBe(200);
    const type = { 'content-type': 'application/json' };
    expect((await as('alice').request('POST', '/sign-out', { body: '{}', headers: type })).status).toBe(415);
    expect((await alice.post('/sign-out', { much: 'x'.repeat(2_000_000) })).status).toBe(413);
    expect((await as('alice').request('PUT', '/settings')).status).toBe(405);
  });

  test('an admin sees everything, and who has an account', async () => {
    const root = await signedIn('root');
    const users = sound(await root.get('/users'));
    expect(users.text).toMatch(/3 users\. .*alice user just now \d+ .*bob user .*root admin/);
    expect((await root.get('/u/alice')).status).toBe(200);
    expect((await new Browser(registry.url).get('/users')).title).toStartWith('Sign in');
  });

  test('describe, delete a tag with its image, delete a repository', async () => {
    const [alice, browser] = [as('alice'), await signedIn('alice')];
    const { digest } = await pushImage(alice, 'alice/going', 'v1');
    const child = await pushImage(alice, 'alice/going', '');
    const entry = { mediaType: manifestType, ...child, platform: { os: 'linux', architecture: 'amd64' } };
    await alice.put('alice/going', 'all', { schemaVersion: 2, mediaType: indexType, manifests: [entry] }, indexType);
    await pushImage(alice, 'alice/going', 'stays');
    const about = (of: string, more: object = {}): string =>
      JSON.stringify({ subject: { mediaType: manifestType, digest: of, size: 1 }, ...more });
    const signature = about(child.digest);
    for (const document of [signature, about(digestOf(signature)), about(digest, { tagged: true })])
      await alice.put('alice/going', digestOf(document), document, 'application/vnd.some.thing+json');
    const kept = about(digest, { tagged: true });
    await alice.put('alice/going', 'kept', kept, 'application/vnd.some.thing+json');
    const edit = '/r/alice/going/-/edit';
    const described = await browser.submit(await browser.get(edit), edit, {
      description: 'in short',
      readme: '## At *length*\r\n\r\n`code`',
    });
    expect(described.path).toBe('/r/alice/going');
    expect(described.html).toContain('<h4>At <em>length</em></h4><p><code>code</code></p>');
    expect((await browser.submit(await browser.get(edit), edit, { description: 'x'.repeat(5000) })).status).toBe(400);
    const ofOther = (await browser.get('/settings')).form('/sign-out').fields;
    for (const tag of ['v1', 'all']) {
      const path = `/r/alice/going/-/tags/${tag}/delete`;
      expect(sound(await browser.get(path)).text).toContain(`Delete alice/going:${tag}?`);
      expect((await browser.submit(await browser.get(path), path)).path).toBe('/r/alice/going');
      expect((await browser.post(path, ofOther)).status).toBe(404);
    }
    for (const gone of ['v1', digest, 'all', child.digest, digestOf(signature), digestOf(about(digestOf(signature)))])
      expect((await alice.request('GET', `/v2/alice/going/manifests/${gone}`)).status).toBe(404);
    for (const tag of ['stays', 'kept'])
      expect((await alice.request('GET', `/v2/alice/going/manifests/${tag}`)).status).toBe(200);
    const path = '/r/alice/going/-/delete';
    const wrong = sound(await browser.submit(await browser.get(path), path, { name: 'alice/other' }));
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('not the name of the repository')]);
    expect((await browser.submit(wrong, path, { name: 'alice/going' })).path).toBe('/');
    expect((await browser.get('/r/alice/going')).status).toBe(404);
    expect((await alice.request('GET', '/v2/alice/going/manifests/stays')).status).toBe(404);
  });

  test('a tag that shares its image with another goes alone', async () => {
    const [alice, browser] = [as('alice'), await signedIn('alice')];
    const { digest } = await pushImage(alice, 'alice/shared', 'v1');
    const { text } = await alice.request('GET', '/v2/alice/shared/manifests/v1');
    await alice.put('alice/shared', 'v2', text);
    const path = '/r/alice/shared/-/tags/v1/delete';
    await browser.submit(await browser.get(path), path, { manifest: 'yes' });
    expect((await alice.request('GET', '/v2/alice/shared/manifests/v1')).status).toBe(404);
    expect((await alice.request('GET', `/v2/alice/shared/manifests/${digest}`)).status).toBe(200);
  });

  test('public and private, grants and their end', async () => {
    await as('alice').image('alice/lent', 'v1');
    const [alice, bob, visitor] = [await signedIn('alice'), await signedIn('bob'), new Browser(registry.url)];
    const path = '/u/alice/-/access';
    const tries = async (): Promise<number[]> => [
      (await visitor.get('/r/alice/lent')).status,
      (await bob.get('/r/alice/lent')).status,
      (await as('bob').request('POST', '/v2/alice/lent/blobs/uploads/')).status,
      (await bob.get('/r/alice/lent/-/edit')).status,
    ];
    expect(await tries()).toEqual([404, 404, 403, 404]);
    const change = async (fields: Record<string, string>): Promise<WebPage> =>
      sound(await alice.submit(await alice.get(path), path, fields));
    expect((await change({ user: 'bob', role: 'write' })).text).toContain('bob write Revoke');
    expect(await tries()).toEqual([404, 200, 202, 403]);
    await change({ user: 'bob', role: 'admin' });
    expect(await tries()).toEqual([404, 200, 202, 200]);
    expect((await change({ user: 'nobody', role: 'read' })).text).toContain('There is no user "nobody".');
    expect((await change({ user: 'bob', role: 'emperor' })).status).toBe(400);
    await change({ revoke: 'bob' });
    expect(await tries()).toEqual([404, 404, 403, 404]);
    expect((await change({ public: 'yes' })).text).toContain('Make it private');
    expect(await tries()).toEqual([200, 200, 403, 403]);
    await change({ public: 'no' });
    expect(await tries()).toEqual([404, 404, 403, 404]);
  });
});

describe('sessions', () => {
  test('a cookie that only this registry reads, and that ends with the sign-out', async () => {
    const browser = await signedIn('alice');
    expect(browser.setCookies.at(-1)).toMatch(
      /^berth-[0-9a-f]{8}=[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const before = new Map(browser.cookies);
    // Another one than before the sign-in, so that nobody can have left it there.
    expect(new Set(browser.setCookies.map((line) => line.split(';')[0])).size).toBe(2);
    expect((await browser.submit(await browser.get('/'), '/sign-out')).text).toContain('Sign in');
    const stolen = new Browser(registry.url);
    for (const [name, value] of before) stolen.cookies.set(name, value);
    expect((await stolen.get('/settings')).title).toStartWith('Sign in');
  });

  test('wrong passwords; only our own pages come next', async () => {
    const browser = new Browser(registry.url);
    const wrong = sound(await browser.signIn('alice', 'no'));
    expect([wrong.status, wrong.text]).toEqual([
      403,
      expect.stringContaining('not the name of a user and their password'),
    ]);
    expect(wrong.form('/sign-in').fields).toMatchObject({ name: 'alice', password: '' });
    expect((await browser.signIn('nobody', 'alice-secret')).status).toBe(403);
    for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', 'settings', '\t//evil.example'])
      expect((await browser.get(`/sign-in?next=${encodeURIComponent(next)}`)).form('/sign-in').fields).toMatchObject({
        next: '/',
      });
    const page = await browser.get('/sign-in?next=%2Fsettings%3Fa%3Db');
    expect((await browser.submit(page, '/sign-in', { name: 'alice', password: 'alice-secret' })).path).toBe(
      '/settings?a=b',
    );
  });

  test('a session outlives the registry’s death, and what was answered is kept', async () => {
    const own = await BerthRegistry.start({ users: { alice: 'alice-secret' } });
    try {
      await new RegistryClient(own, basic('alice:alice-secret')).image('alice/app', 'v1');
      const browser = new Browser(own.url);
      await browser.signIn('alice', 'alice-secret');
      const made = await browser.submit(await browser.get('/settings'), '/settings/tokens', {
        name: 'x',
        role: 'read',
      });
      const edit = '/r/alice/app/-/edit';
      await browser.submit(await browser.get(edit), edit, { description: 'said', readme: '# Said' });
      await browser.submit(await browser.get('/r/alice/app'), '/r/alice/app/-/star', { starred: 'yes' });
      await own.kill();
      await own.start();
      expect((await browser.get('/r/alice/app')).text).toMatch(/Sign out .*said 1 star .*About Said/);
      const token = /berth_[\w-]{43}/.exec(made.text)?.[0];
      expect((await new RegistryClient(own, basic(`alice:${token}`)).request('GET', '/v2/')).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  test('two at once: one gets it, the other is told', async () => {
    const alice = as('alice');
    await pushImage(alice, 'alice/raced', 'v1');
    const browser = await signedIn('alice');
    const path = '/r/alice/raced/-/tags/v1/delete';
    const fields = (await browser.get(path)).form(path).fields;
    const [one, two] = await Promise.all([browser.post(path, fields), browser.post(path, fields)]);
    expect([one.status, two.status].sort()).toEqual([200, 404]);
    const settings = (await browser.get('/settings')).form('/settings/tokens').fields;
    const tokens = ['one', 'one'].map((name) => browser.post('/settings/tokens', { ...settings, name, role: 'read' }));
    expect((await Promise.all(tokens)).map(({ status }) => status).sort()).toEqual([200, 400]);
  });

  test('another password ends all sessions but the one it was changed in', async () => {
    await registry.addUser('carol', 'carol-secret');
    const [here, there] = [await signedIn('carol'), await signedIn('carol')];
    const change = async (current: string, password: string, again = password): Promise<WebPage> =>
      sound(await here.submit(await here.get('/settings'), '/settings/password', { current, password, again }));
    expect((await change('wrong', 'carol-other')).text).toContain('The current password is another one.');
    expect((await change('carol-secret', 'short')).text).toContain('at least 8 characters');
    expect((await change('carol-secret', 'carol-other', 'carol-outer')).text).toContain('not the same');
    expect((await there.get('/settings')).title).toStartWith('Settings');
    expect((await change('carol-secret', 'carol-other')).text).toContain('The password is changed.');
    expect((await here.get('/settings')).title).toStartWith('Settings');
    expect((await there.get('/settings')).title).toStartWith('Sign in');
    await registry.command({ stdin: 'third-secret' }, 'user', 'passwd', '--password-stdin', 'carol');
    expect((await here.get('/settings')).title).toStartWith('Sign in');
    expect((await here.signIn('carol', 'third-secret')).text).toContain('Sign out');
    await registry.command({}, 'user', 'rm', 'carol');
    await registry.addUser('carol', 'third-secret');
    expect((await here.get('/settings')).title).toStartWith('Sign in');
  });

  test('access tokens do what they may, until they are revoked', async () => {
    const browser = await signedIn('bob');
    const make = async (name: string, role: string): Promise<string> => {
      const page = sound(await browser.submit(await browser.get('/settings'), '/settings/tokens', { name, role }));
      return /berth_[\w-]{43}/.exec(page.text)?.[0] as string;
    };
    const [pull, push] = [await make('reader', 'read'), await make('builder', 'write')];
    const again = await browser.submit(await browser.get('/settings'), '/settings/tokens', {
      name: 'reader',
      role: 'read',
    });
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('there is a token "reader" already')]);
    await as('bob').image('bob/app', 'v1');
    const tries = async (secret: string): Promise<number[]> => {
      const client = new RegistryClient(registry, basic(`bob:${secret}`));
      const path = '/v2/bob/app/manifests/v1';
      const bearer = await bearerOf(secret);
      return [
        (await client.request('GET', path)).status,
        (await client.request('POST', '/v2/bob/app/blobs/uploads/')).status,
        (await client.request('DELETE', '/v2/bob/app/manifests/none')).status,
        (await new RegistryClient(registry, bearer).request('POST', '/v2/bob/app/blobs/uploads/')).status,
      ];
    };
    async function bearerOf(secret: string): Promise<Record<string, string>> {
      const url = `${registry.url}/token?service=x&scope=repository:bob/app:pull,push`;
      const { token } = (await (await fetch(url, { headers: basic(`bob:${secret}`) })).json()) as { token?: string };
      return { authorization: `Bearer ${token}` };
    }
    expect(await tries(pull)).toEqual([200, 403, 403, 403]);
    expect(await tries(push)).toEqual([200, 202, 403, 202]);
    const issued = new RegistryClient(registry, await bearerOf(push));
    expect((await issued.request('POST', '/v2/bob/app/blobs/uploads/')).status).toBe(202);
    // It opens nobody else's account, and no page.
    expect((await new RegistryClient(registry, basic(`alice:${push}`)).request('GET', '/v2/')).status).toBe(401);
    expect((await new Browser(registry.url).signIn('bob', push)).status).toBe(403);
    const settings = await browser.get('/settings');
    expect(settings.text).toMatch(/reader Pull just now just now .*builder Pull and push/);
    const id = settings.forms.flatMap(({ buttons }) => buttons)[1]?.replace('id=', '') as string;
    // Nobody else can revoke it.
    const alice = await signedIn('alice');
    expect(
      (await alice.post('/settings/tokens/revoke', { ...(await alice.get('/')).form('/sign-out').fields, id })).status,
    ).toBe(404);
    expect((await issued.request('GET', '/v2/')).status).toBe(200);
    await browser.submit(settings, '/settings/tokens/revoke', { id });
    expect((await issued.request('GET', '/v2/')).status).toBe(401);
    expect((await new RegistryClient(registry, basic(`bob:${push}`)).request('GET', '/v2/')).status).toBe(401);
    expect((await tries(pull))[0]).toBe(200);
  });

  test('guessing ends, and locks nobody else out', async () => {
    await registry.addUser('dave', 'dave-secret');
    const [known, stranger] = [await signedIn('dave'), new Browser(registry.url)];
    await known.submit(await known.get('/'), '/sign-out');
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await stranger.signIn('dave', `guess ${count}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(403), 429, 429]);
    const refused = sound(await new Browser(registry.url).signIn('dave', 'dave-secret'));
    expect([refused.status, Number(refused.headers.get('retry-after')) > 60]).toEqual([429, true]);
    expect((await known.signIn('dave', 'dave-secret')).text).toContain('Sign out');
    await signedIn('alice');
  });
});

describe('what is set at the start', () => {
  async function withRegistry(
    options: Parameters<typeof BerthRegistry.start>[0],
    work: (own: BerthRegistry) => Promise<void>,
  ): Promise<void> {
    const own = await BerthRegistry.start(options);
    try {
      await work(own);
    } finally {
      await own.stop();
    }
  }

  test('--sign-up: accounts for visitors, none of somebody else’s name', async () => {
    expect((await new Browser(registry.url).get('/sign-up')).status).toBe(404);
    await withRegistry({ options: ['--sign-up'] }, async (own) => {
      // Nobody has an account yet, and still nobody may do everything.
      expect((await new RegistryClient(own).request('POST', '/v2/x/blobs/uploads/')).status).toBe(401);
      await own.addUser('root', 'root-secret', '--admin');
      await new RegistryClient(own, basic('root:root-secret')).image('firm/app', 'v1');
      const browser = new Browser(own.url);
      const signUp = async (name: string, password = 'good-secret', again = password): Promise<WebPage> =>
        sound(await browser.submit(await browser.get('/sign-up'), '/sign-up', { name, password, again }));
      for (const name of ['library', 'root', 'firm', 'Upper', 'a/b', '-x', 'x', 'a..b', 'é', 'x'.repeat(65)])
        expect([name, (await signUp(name)).status]).toEqual([name, 400]);
      expect((await signUp('erin', 'short')).text).toContain('at least 8 characters');
      expect((await signUp('erin', 'good-secret', 'bad-secret')).text).toContain('not the same');
      const page = await signUp('erin');
      expect([page.path, page.text]).toEqual(['/u/erin', expect.stringContaining('erin Private')]);
      await new RegistryClient(own, basic('erin:good-secret')).image('erin/app', 'v1');
      const other = new Browser(own.url);
      const taken = await other.submit(await other.get('/sign-up'), '/sign-up', {
        name: 'erin',
        password: 'other-secret',
        again: 'other-secret',
      });
      expect([taken.status, taken.text]).toEqual([400, expect.stringContaining('The name erin is taken.')]);
      const race = async (): Promise<number> => {
        const each = new Browser(own.url);
        const filled = { name: 'twice', password: 'good-secret', again: 'good-secret' };
        return (await each.submit(await each.get('/sign-up'), '/sign-up', filled)).status;
      };
      expect((await Promise.all([race(), race()])).sort()).toEqual([200, 400]);
      let last = 200;
      for (let count = 0; count < 12 && last === 200; count++) {
        const each = new Browser(own.url);
        last = (
          await each.submit(await each.get('/sign-up'), '/sign-up', {
            name: `robot${count}`,
            password: 'good-secret',
            again: 'good-secret',
          })
        ).status;
      }
      expect(last).toBe(429);
    });
  });

  test('no accounts for visitors of a cache: they could take names of the other registry', async () => {
    const options = ['--sign-up', '--mirror', 'http://127.0.0.1:1'];
    await expect(BerthRegistry.start({ options })).rejects.toThrow('--sign-up and --mirror do not go together');
    await expect(BerthRegistry.start({ options: ['--sign-up', '--no-pages'] })).rejects.toThrow('needs the pages');
  });

  test('users of an htpasswd file sign in, until the file says another password', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-pages-'));
    const path = join(directory, 'htpasswd');
    const write = async (password: string): Promise<void> =>
      writeFileSync(path, `user:${await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })}\n`);
    await write('first-secret');
    await withRegistry({ options: ['--htpasswd', path] }, async (own) => {
      const browser = new Browser(own.url);
      await browser.signIn('user', 'first-secret');
      const settings = sound(await browser.get('/settings'));
      expect(settings.text).toContain('Yours is in the file of this registry');
      const token = settings.form('/sign-out').fields;
      expect((await browser.post('/settings/password', { ...token, password: 'another-one' })).status).toBe(404);
      const made = await browser.post('/settings/tokens', { ...token, name: 'x', role: 'write' });
      const secret = /berth_[\w-]{43}/.exec(made.text)?.[0];
      await new RegistryClient(own, basic(`user:${secret}`)).image('any/thing', 'v1');
      await write('second-secret');
      expect((await browser.get('/settings')).title).toStartWith('Sign in');
      writeFileSync(path, '');
      expect((await new RegistryClient(own, basic(`user:${secret}`)).request('GET', '/v2/')).status).toBe(401);
    });
    rmSync(directory, { recursive: true });
  });

  test('what a cache fetched, and things that are no image', async () => {
    const upstream = await BerthRegistry.start();
    await pushImage(new RegistryClient(upstream), 'far/away', 'v1');
    await withRegistry({ options: ['--mirror', upstream.url] }, async (own) => {
      const client = new RegistryClient(own);
      expect((await client.request('GET', '/v2/far/away/manifests/v1')).status).toBe(200);
      const browser = new Browser(own.url);
      expect(sound(await browser.get('/r/far/away')).text).toMatch(/1 tag v1 fetched just now docker pull/);
      const part = { mediaType: emptyType, digest: await client.blob('chart', '{}'), size: 2 };
      const config = { ...part, mediaType: 'application/vnd.cncf.helm.config.v1+json' };
      await client.put('chart', 'v1', { schemaVersion: 2, mediaType: manifestType, config, layers: [part] });
      const chart = sound(await browser.get('/r/chart/-/tags/v1'));
      expect(chart.text).toContain(`oras pull ${own.host}/chart:v1`);
      expect(chart.text).toContain('Artifact Helm chart application/vnd.cncf.helm.config.v1+json');
      expect(chart.text).not.toContain('docker pull');
      await browser.get('/r/none');
      await until('the refusal in the log', () => own.log.includes('GET /r/none: 404 There is no such page'));
    });
    await upstream.stop();
  });

  test('no users: everybody does everything, by forms of their own', async () => {
    await withRegistry({}, async (own) => {
      const browser = new Browser(own.url);
      expect(sound(await browser.get('/')).text).toContain('Nothing is here yet. Push an image:');
      await new RegistryClient(own).image('app', 'v1');
      const page = sound(await browser.get('/r/app'));
      expect(page.text).not.toContain('Sign');
      expect((await new Browser(own.url).post('/r/app/-/star', { starred: 'yes' })).status).toBe(403);
      expect((await browser.submit(page, '/r/app/-/star', { starred: 'yes' })).text).toContain('1 star');
      for (const path of ['/sign-in', '/sign-up', '/u/app/-/access'])
        expect((await browser.get(path)).status).toBe(404);
      const path = '/r/app/-/tags/v1/delete';
      expect((await browser.submit(await browser.get(path), path)).path).toBe('/');
      expect((await new RegistryClient(own).request('GET', '/v2/app/manifests/v1')).status).toBe(404);
    });
  });

  test('--no-delete, --public', async () => {
    await withRegistry({ users: { alice: 'alice-secret' }, options: ['--no-delete', '--public'] }, async (own) => {
      await new RegistryClient(own, basic('alice:alice-secret')).image('alice/app', 'v1');
      const browser = new Browser(own.url);
      expect((await browser.get('/r/alice/app')).text).toContain('Public');
      await browser.signIn('alice', 'alice-secret');
      expect((await browser.get('/r/alice/app')).links.filter((link) => link.includes('delete'))).toEqual([]);
      expect((await browser.get('/r/alice/app/-/delete')).status).toBe(403);
      expect((await browser.get('/u/alice/-/access')).text).toContain('lets everybody pull everything');
    });
  });

  test('TLS: the cookie goes over nothing else', async () => {
    await withRegistry(
      { users: { alice: 'alice-secret' }, options: ['--tls-self-signed', '127.0.0.1'] },
      async (own) => {
        const browser = new Browser(own.url);
        expect((await browser.signIn('alice', 'alice-secret')).text).toContain('Sign out');
        expect(browser.setCookies.at(-1)).toMatch(
          /^__Host-berth-[0-9a-f]{8}=.*; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
        );
      },
    );
  });

  test('--no-pages, and what clients get with pages', async () => {
    await withRegistry({ options: ['--no-pages'] }, async (own) => {
      const html = { headers: { accept: 'text/html' } };
      expect((await new RegistryClient(own).request('GET', '/', html)).text).toBe('{"standalone":true}\n');
      expect(await new RegistryClient(own).request('GET', '/sign-in', html)).toMatchObject({
        status: 404,
        code: 'NAME_UNKNOWN',
      });
    });
    const client = new RegistryClient(registry, { accept: 'text/html' });
    for (const path of ['/v2', '/v2/', '/v2/alice/web/manifests/v1', '/v2/_catalog', '/v2/nothing'])
      expect([path, (await client.request('GET', path)).headers.get('content-type')]).toEqual([
        path,
        'application/json; charset=utf-8',
      ]);
    expect((await client.request('GET', '/nothing')).headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await new RegistryClient(registry).request('GET', '/nothing')).toMatchObject({
      status: 404,
      code: 'NAME_UNKNOWN',
    });
    const head = await client.request('HEAD', '/');
    expect([head.status, head.text]).toEqual([200, '']);
    const style = /href="(\/style-[0-9a-f]+\.css)"/.exec((await client.request('GET', '/')).text)?.[1] as string;
    expect((await client.request('GET', style)).headers.get('cache-control')).toContain('immutable');
    expect((await client.request('GET', '/favicon.svg')).headers.get('content-type')).toBe('image/svg+xml');
  });
});
