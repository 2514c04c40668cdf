/** What vertices come to: trees of layers, and files from outside. */
import type { Lease } from '../../store/types.ts';
import type { FileSource } from '../session/file-source.ts';

/** A layer; its digest may still be on its way, and so may its files where another machine's cache has them. */
export interface Layer {
  /** The directory that overlay gets, once it is on this machine. Error: `LostLayerError`. */
  place(): Promise<string>;
  /** Settles when the layer is sealed. */
  diffId: Promise<string>;
}

/** Layers that a cache has promised and does not give: the steps that made them must be done. */
export class LostLayerError extends Error {
  override readonly name = 'LostLayerError';
  readonly diffIds: readonly string[];

  constructor(diffIds: readonly string[], cause?: unknown) {
    super(`layer ${diffIds.join(', ')} of the build cache cannot be had`, { cause });
    this.diffIds = diffIds;
  }
}

/** What caches of other machines have for a build. */
export interface ForeignResults {
  /** Null: none of them knows the layer. */
  layer(diffId: string): Layer | null;
  /** What a copy sees in a tree, which need not be here for that; null: none of them knows. */
  contents(question: string): string | null;
}

export type BuildValue = { kind: 'tree'; layers: readonly Layer[] } | { kind: 'files'; files: FileSource };

/** What a build has beside its graph. */
export interface BuildSession {
  /** Holds what the build made until an image or the cache has it. */
  lease: Lease;
  /** The client's files by name: `context` and the named ones. Error: `not-found`. */
  files(
    name: string,
    context: { signal: AbortSignal; status: (text: string, current?: number, total?: number) => void },
  ): Promise<FileSource>;
  /** Null: the client has no such secret. */
  secret(id: string): Promise<Uint8Array | null>;
  /** Path of a socket on this machine that leads to the client's agent; null: the client gave none. */
  sshAgent(id: string): Promise<string | null>;
  /** Files of an address or a repository. */
  remote: RemoteFiles;
  /** Null: the build has no other cache than the engine's. */
  foreign: ForeignResults | null;
  /** What copies of this build saw in trees: digests by question. */
  readonly contents: Map<string, string>;
}

export interface RemoteFiles {
  http(
    what: { url: string; checksum: string; filename: string },
    work: { lease: Lease; signal: AbortSignal },
  ): Promise<FileSource>;
  git(
    what: { url: string; keepGitDirectory: boolean; checksum: string },
    work: { lease: Lease; signal: AbortSignal },
  ): Promise<FileSource>;
}

/** The tree of a solved input. Error: plain, for a graph that was made wrongly. */
export function treeOf(value: BuildValue | undefined): readonly Layer[] {
  if (value?.kind !== 'tree') throw new Error('a tree was expected');
  return value.layers;
}

/** Overlay's lower directories of a tree: the top first, none twice. Error: `LostLayerError` with every layer that cannot be had. */
export async function lowerOf(layers: readonly Layer[]): Promise<string[]> {
  const places = await Promise.allSettled(layers.map((layer) => layer.place()));
  const lost: string[] = [];
  const found: string[] = [];
  for (const place of places) {
    if (place.status === 'fulfilled') found.push(place.value);
    else if (place.reason instanceof LostLayerError) lost.push(...place.reason.diffIds);
    else throw place.reason;
  }
  if (lost.length > 0) throw new LostLayerError(lost);
  return [...new Set(found.reverse())];
}

/** Stands for all files of a tree. */
export async function identityOf(layers: readonly Layer[]): Promise<string> {
  return (await Promise.all(layers.map(({ diffId }) => diffId))).join(' ');
}
