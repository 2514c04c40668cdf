/** The registry's pages: what they show and to whom, and what their forms do. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { Browser, type WebPage } from '../../support/browser.ts';
import { digestOf, emptyType, indexType, manifestType, type RegistryClient } from './client.ts';
import { asUser, browserOf, pushImage, sound } from './page-checks.ts';

let registry: BerthRegistry;
beforeAll(async () => {
  registry = await BerthRegistry.start({ users: { alice: 'alice-secret', bob: 'bob-secret' } });
  await registry.addUser('root', 'root-secret', '--admin');
});
afterAll(() => registry.stop());

const as = (name: string): RegistryClient => asUser(registry, name);
const signedIn = (name: string): Promise<Browser> => browserOf(registry, name);

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
