/* What is left of a container after its exit, as far as the shim can remove it without the runtime's help. */
#ifndef SHIM_CLEANUP_H
#define SHIM_CLEANUP_H

#include "plan.h"

/*
 * Removes the cgroup and, where the runtime is crun, its state directory (plain files; crun delete does nothing else for a
 * container without poststop hooks). What stays is for `RUNTIME delete --force`, which the engine runs when it finds the
 * state directory.
 */
void cleanup_after_exit(const struct shim_plan *plan);

/* Writes `exit` in the working directory: "code oom seconds nanoseconds\n", by rename. */
int cleanup_write_exit(int code, bool out_of_memory, int64_t seconds, long nanoseconds);

#endif
