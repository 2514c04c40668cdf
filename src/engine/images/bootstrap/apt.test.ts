import { expect, test } from 'bun:test';
import { type AptSource, suiteSources } from './apt.ts';

const host: AptSource[] = [
  { uri: 'http://mirror.example/debian', release: 'bookworm', component: 'main' },
  { uri: 'http://mirror.example/debian', release: 'bookworm-updates', component: 'main' },
  { uri: 'http://mirror.example/debian-security', release: 'bookworm-security', component: 'main' },
  { uri: 'https://packages.example/apt', release: 'stable', component: 'main' },
];

test('the host’s mirror, with updates and security of the suite', () => {
  expect(suiteSources('bookworm', host)).toEqual({
    mirror: 'http://mirror.example/debian',
    lines: [
      { uri: 'http://mirror.example/debian', suites: ['bookworm', 'bookworm-updates'] },
      { uri: 'http://mirror.example/debian-security', suites: ['bookworm-security'] },
    ],
  });
});

test('another suite from the same mirror; no updates where there are none', () => {
  expect(suiteSources('trixie', host).lines[1]?.suites).toEqual(['trixie-security']);
  expect(suiteSources('sid', host).lines).toEqual([{ uri: 'http://mirror.example/debian', suites: ['sid'] }]);
});

test('what a container cannot reach, or would give a secret away, is not taken', () => {
  const unusable = [
    'cdrom:[Debian 12]',
    'file:/srv/debian',
    'http://user:password@mirror.example/debian',
    'http://localhost/debian',
    'http://archive.ubuntu.com/ubuntu',
  ].map((uri) => ({ uri, release: 'bookworm', component: 'main' }));
  expect(suiteSources('bookworm', unusable)).toEqual({
    mirror: 'http://deb.debian.org/debian',
    lines: [
      { uri: 'http://deb.debian.org/debian', suites: ['bookworm', 'bookworm-updates'] },
      { uri: 'http://deb.debian.org/debian-security', suites: ['bookworm-security'] },
    ],
  });
});
