/* What is left of a container after its exit, as far as the shim can remove it without the runtime's help. */
#ifndef SHIM_CLEANUP_H
#define SHIM_CLEANUP_H

#include "plan.h"

/*
 * After the last process has ended: removes the cgroup and the runtime's state. Of crun's containers the state is removed
 * here (a directory of plain files; `crun delete` does nothing else for a container without poststop hooks), for every other
 * runtime, or when something unexpected is in there, `RUNTIME delete --force` is run.
 */
void cleanup_after_exit(const struct shim_plan *plan);

/* Writes `exit` in the working directory: "code oom seconds nanoseconds\n", by rename. */
int cleanup_write_exit(int code, bool out_of_memory, int64_t seconds, long nanoseconds);

#endif
