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

/* True where at least one port is forwarded in userspace. NULL is allowed. */
bool ports_need_forwarder(const struct ports *ports);

/*
 * Forwards in a child of its own, in the host's network namespace, which dies with this process and with ports_release.
 * Without memory for it the ports stay held. Called at most once.
 */
void ports_start_forwarder(struct ports *ports);

/* True for the forwarder's process, which whoever waits for any child may have reaped: it is not killed any more. NULL is allowed. */
bool ports_forwarder_ended(struct ports *ports, pid_t pid);

/* Ends the forwarder and closes the sockets: others can bind the ports when this returns. NULL is allowed. */
void ports_release(struct ports *ports);

#endif
