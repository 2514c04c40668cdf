/** `docker rmi`: takes a name away, or the image with all its names. The rules and words are dockerd's. */
import { BerthError } from '../../api/errors.ts';
import type { ImageDeleteItem } from '../../api/types/image.ts';
import { chainIds } from '../../oci/image-config.ts';
import { canonicalString, parseReference } from '../../oci/reference.ts';
import type { StoredImage } from '../../store/types.ts';
import { type ImageContext, labelsOf, publishImageEvent } from './image-context.ts';
import { findImage, isIdPrefix, lookupReference, readStoredReference, type StoredReference } from './image-names.ts';

export interface RemoveOptions {
  force: boolean;
  /** Parents that nothing needs any more go too. */
  prune: boolean;
}

/**
 * Removes by name or id; gives what went, in order. Synchronous but for the disk: nobody sees half of it. Errors: `not-found`,
 * `conflict` while containers, children or other repositories need it.
 */
export function removeImage(context: ImageContext, name: string, options: RemoveOptions): ImageDeleteItem[] {
  const image = findImage(context.store, name);
  const references = image.references.map(readStoredReference);
  const items: ImageDeleteItem[] = [];
  let hadReference = false;
  if (isIdPrefix(image.id, name)) {
    if (isSingleReference(references)) {
      // Its one name need not stand in the way of its removal.
      const conflict = findConflict(context, image, { soft: !options.force, references: false });
      if (conflict) throw conflict.error;
      for (const reference of references) untag(context, image, reference, items);
    }
  } else {
    if (!options.force && isSingleReference(references)) refuseUsed(context, image, name);
    if (untagByName(context, image, name, items).length > 0) return items;
    hadReference = true;
  }
  deleteImage(context, image.id, { ...options, quiet: hadReference }, items);
  return items;
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

function refuseUsed(context: ImageContext, image: StoredImage, name: string): void {
  const [user] = context.users.containersOf(image.id);
  if (!user) return;
  throw new BerthError(
    'conflict',
    `conflict: unable to remove repository reference "${name}" (must force) - container ${short(user.id)} is using its referenced image ${short(image.id)}`,
  );
}

/** At most one tag, and every digest in its repository: one thing in the eyes of a user. */
function isSingleReference(references: StoredReference[]): boolean {
  if (references.length <= 1) return true;
  if (references.filter((reference) => !reference.isDigest).length > 1) return false;
  const first = references.find((reference) => !reference.isDigest) ?? (references[0] as StoredReference);
  return references.every((reference) => reference.repository === first.repository);
}

function untag(context: ImageContext, image: StoredImage, reference: StoredReference, items: ImageDeleteItem[]): void {
  context.store.records.removeReference(reference.canonical);
  publishImageEvent(context, 'untag', { id: image.id, labels: labelsOf(image) });
  items.push({ Untagged: reference.familiar });
}

/** Removes the name, and with a repository's last tag its digests; gives the names that are left. */
function untagByName(
  context: ImageContext,
  image: StoredImage,
  name: string,
  items: ImageDeleteItem[],
): StoredReference[] {
  const removed = readStoredReference(canonicalString(lookupReference(parseReference(name))));
  untag(context, image, removed, items);
  const left = image.references.filter((one) => one !== removed.canonical).map(readStoredReference);
  const isSameRepository = (one: StoredReference) => one.repository === removed.repository;
  if (removed.isDigest || left.some((one) => !one.isDigest && isSameRepository(one))) return left;
  for (const reference of left.filter(isSameRepository)) {
    context.store.records.removeReference(reference.canonical);
    items.push({ Untagged: reference.familiar });
  }
  return left.filter((one) => !isSameRepository(one));
}

interface Conflict {
  error: BerthError;
  isUsed: boolean;
}

function findConflict(
  context: ImageContext,
  image: StoredImage,
  check: { soft: boolean; references: boolean },
): Conflict | null {
  const conflict = (hard: boolean, isUsed: boolean, why: string): Conflict => ({
    error: new BerthError(
      'conflict',
      `conflict: unable to delete ${short(image.id)} (${hard ? 'cannot' : 'must'} be forced) - ${why}`,
    ),
    isUsed,
  });
  const users = context.users.containersOf(image.id);
  const running = users.find((user) => user.running);
  if (running) return conflict(true, true, `image is being used by running container ${short(running.id)}`);
  if (context.store.records.children(image.id).length > 0)
    return conflict(true, false, 'image has dependent child images');
  if (!check.soft) return null;
  if (check.references && image.references.length > 0)
    return conflict(false, false, 'image is referenced in multiple repositories');
  const [stopped] = users;
  return stopped ? conflict(false, true, `image is being used by stopped container ${short(stopped.id)}`) : null;
}

function deleteImage(
  context: ImageContext,
  id: string,
  options: RemoveOptions & { quiet: boolean },
  items: ImageDeleteItem[],
): void {
  const { store } = context;
  const image = store.image(id);
  if (!image || image.hidden) return;
  const conflict = findConflict(context, image, { soft: !options.force, references: true });
  if (conflict) {
    const isDangling = image.references.length === 0 && store.records.children(id).length === 0;
    // The name is gone as asked; that the image stays is worth an error only where it stays for nobody.
    if (options.quiet && (!isDangling || conflict.isUsed)) return;
    throw conflict.error;
  }
  for (const reference of image.references.map(readStoredReference)) untag(context, image, reference, items);
  const layers = loneLayers(context, image);
  if (context.users.containersOf(id).length > 0) store.records.hideImage(id);
  else store.records.removeImage(id);
  publishImageEvent(context, 'delete', { id });
  items.push({ Deleted: id }, ...layers.map((chain) => ({ Deleted: chain })));
  if (options.prune && image.parent !== null)
    deleteImage(context, image.parent, { force: false, prune: true, quiet: true }, items);
}

/** Chain ids that only this image has, the top first: what dockerd lists as removed layers. */
function loneLayers(context: ImageContext, image: StoredImage): string[] {
  if (context.users.containersOf(image.id).length > 0) return [];
  const others = new Set(
    context.store.records.all().flatMap((other) => (other.id === image.id ? [] : chainIds(other.layers))),
  );
  return chainIds(image.layers)
    .filter((chain) => !others.has(chain))
    .reverse();
}
