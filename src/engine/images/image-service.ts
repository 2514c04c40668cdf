import type { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type {
  ImageDeleteItem,
  ImageHistoryEntry,
  ImageInspect,
  ImageSummary,
  ImagesPruneReport,
  Platform,
} from '../../api/types/image.ts';
import type { ImageCommitOptions, ImageImportOptions, ImageListOptions } from '../../api/types/image-requests.ts';
import type { ProgressSink } from '../../api/types/progress.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Filters } from '../../wire/filters.ts';
import type { EventBus } from '../events/event-bus.ts';
import { commitContainer } from './commit.ts';
import { type ImageContext, sweepSoon } from './image-context.ts';
import { importImage } from './import.ts';
import { imageHistory, inspectImage } from './inspect.ts';
import { listImages } from './list.ts';
import { loadImages } from './load.ts';
import { pruneImages } from './prune.ts';
import { removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import { readTarget, tagImage } from './tag.ts';
import type { CommitSource, ImageUsers } from './types.ts';

export interface ImageServiceOptions {
  store: ImageStore;
  events: EventBus;
  users: ImageUsers;
  /** Path of the native helper program. */
  helper: string;
  warn: (message: string) => void;
}

/** Every verb of images but those that talk to registries. */
export class ImageService {
  readonly #context: ImageContext;

  constructor(options: ImageServiceOptions) {
    this.#context = { ...options, platform: hostPlatform() };
    // A container that is gone may have been the last to need a removed image.
    options.events.observe((event) => {
      if (event.Type === 'container' && event.Action === 'destroy' && options.store.records.hasHidden()) this.#sweep();
    });
  }

  list(options: ImageListOptions): ImageSummary[] {
    return listImages(this.#context, options);
  }

  inspect(name: string, options: { platform: Platform | null }): ImageInspect {
    return inspectImage(this.#context, name, options.platform);
  }

  history(name: string, options: { platform: Platform | null }): ImageHistoryEntry[] {
    return imageHistory(this.#context, name, options.platform);
  }

  async tag(name: string, repository: string, tag: string): Promise<void> {
    if (repository === '') throw new BerthError('invalid', 'repository name must have at least one component');
    await tagImage(this.#context, name, readTarget(repository, tag));
  }

  async remove(name: string, options: { force: boolean; noPrune: boolean }): Promise<ImageDeleteItem[]> {
    const items = removeImage(this.#context, name, { force: options.force, prune: !options.noPrune });
    await this.#context.store.durable();
    this.#sweep();
    return items;
  }

  prune(filters: Filters): Promise<ImagesPruneReport> {
    return pruneImages(this.#context, filters);
  }

  load(
    archive: Readable,
    options: { quiet: boolean; platform: Platform | null },
    progress: ProgressSink,
    signal: AbortSignal,
  ): Promise<void> {
    return loadImages(this.#context, { ...options, archive, progress, signal });
  }

  /** @param options.target digest of what the image stands for, where no name says it */
  save(
    names: string[],
    options: { platform: Platform | null; target?: string | null },
    signal: AbortSignal,
  ): Promise<Readable> {
    return saveImages(this.#context, names, { ...options, signal });
  }

  import(source: Readable, options: ImageImportOptions, progress: ProgressSink, signal: AbortSignal): Promise<string> {
    const { repository, tag, ...rest } = options;
    const target = repository === '' ? null : readTarget(repository, tag);
    return importImage(this.#context, { ...rest, target, source, progress, signal });
  }

  /** Makes an image of a container; gives its id. */
  commit(options: ImageCommitOptions, source: CommitSource, dockerVersion: string): Promise<string> {
    return commitContainer(this.#context, { ...options, dockerVersion }, source);
  }

  /** Starts the removal of what nobody needs any more. */
  #sweep(): void {
    sweepSoon(this.#context);
  }
}
