/*
 * A recipe makes one exact tar stream again out of the tree that it was unpacked to. It holds every byte of the stream but the
 * contents of files, and in their place which file holds them.
 *
 *   "BERTHRC1"                                          8 bytes
 *   'R' length:u32 bytes                                bytes as they are
 *   'F' index:u32 length:u32 path segments:u32 (offset:u64 length:u64)*   contents of a file of the tree, piece by piece
 *   'E' total:u64                                       end; bytes of the whole stream
 *
 * Numbers are little-endian. `index` counts the F records from 0: a file that a later entry of the same archive replaced is kept as
 * `<index>` in a directory beside the tree.
 */
#ifndef SHIM_RECIPE_H
#define SHIM_RECIPE_H

#include "shim.h"

#define RECIPE_MAGIC "BERTHRC1"
/* Longest run of bytes in one record. */
#define RECIPE_RUN (64 * 1024)

struct tar_segment;

/* The writing side; collects runs of raw bytes. Zero it, set fd. */
struct recipe {
  int fd; /* -1: nothing is recorded */
  uint32_t files;
  uint64_t total;
  size_t used;
  size_t run; /* length of the open raw run at the end of `buffer` */
  unsigned char *buffer;
};

int recipe_begin(struct recipe *recipe, int fd, struct failure *failure);
int recipe_raw(struct recipe *recipe, const void *data, size_t length, struct failure *failure);
/* The contents of file `path` (relative to the tree) in these pieces. */
int recipe_file(struct recipe *recipe, const char *path, const struct tar_segment *segments, size_t count,
                struct failure *failure);
int recipe_end(struct recipe *recipe, struct failure *failure);
void recipe_free(struct recipe *recipe);

#endif
