/** Images that come with this program, for the first minutes on a machine that reaches no registry. */
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgressSink } from '../../api/types/progress.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';
import { canonicalString, familiarName, parseReference, type Reference } from '../../oci/reference.ts';
import type { ImageStoreInterface } from '../../store/types.ts';
import { imageFromTree } from './image-from-tree.ts';

export interface BuiltInImages {
  has(reference: Reference): boolean;
  /** Puts the image into the store under this name and says why it was not pulled. */
  provide(reference: Reference, options: { progress: ProgressSink; reason: string }): Promise<void>;
}

/** One of them. */
export interface BuiltInImage {
  /** As users write them, with tags. */
  names: readonly string[];
  /** Fills the empty directory that becomes the image's root; gives what it made there, for a fixed date. */
  fill(directory: string): Promise<readonly string[]>;
  config: ContainerDefaults;
}

/** A fixed date: the same program gives the same image everywhere. */
const made = new Date('2026-01-01T00:00:00Z');

type Store = Pick<ImageStoreInterface, 'lease' | 'ingestLayer' | 'commitImage' | 'reference' | 'image'>;

export class BuiltInCatalog implements BuiltInImages {
  readonly #store: Store;
  readonly #images = new Map<string, BuiltInImage>();

  constructor(store: Store, images: readonly BuiltInImage[]) {
    this.#store = store;
    for (const image of images)
      for (const name of image.names) this.#images.set(canonicalString(parseReference(name)), image);
  }

  has(reference: Reference): boolean {
    const canonical = canonicalString(reference);
    if (!this.#images.has(canonical)) return false;
    const id = this.#store.reference(canonical);
    // The real one, pulled in better days, is not replaced.
    return id === null || this.#store.image(id)?.config.history?.[0]?.created_by === createdBy(reference);
  }

  async provide(reference: Reference, options: { progress: ProgressSink; reason: string }): Promise<void> {
    const { progress, reason } = options;
    const canonical = canonicalString(reference);
    const image = this.#images.get(canonical) as BuiltInImage;
    progress({ status: `No registry can be reached (${reason})` });
    progress({ status: `Using the ${familiarName(reference)} that comes with Berth` });
    await imageFromTree(this.#store, {
      fill: async (directory) => {
        const paths = await image.fill(directory);
        for (const path of paths) await utimes(join(directory, path), made, made);
        await utimes(directory, made, made);
      },
      references: [canonical],
      config: image.config,
      history: () => ({ created: made.toISOString(), createdBy: createdBy(reference) }),
    });
  }
}

function createdBy(reference: Reference): string {
  return `berth: built-in ${familiarName(reference)}`;
}
