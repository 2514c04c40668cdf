import { BerthError } from '../../api/errors.ts';
import {
  canonicalString,
  familiarName,
  familiarString,
  parseReference,
  type Reference,
  withDefaultTag,
  withTag,
} from '../../oci/reference.ts';
import { type ImageContext, labelsOf, publishImageEvent } from './image-context.ts';
import { findImage, targetOf } from './image-names.ts';

/**
 * The name that `repository` and `tag` of a request make; an empty tag is `latest`. Error: `invalid`, dockerd's words.
 */
export function readTarget(repository: string, tag: string): Reference {
  const reference = parseReference(repository);
  if (reference.digest !== undefined) throw new BerthError('invalid', 'cannot import digest reference');
  if (familiarName(reference) === 'sha256')
    throw new BerthError('invalid', 'refusing to create an ambiguous tag using digest algorithm as name');
  return tag === '' ? withDefaultTag(reference) : withTag(reference, tag);
}

/** Gives an image one more name; a name that another image had moves. Errors: `not-found`, `invalid`. */
export async function tagImage(context: ImageContext, name: string, target: Reference): Promise<void> {
  const image = findImage(context.store, name);
  await context.store.setReference(canonicalString(target), image.id, targetOf(context.store, name)?.digest ?? null);
  publishImageEvent(context, 'tag', { id: image.id, labels: labelsOf(image) }, familiarString(target));
}
