/** What the engine's configuration says about the host's side of networks. */
export interface HostSettings {
  /** Turns the kernel's forwarding on, which containers need to get out. */
  forwarding: boolean;
  /** On a host that did not forward before, nothing else is forwarded between its network cards either. */
  separateCards: boolean;
  /** What is published can be reached at the container's own address too. */
  directRouting: boolean;
  /** The engine writes rules of the packet filter. Without them the shim forwards every published port itself. */
  filter: boolean;
  /** So it does for IPv6. Without them the shim forwards what is published at IPv6 addresses, and nothing is kept out. */
  filter6: boolean;
  /** The shim forwards what is published at IPv6 addresses, where the packet filter cannot. */
  userlandProxy: boolean;
}

/** The settings of an engine that was told nothing. */
export const plainHost: HostSettings = {
  forwarding: true,
  separateCards: true,
  directRouting: false,
  filter: true,
  filter6: true,
  userlandProxy: true,
};
