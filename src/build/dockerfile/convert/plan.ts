/** What a Dockerfile comes to: a graph whose last vertex is the image's tree, and the image's config. */

import type { Outline } from '../../../api/types/build.ts';
import type { ContainerDefaults, ImageConfigDocument } from '../../../oci/image-config.ts';
import type { Platform } from '../../../oci/platform.ts';
import type { Vertex } from '../../graph/vertex.ts';
import type { Linter } from '../lint/linter.ts';

/** An image that a stage begins with. */
export interface BaseImage {
  /** Canonical, for progress. */
  name: string;
  /** `sha256:…` */
  id: string;
  /** `sha256:…` of what the name stands for in its registry, or of the config; empty: not known. */
  digest: string;
  layers: readonly string[];
  config: ImageConfigDocument;
}

/** An image that a plan begins with or copies from. */
export type UsedImage = Pick<BaseImage, 'name' | 'digest' | 'layers'> & { platform: Platform };

/** Another meaning for a name in FROM, COPY --from and --mount=from (`--build-context`). */
export type NamedContext =
  | { kind: 'image'; reference: string }
  /** A folder, an archive, an OCI layout: the session knows it by this name. */
  | { kind: 'files'; name: string }
  | { kind: 'git' | 'http'; url: string };

export interface PlanOptions {
  /** The stage that is wanted, by name or index; empty: the last. */
  target: string;
  /** Look at the stages too that the target does not need. */
  allStages?: boolean;
  /** Hears what is not good about the Dockerfile. */
  linter: Linter;
  arguments: ReadonlyMap<string, string>;
  labels: ReadonlyMap<string, string>;
  /** Every step anew, or the steps of these stages. */
  noCache: boolean | readonly string[];
  platform: Platform;
  buildPlatform: Platform;
  /** Steps say which platform they are for: there is more than one. */
  namesPlatform?: boolean;
  /** Seconds of SOURCE_DATE_EPOCH. */
  epoch: number | null;
  /** Network of steps that ask for none themselves. */
  network: string;
  extraHosts: readonly string[];
  /** Limits of the containers that run steps, as the engine takes them. */
  limits: { readonly [name: string]: unknown };
  namedContexts: ReadonlyMap<string, NamedContext>;
  /** What the context leaves out, as far as it is known. */
  ignored?: readonly string[];
  /** Begins the places of steps, so that builds of different folders do not explain each other. */
  slot: string;
  /** Allowed with `--security=insecure`. */
  allowInsecure: boolean;
  /** Allowed with `--network=host` of a RUN. */
  allowHostNetwork: boolean;
  findImage(reference: string, platform: Platform | null): Promise<BaseImage>;
}

/** One line of the image's history that this build adds. */
export interface PlannedHistory {
  createdBy: string;
  /** Null: it made no layer. */
  vertex: Vertex | null;
}

export interface ImagePlan {
  architecture: string;
  os: string;
  variant?: string;
  author?: string;
  config: ContainerDefaults;
  base: BaseImage | null;
  history: PlannedHistory[];
}

export interface BuildPlan {
  root: Vertex;
  image: ImagePlan;
  /** The instructions of all stages that are needed, in the order of the text; of a FROM also its image. */
  lines: { text: string; vertex: Vertex | null; image?: string }[];
  /** Arguments that were given and that no ARG asks for, in order. */
  unusedArguments: string[];
  images: readonly UsedImage[];
  outline(): Outline;
}
