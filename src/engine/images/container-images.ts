import type { ImageStore } from '../../store/image-store.ts';
import type { StoredImage } from '../../store/types.ts';
import { findImage } from './image-names.ts';
import type { ContainerImage, ContainerImages } from './types.ts';

/** Images as containers see them. */
export class StoredContainerImages implements ContainerImages {
  readonly #store: ImageStore;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  resolve(reference: string): ContainerImage {
    // A container finds its own image by its full id even when the user has removed it meanwhile.
    const kept = reference.startsWith('sha256:') ? this.#store.image(reference) : null;
    return this.#toContainerImage(kept ?? findImage(this.#store, reference));
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
