/** What the image routes need of the engine. `name` is what the client wrote: name, name:tag, name@digest, id or unique id prefix. */
import type { Readable } from 'node:stream';
import type {
  AuthConfig,
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryEntry,
  ImageInspect,
  ImageSearchResult,
  ImageSummary,
  ImagesPruneReport,
  Platform,
} from '../../../api/types/image.ts';
import type {
  ImageCommitOptions,
  ImageImportOptions,
  ImageListOptions,
  ImageTransferRequest,
} from '../../../api/types/image-requests.ts';
import type { ManifestPush, ManifestPushed, RemoteManifest } from '../../../api/types/manifest.ts';
import type { ProgressSink } from '../../../api/types/progress.ts';
import type { Filters } from '../../../wire/filters.ts';

export interface ImageQueries {
  list(options: ImageListOptions): ImageSummary[] | Promise<ImageSummary[]>;
  /** Error: `not-found` `No such image: x:tag`. */
  inspect(name: string, options: { platform: Platform | null }): ImageInspect | Promise<ImageInspect>;
  history(name: string, options: { platform: Platform | null }): ImageHistoryEntry[] | Promise<ImageHistoryEntry[]>;
}

export interface ImageChanges {
  /** @param repository without a tag; @param tag empty: `latest` */
  tag(name: string, repository: string, tag: string): Promise<void>;
  /** Errors: `not-found`, `conflict` in Docker's words while containers use it. */
  remove(name: string, options: { force: boolean; noPrune: boolean }): Promise<ImageDeleteItem[]>;
  prune(filters: Filters): Promise<ImagesPruneReport>;
  /** Makes an image of a container; gives its id. */
  commit(options: ImageCommitOptions): Promise<string>;
}

/**
 * A rejection before the first progress message becomes an HTTP status, a later one ends the stream with `errorDetail`.
 * `signal` aborts when the client leaves.
 */
export interface ImageTransfer {
  pull(options: ImageTransferRequest, progress: ProgressSink, signal: AbortSignal): Promise<void>;
  push(options: ImageTransferRequest, progress: ProgressSink, signal: AbortSignal): Promise<void>;
  load(
    archive: Readable,
    options: { quiet: boolean; platform: Platform | null },
    progress: ProgressSink,
    signal: AbortSignal,
  ): Promise<void>;
  /** Resolves when all names are known to exist; then the stream gives a docker-archive that is an OCI layout too. */
  save(names: string[], options: { platform: Platform | null }, signal: AbortSignal): Promise<Readable>;
  /** @param source the root file system: a tar, maybe compressed. Gives the image's id. */
  import(source: Readable, options: ImageImportOptions, progress: ProgressSink, signal: AbortSignal): Promise<string>;
}

/** What is asked of registries without an image coming or going. */
export interface RegistryQueries {
  search(
    term: string,
    options: { limit: number; filters: Filters; auth: AuthConfig | null },
  ): Promise<ImageSearchResult[]>;
  distribution(reference: string, auth: AuthConfig | null): Promise<DistributionInspect>;
}

/** Only Berth has this: manifests at registries, without an image in between. */
export interface ManifestLists {
  inspect(name: string, auth: AuthConfig | null): Promise<RemoteManifest>;
  push(name: string, list: ManifestPush, auth: AuthConfig | null): Promise<ManifestPushed>;
}

/** Only Berth has this: a base image out of the host's own Debian packages. */
export interface ImageBootstrap {
  /** @param name `busybox`, `debian` or `debian:<suite>` */
  bootstrap(name: string, progress: ProgressSink, signal: AbortSignal): Promise<void>;
}

export interface ImageBackend {
  queries: ImageQueries;
  changes: ImageChanges;
  transfer: ImageTransfer;
  registries: RegistryQueries;
  manifests: ManifestLists;
  bootstrap: ImageBootstrap;
}
