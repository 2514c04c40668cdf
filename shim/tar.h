/*
 * A tar stream read entry by entry: v7, ustar, GNU (long names and links, base-256 numbers, old sparse files) and PAX (path,
 * linkpath, size, uid, gid, mtime, atime, SCHILY.xattr.*, GNU.sparse 0.0, 0.1, 1.0). Names are bytes, never text. Every bound
 * that an archive could lie about is checked here; what names and links may point at is the caller's business.
 *
 * POSIX.1-2024 pax, "pax Interchange Format"; GNU tar manual, appendix "Tar Internals".
 */
#ifndef SHIM_TAR_H
#define SHIM_TAR_H

#include <time.h>

#include "recipe.h"
#include "shim.h"

/* Longest meta header (PAX records, GNU long name) that is read, as Go's archive/tar has it. */
#define TAR_META_LIMIT (1 << 20)
/* Most pieces of one sparse file. */
#define TAR_SEGMENT_LIMIT (1 << 20)

struct tar_xattr {
  const char *name; /* without the SCHILY.xattr. prefix */
  const char *value;
  size_t length;
};

/* A piece of a sparse file that holds data. */
struct tar_segment {
  int64_t offset;
  int64_t length;
};

struct tar_entry {
  char type;        /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block device, '5' directory, '6' fifo */
  const char *path; /* as in the archive */
  const char *link;
  uint32_t mode; /* permission bits with setuid, setgid and sticky */
  uint32_t uid, gid;
  uint32_t major, minor;
  int64_t size; /* bytes of the file once unpacked */
  struct timespec mtime, atime;
  struct tar_xattr *xattrs;
  size_t xattr_count;
  bool sparse;
  struct tar_segment *segments;
  size_t segment_count;
};

struct tar_reader; /* opaque */

/*
 * Reads the archive from `fd` (not closed). What is not consumed through tar_payload goes into `recipe` (may be NULL) byte by byte.
 */
int tar_open(int fd, struct recipe *recipe, struct tar_reader **reader, struct failure *failure);
void tar_close(struct tar_reader *reader);

/*
 * The next entry, valid until the next call: 1; 0 at the end of the archive, all of `fd` read; -1. A failure of code 0 is
 * the archive's fault, any other is the system's.
 */
int tar_next(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure);

/*
 * The next bytes of the entry's payload, in the order of the archive (for a sparse file: of its segments): their number, 0 at
 * the end, -1. They are valid until the next call and are the caller's to remember: they do not go into the recipe.
 */
ssize_t tar_payload(struct tar_reader *reader, const char **data, struct failure *failure);

/* Bytes read so far. */
int64_t tar_offset(const struct tar_reader *reader);

#endif
