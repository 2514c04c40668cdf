import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { directoryFiles } from '../session/layered-files.ts';
import type { FoundPackage } from './found-package.ts';
import { scanTree } from './scan.ts';
import { spdxDocument } from './spdx.ts';

let root: string;
let found: FoundPackage[];

const tree = {
  'etc/os-release': 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status': `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <libc@debian.org>
Architecture: amd64
Source: glibc (2.36)
Version: 1:2.36-9+deb12u7
Homepage: https://www.gnu.org/software/libc/libc.html
Description: GNU C Library
 More of it.

Package: gone
Status: deinstall ok config-files
Version: 1
`,
  'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: all\n',
  'var/lib/dpkg/status.d/base.md5sums': 'Package: no\nVersion: 1\n',
  'lib/apk/db/installed':
    'C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nm:A B <a@b>\n\nP:ssl_client\nV:1\no:busybox\n',
  'app/node_modules/@scope/left/package.json': '{"name":"@scope/left","version":"1.0.0","license":"MIT"}',
  'app/node_modules/@scope/left/test/package.json': '{"name":"fixture","version":"9.9.9"}',
  'app/node_modules/broken/package.json': 'no json',
  'app/node_modules/half/package.json': '{"name":"half\\ud800","version":"1"}',
  'app/package-lock.json': JSON.stringify({
    packages: {
      '': { name: 'app', version: '0.0.1' },
      'node_modules/right': { version: '2.0.0', license: 'Apache-2.0' },
      'node_modules/right/node_modules/@scope/left': { version: '1.0.0' },
      'node_modules/tool': { version: '3.0.0', dev: true },
    },
  }),
  'usr/lib/python3/Flask_Thing-2.1.dist-info/METADATA':
    'Metadata-Version: 2.1\nName: Flask_Thing\nVersion: 2.1\nLicense: BSD something\nSummary: A thing\n\nName: body\n',
} as const;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'berth-sbom-'));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  found = await scanTree(directoryFiles(root), new AbortController().signal);
});
afterAll(() => rmSync(root, { recursive: true }));

test('every package once, by its package URL', () => {
  expect(found.map(({ url }) => url)).toEqual([
    'pkg:apk/debian/musl@1.2.4-r2?arch=x86_64&distro=debian-12',
    'pkg:apk/debian/ssl_client@1?distro=debian-12&upstream=busybox',
    'pkg:deb/debian/base-files@12.4?arch=all&distro=debian-12',
    'pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u7?arch=amd64&distro=debian-12&upstream=glibc',
    'pkg:npm/%40scope/left@1.0.0',
    'pkg:npm/half%EF%BF%BD@1',
    'pkg:npm/right@2.0.0',
    'pkg:pypi/flask-thing@2.1',
  ]);
});

test('what the lists say of a package', () => {
  expect(found.find(({ name }) => name === 'libc6')).toEqual({
    name: 'libc6',
    version: '1:2.36-9+deb12u7',
    location: '/var/lib/dpkg/status',
    list: 'DPKG DB',
    url: expect.any(String),
    supplier: 'Person: GNU Libc Maintainers (libc@debian.org)',
    homepage: 'https://www.gnu.org/software/libc/libc.html',
    summary: 'GNU C Library',
  });
  expect(found.find(({ name }) => name === 'Flask_Thing')).toMatchObject({
    license: 'BSD something',
    summary: 'A thing',
  });
});

test('an SPDX document: equal packages make equal documents, and only known licences are expressions', () => {
  const wish = { name: 'a:1', content: `sha256:${'1'.repeat(64)}`, created: 1_600_000_000_000, packages: found };
  const document = spdxDocument(wish) as {
    packages: { name: string; SPDXID: string; licenseDeclared: string; licenseComments?: string }[];
    relationships: { relatedSpdxElement: string }[];
    creationInfo: { created: string };
  };
  expect(spdxDocument(wish)).toEqual(document);
  expect(document.creationInfo.created).toBe('2020-09-13T12:26:40Z');
  const ids = document.packages.map(({ SPDXID }) => SPDXID);
  expect(new Set(ids).size).toBe(found.length + 1);
  expect(document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(ids);
  const licence = (name: string) => document.packages.find((one) => one.name === name);
  expect(licence('musl')).toMatchObject({ licenseDeclared: 'MIT' });
  expect(licence('Flask_Thing')).toMatchObject({
    licenseDeclared: 'NOASSERTION',
    licenseComments: 'The package says: BSD something',
  });
});

test('a scan that is called off ends', async () => {
  const signal = AbortSignal.abort(new Error('called off'));
  await expect(scanTree(directoryFiles(root), signal)).rejects.toThrow('called off');
});
