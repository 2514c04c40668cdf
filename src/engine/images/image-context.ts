import type { Platform } from '../../oci/platform.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { StoredImage } from '../../store/types.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { ImageUsers } from './types.ts';

/** What every verb of images works with. */
export interface ImageContext {
  store: ImageStore;
  events: EventBus;
  users: ImageUsers;
  /** Path of the native helper program. */
  helper: string;
  /** What this machine runs. */
  platform: Platform;
  /** Hears of what goes wrong behind a verb's back. */
  warn: (message: string) => void;
}

/** Publishes an image event as dockerd does: the labels, and a name that is mostly the id again. */
export function publishImageEvent(
  context: ImageContext,
  action: string,
  image: { id: string; labels?: Record<string, string> | null },
  name = image.id,
): void {
  context.events.publish('image', action, image.id, { ...image.labels, name });
}

/** The labels of an image; empty where it has none. */
export function labelsOf(image: StoredImage): Record<string, string> {
  return image.config.config?.Labels ?? {};
}

/** Removes what nobody needs any more: images that were kept for containers alone, then layers. */
export async function sweepImages(context: ImageContext): Promise<void> {
  for (const image of context.store.records.all())
    if (image.hidden && context.users.containersOf(image.id).length === 0) context.store.records.removeImage(image.id);
  await context.store.sweep();
}

/** Starts the sweep without waiting for it. */
export function sweepSoon(context: ImageContext): void {
  sweepImages(context).catch((error: Error) => context.warn(`removing unused layers: ${error.message}`));
}
