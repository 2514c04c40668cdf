/* Notices that the container hit its memory limit: an eventfd on cgroup v1, POLLPRI on memory.events on v2. */
#ifndef SHIM_OOM_H
#define SHIM_OOM_H

#include "shim.h"

struct oom_watch {
  int fd;      /* to poll; -1: nothing is watched */
  short events; /* for poll */
  int control; /* v1: memory.oom_control, v2: memory.events */
  bool v2;
  uint64_t seen; /* kills that were told already */
};

/*
 * Begins to watch the memory cgroup of `cgroup_path`, which is this container's alone. Where that cannot be done, nothing is watched.
 * True when the kernel has killed something already: the container may have been quicker than its shim.
 */
bool oom_open(struct oom_watch *watch, const char *cgroup_path);

/* Clears the notice. True when the kernel has killed something since the last call. */
bool oom_check(struct oom_watch *watch);

void oom_close(struct oom_watch *watch);

#endif
