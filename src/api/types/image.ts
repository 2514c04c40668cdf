/** Images: wire types of Docker's API 1.52, with Docker's own keys. */
import type { HealthcheckConfig } from './container.ts';

/** An OCI platform. */
export interface Platform {
  architecture: string;
  os: string;
  'os.version'?: string;
  'os.features'?: string[];
  variant?: string;
}

/** An entry of `GET /images/json`. */
export interface ImageSummary {
  /** Containers made from it, running or not. */
  Containers: number;
  /** Unix seconds. */
  Created: number;
  /** `sha256:…` */
  Id: string;
  /** Null: none. */
  Labels: Record<string, string> | null;
  /** Empty: none known. */
  ParentId: string;
  /** `name@sha256:…` */
  RepoDigests: string[];
  /** `name:tag`; empty: dangling. */
  RepoTags: string[];
  /** Bytes shared with other images; −1: not computed. */
  SharedSize: number;
  /** Bytes, unpacked, all layers. */
  Size: number;
}

/** `Config` of an image. Keys that Docker leaves out when empty are optional. */
export interface ImageInspectConfig {
  User: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env: string[] | null;
  Cmd: string[] | null;
  Healthcheck?: HealthcheckConfig;
  ArgsEscaped?: boolean;
  Volumes: Record<string, Record<string, never>> | null;
  WorkingDir: string;
  Entrypoint: string[] | null;
  OnBuild: string[] | null;
  Labels: Record<string, string> | null;
  StopSignal?: string;
  Shell?: string[];
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  /** `sha256:…` of the config. */
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  /** RFC 3339 with nanoseconds, as the config has it; absent: the config has none. */
  Created?: string;
  DockerVersion: string;
  Author: string;
  Config: ImageInspectConfig | null;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  /** Bytes, unpacked. */
  Size: number;
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  /** Digests of the unpacked layers, the lowest first. */
  RootFS: { Type: string; Layers?: string[] };
  Metadata: {
    /** RFC 3339; `0001-01-01T00:00:00Z`: never tagged here. */
    LastTagTime: string;
  };
}

type OmittedWhenEmpty = 'Parent' | 'Comment' | 'DockerVersion' | 'Author';

/** `GET /images/{name}/json` since 1.52: what has no value is left out. */
export interface ImageInspectResponse
  extends Omit<ImageInspect, 'Config' | OmittedWhenEmpty>,
    Partial<Pick<ImageInspect, OmittedWhenEmpty>> {
  Config: Partial<ImageInspectConfig> | null;
}

/** `POST /commit`. */
export interface ImageCommitResponse {
  /** `sha256:…` */
  Id: string;
}

/** An entry of `GET /images/{name}/history`, the newest first. */
export interface ImageHistoryEntry {
  Comment: string;
  /** Unix seconds. */
  Created: number;
  CreatedBy: string;
  /** `sha256:…`, or `<missing>`. */
  Id: string;
  /** Bytes. */
  Size: number;
  /** Null: none. */
  Tags: string[] | null;
}

/** An entry of the answer to `DELETE /images/{name}`: exactly one key. */
export interface ImageDeleteItem {
  /** `sha256:…` */
  Deleted?: string;
  Untagged?: string;
}

export interface ImagesPruneReport {
  /** Null: nothing was removed. */
  ImagesDeleted: ImageDeleteItem[] | null;
  /** Bytes. */
  SpaceReclaimed: number;
}

/** `POST /build/prune`. */
export interface BuildPruneReport {
  /** Null: nothing was removed. */
  CachesDeleted: string[] | null;
  /** Bytes. */
  SpaceReclaimed: number;
}

/** An entry of `GET /images/search`. */
export interface ImageSearchResult {
  star_count: number;
  is_official: boolean;
  name: string;
  is_automated: boolean;
  description: string;
}

/** `GET /distribution/{name}/json`. */
export interface DistributionInspect {
  Descriptor: { mediaType: string; digest: string; size: number; annotations?: Record<string, string> };
  Platforms: Platform[];
}

/** Credentials from `X-Registry-Auth` (base64url JSON) or the body of `POST /auth`. Empty strings: not given. */
export interface AuthConfig {
  username: string;
  password: string;
  auth: string;
  email: string;
  serveraddress: string;
  identitytoken: string;
  registrytoken: string;
}
