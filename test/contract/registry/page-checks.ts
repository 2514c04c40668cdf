/** What the tests of the pages share. */
import { expect } from 'bun:test';
import type { BerthRegistry } from '../../support/berth-registry.ts';
import { Browser, htmlProblems, type WebPage } from '../../support/browser.ts';
import { digestOf, manifestOf, RegistryClient, someBytes } from './client.ts';

export const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

/** A user's password is `<name>-secret`. */
export function asUser(registry: BerthRegistry, name: string): RegistryClient {
  return new RegistryClient(registry, basic(`${name}:${name}-secret`));
}

export async function browserOf(registry: BerthRegistry, name: string): Promise<Browser> {
  const browser = new Browser(registry.url);
  const page = await browser.signIn(name, `${name}-secret`);
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('Sign out')]);
  return browser;
}

/** Sees that every page is well-formed, and cannot be put into a frame or kept. */
export function sound(page: WebPage): WebPage {
  expect([page.path, htmlProblems(page.html)]).toEqual([page.path, []]);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'self';.*frame-ancestors 'none'/,
  );
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
  return page;
}

export async function pushImage(client: RegistryClient, repository: string, tag: string, config: object = {}) {
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
