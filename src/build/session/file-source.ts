/** Files that a step may look at, whatever they lie in: a context, a repository, another stage's tree. */

export interface FileEntry {
  type: 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'pipe' | 'socket';
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** Target of a symbolic link. */
  link: string;
  /** Number of a device. */
  device: number;
  /** Equal for names of one file; empty where it has only one. */
  identity: string;
}

/** A directory of which nothing is known but that it is there, the root of a source for one. */
export const plainDirectory: Readonly<FileEntry> = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  link: '',
  device: 0,
  identity: '',
};

/**
 * Files that do not change while the build runs. Paths are absolute within the source, clean, and their bytes stand as latin1, so that every name
 * has one; `/` is the root.
 */
export interface FileSource {
  /** The entry itself, links not followed; null: nothing is there. */
  entry(path: string): Promise<FileEntry | null>;
  /** Names in a directory, sorted; none where it is no directory. */
  names(path: string): Promise<string[]>;
  /** `sha256:…` of a file's bytes. */
  digest(path: string): Promise<string>;
  /** Where an entry lies on this machine. */
  place(path: string): Promise<Buffer>;
  /** The directories of this machine that a directory is merged of, the top first. */
  places(path: string): Promise<Buffer[]>;
  /** A program's file capabilities; null: it has none. */
  capability(path: string): Promise<Buffer | null>;
  /** Stands for all the files together, where that is known without looking at them; null: it is not. */
  identity(): Promise<string | null>;
  /** Nobody asks for this entry again: what is remembered of it may go. */
  forget?(path: string): void;
  /** What a repository calls this state of its files. */
  readonly revision?: string | undefined;
}

/** Text of a Dockerfile as a path of a source, and the other way round. */
export function toPath(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function fromPath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
