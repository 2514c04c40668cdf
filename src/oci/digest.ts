/**
 * Content digests, `<algorithm>:<hex>` (https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests).
 * Error texts are those of the go-digest library, because Docker shows them unchanged.
 */
import { createHash, type Hash } from 'node:crypto';
import { BerthError } from '../api/errors.ts';

/** Hex digits per algorithm; the two that the specification registers and Docker links in, and SHA-384, which Docker knows too. */
const hexLength: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

const digestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const sha256Pattern = /^sha256:[0-9a-f]{64}$/;

/** True for a complete digest of a known algorithm. */
export function isDigest(text: string): boolean {
  return digestProblem(text) === null;
}

/** True for `sha256:` and 64 lower-case hex digits, the only form that names a blob in the store. */
export function isSha256Digest(text: string): boolean {
  return sha256Pattern.test(text);
}

/** Gives `text` back when it is a digest. Error: `invalid` in go-digest's words. */
export function parseDigest(text: string): string {
  const problem = digestProblem(text);
  if (problem) throw new BerthError('invalid', problem);
  return text;
}

function digestProblem(text: string): string | null {
  const separator = text.indexOf(':');
  if (separator <= 0 || separator + 1 === text.length || !digestPattern.test(text))
    return 'invalid checksum digest format';
  const length = hexLength[text.slice(0, separator)];
  if (length === undefined) return 'unsupported digest algorithm';
  const hex = text.slice(separator + 1);
  if (hex.length !== length) return 'invalid checksum digest length';
  return /^[0-9a-f]+$/.test(hex) ? null : 'invalid checksum digest format';
}

/** The part before the colon. */
function digestAlgorithm(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}

/** The hex digits after the colon. */
export function digestHex(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** `sha256:…` of bytes that are in memory. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A hash that collects what `digest` promises; compare with `digest` itself by `finishHash`. */
export function startHash(digest: string): Hash {
  return createHash(digestAlgorithm(digest));
}

/** The digest of everything given to a hash of `startHash(digest)`. */
export function finishHash(digest: string, hash: Hash): string {
  return `${digestAlgorithm(digest)}:${hash.digest('hex')}`;
}
