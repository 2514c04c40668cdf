/** Who is signed in on the registry's pages, for how long, and what its options change. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthRegistry } from '../../support/berth-registry.ts';
import { Browser, type WebPage } from '../../support/browser.ts';
import { until } from '../../support/until.ts';
import { emptyType, manifestType, RegistryClient } from './client.ts';
import { asUser, basic, browserOf, pushImage, sound } from './page-checks.ts';

let registry: BerthRegistry;
beforeAll(async () => {
  registry = await BerthRegistry.start({ users: { alice: 'alice-secret', bob: 'bob-secret' } });
});
afterAll(() => registry.stop());

const as = (name: string): RegistryClient => asUser(registry, name);
const signedIn = (name: string): Promise<Browser> => browserOf(registry, name);

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
