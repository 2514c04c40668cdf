/* The root that `shim files` works in; see files.c. */
#ifndef SHIM_FILES_H
#define SHIM_FILES_H

#include "plan.h"

/* A bind mount of a container that does not run. */
struct files_mount {
  const char *source, *target;
  const char *subpath; /* inside the source, which it cannot leave; NULL: none */
  bool read_only, recursive;
};

struct files_root {
  pid_t pid;           /* a running container's first process; 0: the root is put together from the rest */
  const char *scratch; /* a directory that may be mounted over */
  const char **lower;  /* the top layer first */
  size_t lower_count;
  const char *upper, *work; /* NULL: what is written is forgotten */
  struct files_mount *mounts;
  size_t mount_count;
  bool own_only; /* the root without what is mounted on it */
};

/*
 * Changes this process's root and working directory to the container's, in a mount namespace that ends with it. /proc, /sys and
 * the like are not there, and neither is the runtime's /dev. A failure of code ESRCH: no such process.
 */
int files_enter(const struct files_root *root, struct failure *failure);

#endif
