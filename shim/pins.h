/*
 * Mounts that must be made before the OCI runtime starts, because a path in its configuration could not say safely, or not at
 * all, what is meant. Each appears at a name below the container's directory, where the configuration binds it from.
 */
#ifndef SHIM_PINS_H
#define SHIM_PINS_H

#include "plan.h"

/*
 * Called in the starter's own mount namespace, the container's directory being the working directory. A pin with a process
 * is looked up in that process's mount namespace, one without on the host; its path is resolved inside its root, links too.
 */
int pins_mount(const struct shim_plan *plan, struct failure *failure);

#endif
