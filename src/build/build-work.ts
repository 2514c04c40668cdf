/** What a build is asked for by, and what comes out of it. */
import type { BuildEvent, BuildOptions } from '../api/types/build.ts';
import type { Platform } from '../oci/platform.ts';
import type { Lease } from '../store/types.ts';
import type { BaseImage, BuildPlan } from './dockerfile/convert/plan.ts';
import type { DockerfileSource } from './dockerfile/source-error.ts';
import type { Vertex } from './graph/vertex.ts';
import type { BuildSession, Layer } from './ops/values.ts';
import type { ClientFolders } from './remote-cache/client-folders.ts';
import type { BuildNotes } from './remote-cache/write-cache.ts';
import type { FileSource } from './session/file-source.ts';

/** Who asks for a build, and what he brings along. */
export interface BuildClient extends Omit<BuildSession, 'lease' | 'remote' | 'foreign' | 'contents'> {
  /** The Dockerfile's text. Error: `not-found`. */
  dockerfile(): Promise<DockerfileSource>;
  /** What the context is, where it has come from an address: `sha1:…` of a commit, `sha256:…` of an archive. */
  contextDigest?(): Promise<string | undefined>;
  /** Lines of .dockerignore, where they are known. */
  readonly ignored?: readonly string[];
  /** Caches in folders of the client. */
  readonly folders?: ClientFolders;
  /** Stands for the place of the context, so that builds of different places do not explain each other. */
  readonly slot: string;
}

export interface BuildWork {
  event: (event: BuildEvent) => void;
  signal: AbortSignal;
  /** Credentials by registry. */
  auths: Readonly<Record<string, unknown>>;
}

/** The image of one platform. */
export interface BuiltImage {
  platform: Platform;
  plan: BuildPlan;
  layers: readonly Layer[];
  diffIds: readonly string[];
  config: Uint8Array;
}

/** What came out, before it goes anywhere. */
export interface Built {
  /** In the order in which their platforms were asked for. */
  images: readonly BuiltImage[];
  /** The one that this machine runs; where it runs none of them, the first. */
  main: BuiltImage;
  source: DockerfileSource;
  options: BuildOptions;
  /** Unix milliseconds. */
  started: number;
  /** Seconds of SOURCE_DATE_EPOCH. */
  epoch: number | null;
  /** What the vertex of an address or a repository gave. */
  filesOf(vertex: Vertex): FileSource | null;
  contextDigest: BuildClient['contextDigest'];
  /** For caches of other machines; null: none is wanted. */
  notes: BuildNotes | null;
  lease: Lease;
}

/**
 * An image of this machine, fetched where it is missing or `pull` asks for it.
 * @param options.configOnly nothing will be built: its layers may be missing
 */
export type FindImage = (
  reference: string,
  options: { platform: Platform | null; pull: boolean; configOnly: boolean },
  work: BuildWork & { lease: Lease },
) => Promise<BaseImage>;
