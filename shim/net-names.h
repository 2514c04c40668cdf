/* The container's end of the resolver process (src/programs/resolver), which serves 127.0.0.11 inside of its network. */
#ifndef SHIM_NET_NAMES_H
#define SHIM_NET_NAMES_H

#include "shim.h"

/*
 * Has the resolver at the socket make its sockets for container `id` in the network namespace of this process. They answer when
 * it returns. Waits up to some seconds for a resolver that is being started.
 */
int names_open(const char *socket_path, const char *id, struct failure *failure);

#endif
