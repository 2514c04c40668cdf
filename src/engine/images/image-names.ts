/** Which image a user means. */
import { BerthError } from '../../api/errors.ts';
import { isSha256Digest } from '../../oci/digest.ts';
import {
  canonicalName,
  canonicalString,
  familiarString,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { StoredImage, StoredTarget } from '../../store/types.ts';

/** 64 hex digits or a whole digest; anything else is a name. */
function fullId(text: string): string | null {
  if (/^[0-9a-f]{64}$/.test(text)) return `sha256:${text}`;
  return isSha256Digest(text) ? text : null;
}

/** Error: `No such image`, as dockerd words it: with `:latest` where a name has neither tag nor digest. */
export function noSuchImage(text: string): BerthError {
  const id = fullId(text);
  const name = id ?? familiarString(withDefaultTag(parseReference(text)));
  return new BerthError('not-found', `No such image: ${name}`, { code: 'no-such-image' });
}

/** The reference that is looked up: a digest outweighs a tag. */
export function lookupReference(reference: Reference): Reference {
  const { domain, path, digest } = reference;
  return digest === undefined ? withDefaultTag(reference) : { domain, path, digest };
}

/**
 * Finds by name, name:tag, name@digest, id or unique prefix of an id. Errors: `not-found` `No such image: …`, `invalid` for what is
 * no name at all.
 */
export function findImage(store: ImageStore, text: string): StoredImage {
  const id = fullId(text);
  if (id !== null) {
    const image = store.image(id);
    if (image && !image.hidden) return image;
    throw noSuchImage(text);
  }
  const named = store.reference(canonicalString(lookupReference(parseReference(text))));
  const found = named ?? searchById(store, text);
  const image = found === null ? null : store.image(found);
  if (!image) throw noSuchImage(text);
  return image;
}

/** What a name that `findImage` finds stands for outside of the engine; null: the image alone, and for every id. */
export function targetOf(store: ImageStore, text: string): StoredTarget | null {
  if (fullId(text) !== null) return null;
  return store.target(canonicalString(lookupReference(parseReference(text))));
}

/** The only image whose id begins like this, or null. */
export function searchById(store: ImageStore, text: string): string | null {
  const hex = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  if (!/^[0-9a-f]{1,64}$/.test(hex)) return null;
  const ids = store.records.idsByPrefix(hex);
  return ids.length === 1 ? (ids[0] as string) : null;
}

/** True where the text is (the beginning of) the id itself. */
export function isIdPrefix(id: string, text: string): boolean {
  return id.startsWith(text) || id.slice('sha256:'.length).startsWith(text);
}

/** A stored reference, taken apart. */
export interface StoredReference {
  canonical: string;
  familiar: string;
  /** Repository in full, without tag and digest. */
  repository: string;
  isDigest: boolean;
}

export function readStoredReference(canonical: string): StoredReference {
  const reference = parseReference(canonical);
  return {
    canonical,
    familiar: familiarString(reference),
    repository: canonicalName(reference),
    isDigest: reference.digest !== undefined,
  };
}

/** `name:tag` and `name@digest` as users see them, sorted. */
export function familiarNames(image: StoredImage): { tags: string[]; digests: string[] } {
  const tags: string[] = [];
  const digests: string[] = [];
  for (const reference of image.references.map(readStoredReference))
    (reference.isDigest ? digests : tags).push(reference.familiar);
  return { tags, digests };
}
