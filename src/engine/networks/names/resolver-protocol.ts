/**
 * What the engine says to the resolver process, over its unix socket: JSON, a line each; `{"done":n}` or `{"failed":n,"message":…}`
 * comes back. A container's starter (shim/net-names.c) asks for its sockets over a connection of its own, and hears `ok` or what went wrong.
 */
import type { SandboxNames } from './name-book.ts';

/** A process of another version is replaced by the engine that finds it. */
const resolverVersion = 2;

export interface ResolverSandbox {
  names: SandboxNames;
  /** A process in the container's network: where sockets are made that are not there. Null: they are, or the starter will ask for them. */
  pid: number | null;
}

export type ResolverRequest =
  /** The engine is there: from now on it tells which containers end. */
  | { n: number; hello: true }
  /** These are all; others are forgotten. */
  | { n: number; sync: ResolverSandbox[] }
  | { n: number; put: ResolverSandbox }
  | { n: number; drop: string }
  | { n: number; quit: true };

/** Of the starter: sockets for a container whose names are known already. */
export interface ResolverOpening {
  open: string;
  pid: number;
}

export type ResolverReply = { done: number } | { failed: number; message: string };

/** Names of the sockets, this one's and those of other versions. */
export const resolverSocketName = `${resolverVersion}.sock`;
export const resolverSocketPattern = /^\d+\.sock$/;
