import { describe, expect, test } from 'bun:test';
import { BerthError } from '../api/errors.ts';
import {
  canonicalString,
  familiarString,
  isNameOnly,
  parseReference,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts';

const hex = 'a'.repeat(64);

describe('names are normalised as Docker does', () => {
  const cases: [typed: string, canonical: string, familiar: string][] = [
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['user/app', 'docker.io/user/app', 'user/app'],
    ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['index.docker.io/library/busybox:x', 'docker.io/library/busybox:x', 'busybox:x'],
    ['library/busybox', 'docker.io/library/busybox', 'busybox'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['[::1]:5000/a/b', '[::1]:5000/a/b', '[::1]:5000/a/b'],
    ['Registry/app', 'Registry/app', 'Registry/app'],
    [`ghcr.io/a/b/c@sha256:${hex}`, `ghcr.io/a/b/c@sha256:${hex}`, `ghcr.io/a/b/c@sha256:${hex}`],
    [`a:b@sha256:${hex}`, `docker.io/library/a:b@sha256:${hex}`, `a:b@sha256:${hex}`],
    ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['a__b/c---d.e', 'docker.io/a__b/c---d.e', 'a__b/c---d.e'],
  ];
  test.each(cases)('%s', (typed, canonical, familiar) => {
    const reference = parseReference(typed);
    expect(canonicalString(reference)).toBe(canonical);
    expect(familiarString(reference)).toBe(familiar);
    expect(canonicalString(parseReference(canonical))).toBe(canonical);
    expect(canonicalString(parseReference(familiar))).toBe(canonical);
  });
});

describe('errors are in Docker’s words', () => {
  const cases: [typed: string, message: string][] = [
    ['', 'invalid reference format'],
    ['Foo', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    ['localhost/Foo:x', 'invalid reference format: repository name (Foo) must be lowercase'],
    ['a b', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['a___b', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['a@sha256:1234', 'invalid reference format'],
    [`a@sha256:${'a'.repeat(63)}`, 'invalid checksum digest length'],
    [`a@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
    [`a@md5x:${'a'.repeat(64)}`, 'unsupported digest algorithm'],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    [`x.y/${'a/'.repeat(128)}b`, 'repository name must not be more than 255 characters'],
  ];
  test.each(cases)('%s', (typed, message) => {
    expect(() => parseReference(typed)).toThrow(new BerthError('invalid', message));
  });
  test('a tag added later', () => {
    expect(() => withTag(parseReference('a'), '-b')).toThrow('invalid tag format');
  });
});

test('a long hostile name is refused without backtracking for ever', () => {
  const before = process.cpuUsage();
  expect(() => parseReference(`${'a-'.repeat(50_000)}!`)).toThrow();
  // Microseconds of the processor: others may use it meanwhile.
  expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
});

test('tag, digest and default', () => {
  const name = parseReference('busybox');
  expect(isNameOnly(name)).toBe(true);
  expect(familiarString(withDefaultTag(name))).toBe('busybox:latest');
  expect(familiarString(withTag(withDigest(name, `sha256:${hex}`), 'x'))).toBe('busybox:x');
  expect(familiarString(withDefaultTag(withDigest(name, `sha256:${hex}`)))).toBe(`busybox@sha256:${hex}`);
});
