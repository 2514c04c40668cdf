/* The starter: a short-lived child of the shim that makes the container's surroundings and becomes the OCI runtime. */
#ifndef SHIM_STARTER_H
#define SHIM_STARTER_H

#include "plan.h"

/*
 * Makes the mount namespace with the root at ./rootfs (the working directory is the container's directory) and the network
 * namespace. Gives -1 with `stage` set to what failed. A descriptor of the root goes to `report` where letting go of the
 * root may take long, see release_root in run.c.
 */
int starter_prepare(const struct shim_plan *plan, int report, unsigned *stage, struct failure *failure);

/* Mounts an overlay or bind root at `target`; see struct root_plan. Exported for the unit tests. */
int starter_mount_root(const struct root_plan *root, const char *target, struct failure *failure);

/* Builds the options of an overlay relative to the longest directory that all lower ones share. Both results are malloced. */
int overlay_options(const struct root_plan *root, char **base, char **options, struct failure *failure);

#endif
