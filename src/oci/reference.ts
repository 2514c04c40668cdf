/**
 * Names of images as Docker normalises them (https://github.com/distribution/reference, grammar of
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests): `busybox` is
 * `docker.io/library/busybox`. Error texts are Docker's.
 */
import { BerthError } from '../api/errors.ts';
import { parseDigest } from './digest.ts';

/** A name in its full form. Without tag and digest it names a whole repository. */
export interface Reference {
  /** Registry host, with port where one is given: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository below the registry: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

export const defaultDomain = 'docker.io';
const defaultTag = 'latest';
const legacyDefaultDomain = 'index.docker.io';
const officialPrefix = 'library/';
const longestName = 255;

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const pathComponent = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const remoteName = `${pathComponent}(?:/${pathComponent})*`;
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';

const referencePattern = new RegExp(`^((?:${domain}/)?${remoteName})(?::(${tag}))?(?:@(${digest}))?$`);
const tagPattern = new RegExp(`^${tag}$`);
const identifierPattern = /^[a-f0-9]{64}$/;

/**
 * Reads a name that a user typed. Error: `invalid`, Docker's text.
 * Tag and digest stay absent where they are not given; see `withDefaultTag`.
 */
export function parseReference(text: string): Reference {
  if (identifierPattern.test(text))
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { registry, remainder } = splitDomain(text);
  const separator = remainder.indexOf(':');
  const remote = separator < 0 ? remainder : remainder.slice(0, separator);
  if (remote.toLowerCase() !== remote)
    throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  const match = referencePattern.exec(`${registry}/${remainder}`);
  if (!match) throw invalid('invalid reference format');
  const path = (match[1] as string).slice(registry.length + 1);
  if (path.length > longestName) throw invalid(`repository name must not be more than ${longestName} characters`);
  return {
    domain: registry,
    path,
    ...(match[2] !== undefined && { tag: match[2] }),
    ...(match[3] !== undefined && { digest: parseDigest(match[3]) }),
  };
}

function splitDomain(text: string): { registry: string; remainder: string } {
  const slash = text.indexOf('/');
  let registry = defaultDomain;
  let remainder = text;
  if (slash >= 0) {
    const first = text.slice(0, slash);
    const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
    if (isHost) {
      registry = first === legacyDefaultDomain ? defaultDomain : first;
      remainder = text.slice(slash + 1);
    }
  }
  if (registry === defaultDomain && !remainder.includes('/')) remainder = officialPrefix + remainder;
  return { registry, remainder };
}

function invalid(message: string): BerthError {
  return new BerthError('invalid', message);
}

/** `reference` with this tag and without digest. Error: `invalid` `invalid tag format`. */
export function withTag(reference: Reference, newTag: string): Reference {
  if (!tagPattern.test(newTag)) throw invalid('invalid tag format');
  return { domain: reference.domain, path: reference.path, tag: newTag };
}

/** `reference` with this digest; a tag that it has is kept, as Docker does. Error: `invalid`. */
export function withDigest(reference: Reference, newDigest: string): Reference {
  return { ...reference, digest: parseDigest(newDigest) };
}

/** True where neither tag nor digest is given. */
export function isNameOnly(reference: Reference): boolean {
  return reference.tag === undefined && reference.digest === undefined;
}

/** Adds `latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  return isNameOnly(reference) ? { ...reference, tag: defaultTag } : reference;
}

/** The full name without tag and digest: `docker.io/library/busybox`. */
export function canonicalName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full form: `docker.io/library/busybox:latest`. What the database keeps. */
export function canonicalString(reference: Reference): string {
  return canonicalName(reference) + suffix(reference);
}

/** The short name that users see: `busybox`, `user/app`, `localhost:5000/app`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return canonicalName(reference);
  const short = reference.path.startsWith(officialPrefix) ? reference.path.slice(officialPrefix.length) : '';
  // `library/a/b` is no official name, and shortened it would be read as another repository.
  return short === '' || short.includes('/') ? reference.path : short;
}

/** The short form with tag and digest: `busybox:latest`. */
export function familiarString(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

function suffix(reference: Reference): string {
  return (reference.tag === undefined ? '' : `:${reference.tag}`) + (reference.digest ? `@${reference.digest}` : '');
}
