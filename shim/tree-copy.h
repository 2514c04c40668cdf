/* A directory tree copied as it is: contents shared where the file system can, owners, modes, xattrs, times, links, holes, devices. */
#ifndef SHIM_TREE_COPY_H
#define SHIM_TREE_COPY_H

#include "shim.h"

/*
 * Copies what is in the open directory `from` into the open, empty directory `to`, whose own attributes become those of `from`.
 * Either may belong to a container that changes it meanwhile: no link is followed, what goes while it is read is left out, and
 * sockets are. One descriptor pair for each level of the tree.
 */
int tree_copy(int from, int to, struct failure *failure);

/* What `du` says of a tree. */
struct tree_size {
  uint64_t bytes;   /* of the regular files, one with several names counted once */
  uint64_t on_disk; /* what everything takes of the disk */
  uint64_t entries; /* without the directory itself */
};

int tree_measure(int directory, struct tree_size *size, struct failure *failure);

#endif
