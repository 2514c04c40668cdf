import type { ContainerDefaults } from '../../../oci/image-config.ts';

export interface RecipeContext {
  /** A directory for what is needed on the way; it goes with the work. */
  scratch: string;
  /** One line for the user. */
  say: (line: string) => void;
  signal: AbortSignal;
}

/** How a base image is made out of the host's packages. */
export interface Recipe {
  config: ContainerDefaults;
  /** Fills `root`. The date becomes the image's: that of the packages, not of today. */
  build(root: string, context: RecipeContext): Promise<{ created: Date; createdBy: string }>;
}
