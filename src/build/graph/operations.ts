/** The operations that graphs of this builder are made of: kind → definition. */
import { type Definition, makeVertex, type Vertex, type VertexLabel } from './vertex.ts';

/** A stack of layers that is there already. */
export interface ImageDefinition {
  /** The base first. */
  layers: readonly string[];
}

/** Something mounted while a command runs. Its source is an input of the vertex, or nothing. */
export type StepMount =
  | { type: 'bind'; target: string; input: number; source: string; writable: boolean }
  | {
      type: 'cache';
      target: string;
      id: string;
      /** Input that an empty cache is filled from; null: it starts empty. */
      input: number | null;
      source: string;
      sharing: 'shared' | 'private' | 'locked';
      readonly: boolean;
      uid: number;
      gid: number;
      mode: number;
    }
  | { type: 'tmpfs'; target: string; size: number }
  | {
      type: 'secret';
      id: string;
      target: string;
      required: boolean;
      uid: number;
      gid: number;
      mode: number;
      env: string;
    }
  | { type: 'ssh'; id: string; target: string; required: boolean; uid: number; gid: number; mode: number };

export interface ExecDefinition {
  args: readonly string[];
  /** `NAME=value` */
  env: readonly string[];
  directory: string;
  user: string;
  network: 'default' | 'none' | 'host' | string;
  security: 'sandbox' | 'insecure';
  mounts: readonly StepMount[];
  /** `name:address` */
  extraHosts: readonly string[];
  limits: Definition;
  /** Seconds; files that are newer get this time. Null: they keep theirs. */
  epoch: number | null;
}

/** Files that are put into a tree. `input` is counted among the vertex's inputs. */
export interface CopyAction {
  from:
    | { kind: 'input'; input: number }
    /** A here-document. */
    | { kind: 'inline'; name: string; content: string };
  /** Below the input's root: names, which must be there, and patterns. */
  sources: readonly string[];
  /** Clean and absolute, with a slash at its end where it must be a directory. */
  destination: string;
  /** `user:group` by name or number; empty: as it is. */
  chown: string;
  /** Octal, which is for directories that are made on the way too, or the symbolic form of chmod(1); empty: as it is. */
  chmod: string;
  /** What files get where `chmod` is empty: octal; empty: their own. */
  fileMode: string;
  excludes: readonly string[];
  /** Directories on the way to a source are made below the destination too. */
  parents: boolean;
  /** Archives are unpacked: local tars by ADD. */
  unpack: 'never' | 'local' | 'always';
}

/** Everything at a path of an input, as it is. */
export function wholeCopy(input: number, path: string): CopyAction {
  return {
    from: { kind: 'input', input },
    sources: [path],
    destination: '/',
    chown: '',
    chmod: '',
    fileMode: '',
    excludes: [],
    parents: false,
    unpack: 'never',
  };
}

export interface CopyDefinition {
  actions: readonly CopyAction[];
  /** The files make a layer of their own that does not look at what lies below. */
  link: boolean;
  epoch: number | null;
}

export interface DirectoryDefinition {
  path: string;
  /** `user:group` by name or number, whom what is made belongs to; empty, or a name that the tree does not know: root. */
  owner: string;
  epoch: number | null;
}

/** Files from a place outside of the build: the client's context, a repository, an address. */
export type SourceDefinition =
  | { source: 'local'; name: string }
  | { source: 'http'; url: string; checksum: string; filename: string }
  | { source: 'git'; url: string; keepGitDirectory: boolean; checksum: string };

export function imageVertex(definition: ImageDefinition, label: VertexLabel): Vertex {
  return makeVertex({ kind: 'image', definition: { ...definition }, label });
}

export function sourceVertex(definition: SourceDefinition, label: VertexLabel, fresh = false): Vertex {
  return makeVertex({ kind: 'source', definition: { ...definition }, label, fresh });
}
