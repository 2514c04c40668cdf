/* The container's cgroup, in every hierarchy that is mounted. */
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

#include "shim.h"

/* Sends SIGKILL to every process that is left in the cgroup (a container without a pid namespace of its own). True: there was one. */
bool cgroup_kill(const char *cgroup_path);

/* Removes the cgroup with what the container made below it. True when nothing of it is left. */
bool cgroup_remove(const char *cgroup_path);

#endif
