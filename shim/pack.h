/* What the two ways of `shim pack` share: buffered output, and contents of files. */
#ifndef SHIM_PACK_H
#define SHIM_PACK_H

#include "shim.h"

struct recipe;
struct sha256;

struct output {
  int fd;
  bool pads; /* zeros stand for what a file has lost while it was read */
  struct recipe *recipe; /* gets what output_bytes writes; NULL: none */
  struct sha256 *hash;   /* takes everything; NULL: none */
  bool mute;             /* nothing goes to `fd` */
  size_t used;
  uint64_t total;
  char *buffer;
};

int output_begin(struct output *output, int fd, struct failure *failure);
int output_bytes(struct output *output, const void *data, size_t length, struct failure *failure);
/* `length` bytes of `file` from `offset` on; a file that has become shorter is an error, or made up by zeros. `name` for messages. */
int output_file(struct output *output, int file, uint64_t offset, uint64_t length, const char *name,
                struct failure *failure);
int output_flush(struct output *output, struct failure *failure);
void output_free(struct output *output);

struct pack_options {
  bool with_root; /* an entry for the tree's root itself */
  bool plain;     /* no whiteouts: devices stay devices */
  bool live;      /* what goes or gets shorter while it is read is no error */
  /* What names begin with, see pack_opened_tree; NULL: nothing. */
  const char *prefix;
  const char **excluded; /* paths below the tree that are left out */
  size_t excluded_count;
  int recipe_fd;      /* the recipe of the tar goes there, and the tar's facts instead of itself to standard output; 0: nowhere */
  bool clamps;        /* what is newer than `latest` gets that time, in the tree and in the tar */
  int64_t latest;
};

/* Writes the tree as PAX tar, names sorted by bytes, hard links and holes kept, and two zero blocks. */
int pack_tree(const char *tree, const struct pack_options *options, struct failure *failure);

/*
 * The same for an open directory. With `prefix` its entries are called `prefix/name`, those of the prefix "/" `/name`, and
 * `with_root` writes the entry `prefix/`.
 */
int pack_opened_tree(int directory, const struct pack_options *options, struct failure *failure);

/* A tar of one object, not a directory: `name` in the open directory. */
int pack_single(int directory, const char *name, const struct pack_options *options, struct failure *failure);

#endif
