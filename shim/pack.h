/* What the two ways of `shim pack` share: buffered output, and contents of files. */
#ifndef SHIM_PACK_H
#define SHIM_PACK_H

#include "shim.h"

struct output {
  int fd;
  size_t used;
  uint64_t total;
  char *buffer;
};

int output_begin(struct output *output, int fd, struct failure *failure);
int output_bytes(struct output *output, const void *data, size_t length, struct failure *failure);
/* `length` bytes of `file` from `offset` on; a file that has become shorter is an error. `name` for messages. */
int output_file(struct output *output, int file, uint64_t offset, uint64_t length, const char *name,
                struct failure *failure);
int output_flush(struct output *output, struct failure *failure);
void output_free(struct output *output);

struct pack_options {
  bool with_root; /* an entry for the tree's root itself */
  bool plain;     /* no whiteouts: devices stay devices */
  const char **excluded; /* paths below the tree that are left out */
  size_t excluded_count;
};

/* Writes the tree as PAX tar, names sorted by bytes, hard links and holes kept, and two zero blocks. */
int pack_tree(const char *tree, const struct pack_options *options, struct failure *failure);

#endif
