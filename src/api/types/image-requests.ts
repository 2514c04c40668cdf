/** What the requests about images say, read and checked: the router gives it, the engine takes it. Docker's own shapes are in `image.ts`. */
import type { Filters } from '../../wire/filters.ts';
import type { ContainerConfig } from './container.ts';
import type { AuthConfig, Platform } from './image.ts';

export interface ImageListOptions {
  /** Intermediate images too. */
  all: boolean;
  /** With the bytes that each shares with others. */
  sharedSize: boolean;
  /** Keys are already checked. */
  filters: Filters;
}

/** What a pull and a push are told. */
export interface ImageTransferRequest {
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

export interface ImageCommitOptions {
  /** Id, unique id prefix or name. */
  container: string;
  /** Empty: the image gets no name. */
  repository: string;
  tag: string;
  comment: string;
  author: string;
  /** Let the container stand still meanwhile. */
  pause: boolean;
  /** Dockerfile instructions. */
  changes: string[];
  /** Null: the container's own. */
  config: ContainerConfig | null;
}
