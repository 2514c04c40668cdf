/** What the networks ask of whoever answers containers' names. */
import type { SandboxNames } from './name-book.ts';
import type { ResolverSandbox } from './resolver-protocol.ts';

export interface Names {
  /** Socket at which a container's starter asks for its end of the resolver. */
  readonly socket: string;
  /**
   * Makes a container and its names known; resolves when they are answered.
   * @param pid of a process in its network, where sockets are made that are not there; null: the starter will ask for them
   */
  put(names: SandboxNames, pid: number | null): Promise<void>;
  /** Forgets a container and lets go of its network. */
  drop(containerId: string): void;
  /** At the start of the engine: these and no others. Nothing is started for an empty list. */
  sync(sandboxes: readonly ResolverSandbox[]): Promise<void>;
}
