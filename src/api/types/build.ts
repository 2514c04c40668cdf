/** What a build says while it goes on; also the messages of `/berth/v1/build`. */
import type { ProgressMessage } from './progress.ts';

export interface BuildVertex {
  /** `sha256:…` */
  id: string;
  /** `[2/5] RUN make` */
  name: string;
}

export type BuildEvent =
  | { type: 'vertices'; vertices: BuildVertex[] }
  /** The Dockerfile's instructions in order; `id`: the vertex that each came to; `image`: the image of a FROM. */
  | { type: 'lines'; lines: { text: string; id: string | null; image?: string }[] }
  | { type: 'started'; id: string; time: number }
  /** It was not found in the cache: the work begins. */
  | { type: 'missed'; id: string }
  /** `reasons`: why it was cached, or why not; only where the build explains itself. */
  | { type: 'done'; id: string; time: number; cached: boolean; reasons: string[] }
  | { type: 'failed'; id: string; time: number; message: string }
  /** Output of a step, as text. */
  | { type: 'log'; id: string; stream: 1 | 2; data: string }
  | { type: 'status'; id: string; text: string; current?: number; total?: number }
  /** `rule`: of the checks; null: something else. */
  | { type: 'warning'; rule: string | null; message: string; line: number }
  /** A base image on its way. */
  | { type: 'pull'; message: ProgressMessage };

/** What `berth build` and `POST /build` ask for. */
export interface BuildOptions {
  /** Names for the image, as the user wrote them. */
  tags: string[];
  /** Path of the Dockerfile in the context; empty: `Dockerfile`. */
  dockerfile: string;
  target: string;
  buildArguments: Record<string, string>;
  labels: Record<string, string>;
  noCache: boolean;
  /** Stages whose steps are done anew. */
  noCacheFilter: string[];
  /** Ask the registry even where the image is here. */
  pull: boolean;
  /** `os/arch[/variant]`, several with commas; empty: this machine's. */
  platform: string;
  network: string;
  extraHosts: string[];
  /** Docker's resource limits by the names of `HostConfig`. */
  limits: Record<string, unknown>;
  /** `name` → `docker-image://…`, an address of a repository or file, or anything else: the client has files of that name. */
  namedContexts: Record<string, string>;
  /** Entitlements: `security.insecure`, `network.host`. */
  allow: string[];
  explain: boolean;
  /** Caches of other machines; missing: none. */
  cacheFrom?: CacheSource[];
  /** Nothing is taken from any cache unless one of `cacheFrom` can be read, as the classic builder does it. */
  cacheOnlyFrom?: boolean;
  /** Where the cache goes besides the engine; missing: nowhere. */
  cacheTo?: CacheTarget[];
}

/** A place where steps of other machines are looked for. */
export type CacheSource =
  /** A cache, or an image with one in it; `here`: the registry is not asked. */
  | { type: 'registry'; reference: string; here?: boolean }
  /** A folder of the client, an OCI layout. */
  | { type: 'local'; name: string; manifest: { digest: string; mediaType: string } };

export type CacheTarget =
  /** Into the image. */
  | { type: 'inline' }
  | ({ type: 'registry'; reference: string } & CacheForm)
  /** A folder of the client. */
  | ({ type: 'local' } & CacheForm);

export interface CacheForm {
  /** `min`: layers of the image alone; `max`: those of all steps. */
  mode: 'min' | 'max';
  compression: 'gzip' | 'zstd' | 'none';
  ociMediaTypes: boolean;
  /** A manifest; false: an index around it. */
  imageManifest: boolean;
  /** A cache that cannot be written is no failure of the build. */
  ignoreError: boolean;
}

/** One `--annotation`. */
export interface BuildAnnotation {
  level: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** `os/arch[/variant]`; empty: all. */
  platform: string;
  key: string;
  value: string;
}

/** What a build makes of an image besides its layers. */
export interface BuildExtras {
  annotations: BuildAnnotation[];
  /** Attributes of the attestations; null: none is wanted. */
  provenance: Record<string, string> | null;
  sbom: Record<string, string> | null;
  /** How much of its provenance the client wants to hear; null: nothing. */
  metadata: 'min' | 'max' | null;
  /** What the client knows of the folder: `source`, `revision`. */
  vcs: Record<string, string>;
  /** The manifests of attestations are artifacts that name their subject. */
  ociArtifact: boolean;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md */
export interface BuildDescriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

export interface BuildResult {
  /** `sha256:…` of the image; empty where it went somewhere else. */
  imageId: string;
  /** What its names stand for in a registry, where that is more than the image. */
  descriptor?: BuildDescriptor;
  /** By platform; what was asked for by `extras.metadata`. */
  provenance?: Record<string, unknown>;
  /** Where the Dockerfile was asked and not built. */
  report?: BuildReport;
}

/** What is wanted of a Dockerfile: an image, what is not good about it, what its target takes, its targets. */
export type BuildCall = 'build' | 'check' | 'outline' | 'targets';

/** Lines of the Dockerfile, counted from 1, both ends included. */
export interface DockerfileLines {
  first: number;
  last: number;
}

export interface CheckWarning {
  rule: string;
  description: string;
  /** A page about the rule. */
  url: string;
  detail: string;
  lines: DockerfileLines;
  /** The lines with file and number, as errors show them. */
  excerpt: string;
}

export interface OutlineArgument {
  name: string;
  description: string;
  value: string;
  lines: DockerfileLines;
}

/** A secret or an agent. */
export interface OutlineMount {
  name: string;
  required: boolean;
  lines: DockerfileLines;
}

export interface Outline {
  /** Of the target; empty: it has none. */
  name: string;
  description: string;
  arguments: OutlineArgument[];
  secrets: OutlineMount[];
  ssh: OutlineMount[];
}

export interface BuildTarget {
  /** Empty: it has none. */
  name: string;
  description: string;
  isDefault: boolean;
  base: string;
  platform: string;
  lines: DockerfileLines;
}

export type BuildReport = { source: { name: string; text: string } } & (
  | {
      call: 'check';
      warnings: CheckWarning[];
      /** Why it cannot be built, as far as that can be told. */
      error: { message: string; lines: DockerfileLines | null; excerpt: string } | null;
    }
  | ({ call: 'outline' } & Outline)
  | { call: 'targets'; targets: BuildTarget[] }
);

/** Where a build's result goes. */
export type BuildOutput =
  /** Into the engine's store. */
  | { type: 'image' }
  /** The tree as a tar, to the client; `split`: each platform in a folder of its own, which several platforms have unless told otherwise. */
  | { type: 'tar'; split?: boolean; attestationPrefix?: string }
  /** An archive of the image, to the client. */
  | { type: 'docker' | 'oci' };

/** The first message of `/berth/v1/build`. */
export interface BuildStart {
  options: BuildOptions;
  /** Missing: an image. */
  call?: BuildCall;
  /** Stands for the place of the context. */
  place: string;
  /** The Dockerfile, where the client has it; null: it is in the context. */
  dockerfile: { name: string; text: string } | null;
  context: { kind: 'files' } | { kind: 'tar' } | { kind: 'remote'; url: string };
  /** What the context leaves out, lines of .dockerignore; missing: the client does not know. */
  ignored?: readonly string[];
  outputs: BuildOutput[];
  /** Missing: nothing. */
  extras?: BuildExtras;
  /** Credentials by registry, as `X-Registry-Config` has them. */
  auths: Record<string, unknown>;
}

/** Why a build failed. */
export interface BuildFailure {
  kind: string;
  message: string;
  /** Lines of the Dockerfile; empty: it is about none. */
  excerpt: string;
  hint: string;
}
