/* Work on directory trees that may be hostile: any depth, any names. */
#ifndef SHIM_TREE_H
#define SHIM_TREE_H

#include <sys/stat.h>

#include "shim.h"

/* Asked for everything that is not a directory, before it is unlinked: 1 it has been moved away, 0 unlink it, -1 with failure. */
typedef int tree_keep(void *context, int directory, const char *name, const struct stat *status, struct failure *failure);

/*
 * Removes `name` and all below it; what is not there is no error. Uses a bounded number of descriptors and no recursion: deep
 * directories are moved up before they are emptied. `keep` may be NULL. Another one may be removing the same tree meanwhile, as the
 * child of an engine that was killed does: what it was faster with is not there.
 */
int tree_remove(int directory, const char *name, tree_keep *keep, void *context, struct failure *failure);

/* openat2 below `root`: no symlink anywhere, nothing outside. A descriptor, or -1 with errno. */
int tree_open(int root, const char *path, int flags);

/* More entries than these are not synced one by one. */
#define TREE_FEW 2000

#endif
