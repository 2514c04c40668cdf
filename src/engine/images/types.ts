/** What containers ask of images, and the other way round. */

import type { ContainerConfig } from '../../api/types/container.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';

/** The parts of an OCI image config (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md) that a container reads. */
export interface ContainerImage {
  /** `sha256:…`, the digest of the config. */
  id: string;
  os: string;
  architecture: string;
  /** Docker's `Config` object of the image, as stored, with Docker's keys (Env, Cmd, Entrypoint, User, WorkingDir, Labels, Volumes, ExposedPorts, StopSignal, Healthcheck, Shell, OnBuild, ArgsEscaped). */
  config: ContainerDefaults;
  /** Bytes, unpacked, all layers. */
  size: number;
  /** Lower directories for overlay, the top layer first, absolute and short. Empty: an image without layers. */
  lower: string[];
}

export interface ContainerImages {
  /**
   * Finds an image by name, name:tag, name@digest, id or unique id prefix.
   * Error: `not-found` `No such image: <reference>` (`:latest` added as Docker does).
   */
  resolve(reference: string): ContainerImage;
}

/** What images ask of containers: who keeps an image from being removed. */
export interface ImageUsers {
  /** Containers (running or not) made from the image. */
  containersOf(imageId: string): { id: string; name: string; running: boolean }[];
}

/** A container that an image is made of. */
export interface CommitSource {
  id: string;
  /** The image it was made from; empty: none. */
  image: string;
  config: ContainerConfig;
  /** Directory with what the container has written. */
  upper(): Promise<string>;
  /** Lets a running container stand still; gives what lets it go on. */
  holdStill(): Promise<() => Promise<void>>;
  /** `own` completed by what the container was made with. */
  complete(own: ContainerConfig): ContainerConfig;
  /** Error: `conflict` once the container is removed: its directory may be half gone. */
  check(): void;
  committed(attributes: { comment: string; imageID: string; imageRef: string }): void;
}
