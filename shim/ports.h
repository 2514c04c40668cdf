/*
 * Published host ports: bound without SO_REUSEADDR for as long as the container lives, so that another program gets
 * "address already in use"; where the plan says so also forwarded in userspace.
 */
#ifndef SHIM_PORTS_H
#define SHIM_PORTS_H

#include "plan.h"

struct ports; /* opaque */

/*
 * Binds all ports of the plan, in the shim itself, before the starter is forked. Gives NULL in *ports when there are none.
 * A failure names the port in Docker's words ("failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use").
 */
int ports_hold(const struct network_plan *plan, struct ports **ports, struct failure *failure);

/* True where at least one port is forwarded in userspace. */
bool ports_need_forwarder(const struct ports *ports);

/*
 * Forwards until killed. Runs in a process of its own, a child of the shim in the host's network namespace, which dies with
 * the shim (PR_SET_PDEATHSIG is set by the caller). All descriptors but the ports' own are closed already.
 */
_Noreturn void ports_forward(struct ports *ports);

/* Closes the sockets. NULL is allowed. */
void ports_release(struct ports *ports);

#endif
