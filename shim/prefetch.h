/* Reads a tree into the kernel's cache a little ahead of whoever packs it: a cold disk is then asked for many files at once. */
#ifndef SHIM_PREFETCH_H
#define SHIM_PREFETCH_H

#include <stdint.h>
#include <sys/types.h>

#define PREFETCHERS 3

struct prefetch {
  uint64_t *packed; /* shared with the children: how far the packer is, bytes; NULL: there are none */
  pid_t children[PREFETCHERS];
};

/* Without memory or processes for it the packing is only slower. The children follow the same order: names sorted by bytes. */
void prefetch_begin(struct prefetch *prefetch, int directory);
void prefetch_reached(struct prefetch *prefetch, uint64_t bytes);
void prefetch_end(struct prefetch *prefetch);

#endif
