import type { ImageDeleteItem, ImagesPruneReport } from '../../api/types/image.ts';
import type { StoredImage } from '../../store/types.ts';
import { type Filters, filterBoolean, matchesLabels } from '../../wire/filters.ts';
import { parseMoment } from '../../wire/time.ts';
import { type ImageContext, sweepImages } from './image-context.ts';
import { readStoredReference } from './image-names.ts';
import { createdTime } from './list.ts';
import { removeImage } from './remove.ts';

/** `POST /images/prune`: images that no container uses; only nameless ones unless `dangling=false`. Error: `invalid`. */
export async function pruneImages(context: ImageContext, filters: Filters): Promise<ImagesPruneReport> {
  const danglingOnly = filterBoolean(filters, 'dangling', true);
  const until = (filters.get('until') ?? []).map((value) => Number(parseMoment(value) / 1_000_000n))[0];
  const { records } = context.store;
  const candidates = records.all().filter((image) => {
    if (image.hidden || context.users.containersOf(image.id).length > 0) return false;
    if (records.children(image.id).length > 0 && (danglingOnly || image.references.length === 0)) return false;
    const created = createdTime(image);
    if (until !== undefined && (created === null || created > until)) return false;
    return matchesLabels(filters, image.config.config?.Labels);
  });
  const before = layerBytes(context);
  const deleted = candidates.flatMap((image) => pruneOne(context, image, danglingOnly));
  const reclaimed = before - layerBytes(context);
  await context.store.durable();
  await sweepImages(context);
  context.events.publish('image', 'prune', '', { reclaimed: String(reclaimed) });
  return { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed };
}

/** Bytes of the layers that images have. */
function layerBytes(context: ImageContext): number {
  const layers = new Set(context.store.records.all().flatMap((image) => image.layers));
  return [...layers].reduce((sum, diffId) => sum + (context.store.layer(diffId)?.size ?? 0), 0);
}

function pruneOne(context: ImageContext, image: StoredImage, danglingOnly: boolean): ImageDeleteItem[] {
  const references = image.references.map(readStoredReference);
  if (danglingOnly && references.some((reference) => !reference.isDigest)) return [];
  const names = references.length > 0 ? references.map((reference) => reference.canonical) : [image.id];
  return names.flatMap((name) => {
    try {
      return removeImage(context, name, { force: false, prune: true });
    } catch {
      return []; // a conflict, or gone with an earlier name: prune takes what it can get
    }
  });
}
