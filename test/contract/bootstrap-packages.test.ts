/** Packages out of the host's apt, also on a machine whose package lists were never fetched. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostSources, unpackedPackage } from '../../src/engine/images/bootstrap/apt.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-packages-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('the host’s sources', async () => {
  const sources = await hostSources({});
  expect(sources.length).toBeGreaterThan(0);
  for (const { uri, component } of sources)
    expect([uri.endsWith('/'), component.includes('|')]).toEqual([false, false]);
});

test('a package is fetched and unpacked, with the host’s lists or lists of its own', async () => {
  const lists = join(directory, 'none');
  const settings = join(directory, 'apt.conf');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  writeFileSync(settings, `Dir::State::lists "${lists}";\n`);
  const unpacked = await unpackedPackage('debootstrap', directory, { env: { APT_CONFIG: settings } });
  expect(existsSync(join(unpacked, 'usr/sbin/debootstrap'))).toBe(true);
  expect(existsSync(join(directory, 'apt/lists'))).toBe(true);
}, 180_000);

test('a package that nobody has', async () => {
  await expect(unpackedPackage('no-such-package-anywhere', directory, {})).rejects.toThrow('no-such-package-anywhere');
}, 180_000);
