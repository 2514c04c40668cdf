/* The parts of the tar reader that parse text: numbers of the header and PAX records. */
#ifndef SHIM_TAR_PAX_H
#define SHIM_TAR_PAX_H

#include "tar.h"

/* Names that outlive a header block. */
struct tar_names {
  char *path, *link;
  bool long_path, long_link; /* from a GNU meta header */
};

/* The records before one entry. Pointers lead into `storage`. */
struct tar_pax {
  char *storage;
  const char *path, *link, *sparse_name;
  bool has_size, has_uid, has_gid, has_mtime, has_atime, has_real_size;
  int64_t size, real_size;
  uint32_t uid, gid;
  struct timespec mtime, atime;
  struct tar_xattr *xattrs;
  size_t xattr_count;
  bool sparse;
  int sparse_major;
  bool half_segment; /* GNU.sparse 0.0: an offset waits for its length */
  int64_t half_offset;
  struct tar_segment *segments;
  size_t segment_count, segment_capacity;
};

/* A number of a header: octal text or base-256. 0 or -1. */
int tar_number(const char *field, size_t length, int64_t *value);

/* Takes over `data` (malloc, `length` bytes and a NUL): the records of one extended header, which replaces an earlier one. */
int tar_pax_records(struct tar_pax *pax, char *data, size_t length, struct failure *failure);
int tar_pax_segment(struct tar_pax *pax, int64_t offset, int64_t length, struct failure *failure);
void tar_pax_clear(struct tar_pax *pax);

#endif
