/** What the image routes need of the engine. `name` is what the client wrote: name, name:tag, name@digest, id or unique id prefix. */
import type { Readable } from 'node:stream';
import type { ContainerConfig } from '../../../api/types/container.ts';
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
import type { ManifestPush, ManifestPushed, RemoteManifest } from '../../../api/types/manifest.ts';
import type { ProgressSink } from '../../../api/types/progress.ts';
import type { Filters } from '../../../wire/filters.ts';

export interface ImageListOptions {
  /** Intermediate images too. */
  all: boolean;
  sharedSize: boolean;
  /** Keys are already checked. */
  filters: Filters;
}

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
}

export interface ImagePullOptions {
  /** As the client wrote it, tag or digest included: `debian:12`, `host:5000/a/b@sha256:…`. Without either: all tags were asked for. */
  reference: string;
  platform: Platform | null;
  /** Null: none given. */
  auth: AuthConfig | null;
}

export interface ImageImportOptions {
  repository: string;
  tag: string;
  message: string;
  /** Dockerfile instructions. */
  changes: string[];
  platform: Platform | null;
}

/**
 * A rejection before the first progress message becomes an HTTP status, a later one ends the stream with `errorDetail`.
 * `signal` aborts when the client leaves.
 */
export interface ImageTransfer {
  pull(options: ImagePullOptions, progress: ProgressSink, signal: AbortSignal): Promise<void>;
  push(options: ImagePullOptions, progress: ProgressSink, signal: AbortSignal): Promise<void>;
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

export interface ImageCommitOptions {
  container: string;
  repository: string;
  tag: string;
  comment: string;
  author: string;
  pause: boolean;
  changes: string[];
  /** Null: the container's own. */
  config: ContainerConfig | null;
}

/** Further verbs; null where they are not offered. */
export interface ImageExtras {
  /** Gives the new image's id. */
  commit(options: ImageCommitOptions): Promise<string>;
  search(
    term: string,
    options: { limit: number; filters: Filters; auth: AuthConfig | null },
  ): Promise<ImageSearchResult[]>;
  distribution(reference: string, auth: AuthConfig | null): Promise<DistributionInspect>;
  manifests: ManifestLists;
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
  extras: Partial<ImageExtras>;
  bootstrap: ImageBootstrap | null;
}
