/** What the build routes need of the builder. */
import type { Duplex, Readable } from 'node:stream';
import type { BuildEvent, BuildOptions, BuildResult } from '../../../api/types/build.ts';
import type { AuthConfig, BuildPruneReport } from '../../../api/types/image.ts';
import type { Filters } from '../../../wire/filters.ts';

export interface ClassicBuildRequest {
  options: BuildOptions;
  /** Where the context is instead of in the body: a repository or an archive; empty: in the body. */
  remote: string;
  /** Images whose steps may be taken from the cache; none of them here: nothing may. Empty: everything. */
  cacheFrom: string[];
  /** By registry. */
  auths: Record<string, AuthConfig>;
}

export interface BuildBackend {
  /**
   * `POST /build`. Errors: those of the Dockerfile and its steps; with code `step-failed` and `exitCode` for a command that failed.
   * @param context the tar of the body, packed or not
   */
  build(
    request: ClassicBuildRequest,
    context: Readable,
    work: { event: (event: BuildEvent) => void; signal: AbortSignal },
  ): Promise<BuildResult>;
  /** `POST /berth/v1/build`: one build on a connection that has left HTTP behind (src/wire/build-frames.ts). Never rejects. */
  session(connection: Duplex): Promise<void>;
  prune(options: { all: boolean; keepBytes: number; filters: Filters }): Promise<BuildPruneReport>;
}
