/* Becoming the OCI runtime. */
#ifndef SHIM_RUNTIME_H
#define SHIM_RUNTIME_H

#include "plan.h"

/* Arguments of one run of the runtime; ends with NULL. */
struct runtime_arguments {
  const char **list;
  size_t count;
};

/* By the name of its program. */
bool runtime_is_crun(const struct shim_plan *plan);

/* Program name, global arguments of the plan, --root and --log. */
int runtime_begin(struct runtime_arguments *arguments, const struct shim_plan *plan, const char *log);
int runtime_add(struct runtime_arguments *arguments, const char *argument);

/*
 * Replaces the calling process by the runtime, with default signals. The program is run from a read-only clone of its mount:
 * a runtime that fears to be overwritten by its container (CVE-2019-5736) sees that it cannot be, and need not copy itself
 * and start a second time. Returns only on failure, errno set.
 */
void runtime_exec(const struct shim_plan *plan, struct runtime_arguments *arguments);

#endif
