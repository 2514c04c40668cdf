/** What vertices come to: trees of layers, and files from outside. */
import type { Lease } from '../../store/types.ts';
import type { FileSource } from '../session/file-source.ts';

/** A layer that is there; its digest may still be on its way. */
export interface Layer {
  /** The directory that overlay gets. */
  diff: string;
  /** Settles when the layer is sealed. */
  diffId: Promise<string>;
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

/** Overlay's lower directories of a tree: the top first, none twice. */
export function lowerOf(layers: readonly Layer[]): string[] {
  return [...new Set(layers.map(({ diff }) => diff).reverse())];
}
