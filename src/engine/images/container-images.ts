import type { ImageStore } from '../../store/image-store.ts';
import type { StoredImage } from '../../store/types.ts';
import { findImage } from './image-names.ts';
import type { ContainerImage, ContainerImages } from './types.ts';

const keptReferences = 256;

/** Images as containers see them. */
export class StoredContainerImages implements ContainerImages {
  readonly #store: ImageStore;
  /** Answers of this generation of the store: a container that starts asks the same as the one before it. */
  readonly #resolved = new Map<string, ContainerImage>();
  #generation = -1;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  resolve(reference: string): ContainerImage {
    const { generation } = this.#store.records;
    if (generation !== this.#generation || this.#resolved.size >= keptReferences) this.#resolved.clear();
    this.#generation = generation;
    let image = this.#resolved.get(reference);
    if (!image) {
      // A container finds its own image by its full id even when the user has removed it meanwhile.
      const kept = reference.startsWith('sha256:') ? this.#store.image(reference) : null;
      image = this.#toContainerImage(kept ?? findImage(this.#store, reference));
      this.#resolved.set(reference, image);
    }
    return image;
  }

  #toContainerImage(image: StoredImage): ContainerImage {
    return {
      id: image.id,
      os: image.config.os || 'linux',
      architecture: image.config.architecture,
      config: image.config.config ?? {},
      size: image.size,
      lower: this.#store.lower(image.layers),
    };
  }
}
