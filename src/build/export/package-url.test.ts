import { expect, test } from 'bun:test';
import { imageUrl } from './package-url.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };

test.each([
  ['busybox', 'pkg:docker/busybox@latest?platform=linux%2Famd64'],
  ['me/app:1', 'pkg:docker/me/app@1?platform=linux%2Famd64'],
  ['localhost:5000/foo/bar:1', 'pkg:docker/localhost%3A5000/foo/bar@1?platform=linux%2Famd64'],
  [`x@sha256:${'a'.repeat(64)}`, `pkg:docker/x?digest=sha256%3A${'a'.repeat(64)}&platform=linux%2Famd64`],
])('%s', (name, url) => {
  expect(imageUrl(name, amd64)).toBe(url);
});

test('without a platform', () => {
  expect(imageUrl('busybox:1', null)).toBe('pkg:docker/busybox@1');
});
