/** What containers ask of images. */

/** The parts of an OCI image config (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md) that a container reads. */
export interface ContainerImage {
  /** `sha256:…`, the digest of the config. */
  id: string;
  os: string;
  architecture: string;
  /** Docker's `Config` object of the image, as stored, with Docker's keys (Env, Cmd, Entrypoint, User, WorkingDir, Labels, Volumes, ExposedPorts, StopSignal, Healthcheck, Shell, OnBuild, ArgsEscaped). */
  config: ImageConfig;
  /** Bytes, unpacked, all layers. */
  size: number;
  /** Lower directories for overlay, the top layer first, absolute and short. Empty: an image without layers. */
  lower: string[];
}

export interface ImageConfig {
  User?: string;
  ExposedPorts?: Record<string, object> | null;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, object> | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  Healthcheck?: object | null;
  Shell?: string[] | null;
  OnBuild?: string[] | null;
  ArgsEscaped?: boolean;
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
