/*
 * The container's network namespace. Runs in the starter, a short-lived single-threaded process that execs the OCI runtime
 * afterwards: the runtime inherits the namespace (the OCI configuration says `path: /proc/self/ns/net`).
 */
#ifndef SHIM_NET_H
#define SHIM_NET_H

#include "plan.h"

/*
 * Called in the host's network namespace; leaves the calling process in the container's.
 * NETWORK_HOST: does nothing. NETWORK_JOIN: setns. NETWORK_NEW: unshare, loopback up, veth pairs (host end in its bridge,
 * up, hairpin), addresses, routes, neighbours announced where useful. On failure nothing of it stays on the host.
 */
int net_setup(const struct network_plan *plan, struct failure *failure);

/*
 * Adds an interface to the network namespace at `namespace_path` and leaves the calling process there. On failure nothing of
 * the interface stays.
 */
int net_attach(const char *namespace_path, const struct interface_plan *interface, struct failure *failure);

struct bridge_plan {
  const char *name;
  char *const *addresses; /* with prefix length, one a family at most */
  size_t address_count;
  const char *mac_address;
  const char *alias;
  unsigned mtu;
};

/*
 * Makes a bridge on the host, or sets an existing one right: address, MTU, alias, up, 127.0.0.0/8 routed through it for published
 * ports; IPv6 only where it has an address of it.
 */
int net_bridge(const struct bridge_plan *plan, struct failure *failure);

/* Removes interfaces of the host; many cost the kernel hardly more than one. Those that are gone are passed over. */
int net_remove(char *const *names, size_t count, struct failure *failure);

/* Makes the default route of a network namespace, of the gateway's family, go through `gateway`, at its interface `name`. */
int net_lead(const char *namespace_path, const char *name, const char *gateway, struct failure *failure);

/* Removes the interface whose host end is `host_name`, if it is there. */
int net_detach(const char *host_name, struct failure *failure);

#endif
