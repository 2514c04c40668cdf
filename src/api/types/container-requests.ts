/** What the requests about containers say, read and checked: the router gives it, the engine takes it. Docker's own shapes are in `container.ts`. */
import type { Filters } from '../../wire/filters.ts';
import type { ContainerConfig, HostConfig } from './container.ts';
import type { Platform } from './image.ts';
import type { EndpointSettings } from './network.ts';

export interface ContainerCreateOptions {
  /** Without the leading slash; empty: the engine makes one up. */
  name: string;
  /** Null: the host's. */
  platform: Platform | null;
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** By network name or id. */
  endpoints: Record<string, EndpointSettings>;
}

export interface ContainerStopOptions {
  /** A signal's name or number; empty: the container's own. */
  signal: string;
  /** Seconds before SIGKILL; −1: wait for ever; null: the container's own. */
  timeout: number | null;
}

export interface ContainerRemoveOptions {
  force: boolean;
  /** Anonymous volumes too. */
  removeVolumes: boolean;
  /** Remove the link of that name, not the container. */
  removeLink: boolean;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface ContainerListOptions {
  /** Not only running ones. */
  all: boolean;
  /** The newest so many, running or not; 0: no limit. */
  limit: number;
  /** With the bytes that each has written; that takes a walk through its files. */
  size: boolean;
  /** Keys are already checked. */
  filters: Filters;
}

export interface AttachOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Past output first. */
  logs: boolean;
  /** Live output and input; false: only past output. */
  stream: boolean;
}

export interface LogsOptions {
  stdout: boolean;
  stderr: boolean;
  /** Go on until the container exits. */
  follow: boolean;
  /** Unix nanoseconds, inclusive; null: from the beginning. */
  since: bigint | null;
  /** Unix nanoseconds; null: to the end. */
  until: bigint | null;
  /** Last lines; null: all. */
  tail: number | null;
  timestamps: boolean;
  /** `key=value,…` of the log driver's attributes before each line. */
  details: boolean;
  /** The header `Berth-Merge-Frames: 1`: neighbouring entries of one stream may share a frame, which is less work for a client that only passes bytes on. */
  mergeFrames: boolean;
}
