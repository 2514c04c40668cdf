/** What the caches need of whoever moves layers between registries and the store. The engine's transfers satisfy it by shape. */
import type { ProgressMessage } from '../../api/types/progress.ts';
import type { Repository } from '../../distribution/repository.ts';
import type { RepositorySources } from '../../distribution/sources.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { Compression } from '../../oci/media-types.ts';
import type { Reference } from '../../oci/reference.ts';

export interface LayerBlobs {
  /** Brings a layer into the store; checks digest and diff id. The caller's lease holds the diff id. */
  fetch(request: {
    layer: Descriptor;
    diffId: string;
    sources: RepositorySources;
    signal: AbortSignal;
    report: (message: ProgressMessage) => void;
  }): Promise<unknown>;
  /** Sees that a repository has a layer; gives the descriptor for a manifest. Error: `not-found` where neither it nor the store has it. */
  push(push: {
    repository: Repository;
    diffId: string;
    known: Descriptor | null;
    mountFrom: readonly string[];
    compression: Compression;
    progress: (message: ProgressMessage) => void;
    signal: AbortSignal;
  }): Promise<Descriptor>;
  /** A registry with the credentials that a build brought along. */
  registry(
    reference: Reference,
    auths: Readonly<Record<string, unknown>>,
    actions: 'pull' | 'pull,push',
  ): RepositorySources;
}
