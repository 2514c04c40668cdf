/* The container's cgroup, in every hierarchy that is mounted. */
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

#include "shim.h"

/* Sends SIGKILL to every process that is left in the cgroup (a container without a pid namespace of its own). True: there was one. */
bool cgroup_kill(const char *cgroup_path);

/* Removes the cgroup with what the container made below it. True when nothing of it is left. */
bool cgroup_remove(const char *cgroup_path);

/*
 * Writing a process into a cgroup waits for the kernel to stop all forks, which takes a grace period of RCU (4 ms and more),
 * unless somebody did it a moment ago. The shim pays for that while the starter is still busy elsewhere, by writing itself
 * into the cgroup that it is in; the runtime's own writes are fast then. Blocks for that time; changes nothing.
 */
void cgroup_warm_up(void);

#endif
