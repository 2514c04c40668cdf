/** The hub's story: an account made in a browser, pushed with by both clients, seen, starred, found, deleted. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Browser } from '../support/browser.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({
    images: ['busybox'],
    env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '10.0.0.0/8' },
  });
});
afterAll(() => engine.cleanUp());

/** A registry in a container, as people run it. */
async function startRegistry(name: string, ...options: string[]): Promise<{ host: string; url: string }> {
  const port = await freePort();
  const host = `localhost:${port}`;
  await engine.ok('run', '-d', '--name', name, '-p', `${port}:5000`, 'registry', 'serve', ...options);
  const url = `http://${host}`;
  await until('the registry to answer', () =>
    fetch(`${url}/`, { signal: AbortSignal.timeout(1000) }).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { host, url };
}

test.each(['berth', 'docker'] as const)('sign up, login, push, look, star, search, delete: %s', async (client) => {
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await engine[client](...args);
    if (code !== 0) throw new Error(`${client} ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const login = async (user: string, password: string): Promise<void> => {
    const args = ['login', '-u', user, '--password-stdin', host];
    const stdin = { stdin: password };
    const done = await (client === 'berth' ? engine.berthWith(stdin, ...args) : engine.dockerWith(stdin, ...args));
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
  };
  const name = `hub-${client}`;
  const { host, url } = await startRegistry(name, '--sign-up');
  const signUp = async (user: string): Promise<Browser> => {
    const browser = new Browser(url);
    const filled = { name: user, password: `${user}-secret`, again: `${user}-secret` };
    const page = await browser.submit(await browser.get('/sign-up'), '/sign-up', filled);
    expect([page.status, page.path]).toEqual([200, `/u/${user}`]);
    return browser;
  };
  const alice = await signUp('alice');
  const image = `${host}/alice/shop`;
  await ok('tag', 'busybox', `${image}:v1`);
  expect((await engine[client]('push', `${image}:v1`)).stderr).toContain('unauthorized: authentication required');
  await login('alice', 'alice-secret');
  const digest = /v1: digest: (sha256:[0-9a-f]{64})/.exec(await ok('push', `${image}:v1`))?.[1] as string;
  const shown = await alice.get('/r/alice/shop');
  expect(shown.text).toMatch(/alice\/shop Private .*1 tag v1 pushed just now by alice .*linux\/amd64 [\d.]+ [kM]B/);
  expect((await alice.get('/r/alice/shop/-/tags/v1')).text).toContain(digest);

  const bob = await signUp('bob');
  expect((await bob.get('/r/alice/shop')).status).toBe(404);
  await alice.submit(await alice.get('/u/alice/-/access'), '/u/alice/-/access', { public: 'yes' });
  const edit = '/r/alice/shop/-/edit';
  await alice.submit(await alice.get(edit), edit, { description: 'Sells things' });
  const starred = await bob.submit(await bob.get('/r/alice/shop'), '/r/alice/shop/-/star', { starred: 'yes' });
  expect(starred.text).toContain('Sells things 1 star');
  expect((await new Browser(url).get('/search?q=sells')).text).toContain('alice/shop Sells things 1 star');
  expect(await ok('search', `${host}/sells`)).toMatch(/alice\/shop +Sells things +1/);

  // A token instead of the password, which may only pull.
  const made = await alice.submit(await alice.get('/settings'), '/settings/tokens', { name: 'reader', role: 'read' });
  await ok('logout', host);
  await login('alice', /berth_[\w-]{43}/.exec(made.text)?.[0] as string);
  await ok('rmi', `${image}:v1`);
  expect(await ok('pull', `${image}:v1`)).toContain(`Digest: ${digest}`);
  expect((await engine[client]('push', `${image}:v1`)).stderr).toContain('denied');
  await ok('rmi', `${image}:v1`);

  const deletion = '/r/alice/shop/-/tags/v1/delete';
  await alice.submit(await alice.get(deletion), deletion);
  expect((await engine[client]('pull', `${image}:v1`)).stderr).toMatch(/not found|manifest unknown/);
  expect((await bob.get('/r/alice/shop')).status).toBe(404);
  await ok('logout', host);
  await engine.ok('rm', '-f', name);
});
