/* What the parts of `shim unpack` share. */
#ifndef SHIM_UNPACK_H
#define SHIM_UNPACK_H

#include <limits.h>

#include "recipe.h"
#include "shim.h"
#include "tar.h"

/* A directory's times (and default ACL) are set when nothing more is written into it. */
struct late_directory {
  char *path;
  struct timespec mtime, atime;
  char *acl;
  size_t acl_length;
};

/* Inode → index of the recipe's F record with its contents; open addressing, inode 0 is a free slot. */
struct inode_slot {
  uint64_t inode;
  uint32_t index;
};

struct inode_table {
  struct inode_slot *slots;
  size_t capacity, used;
};

struct unpacker {
  int layer;    /* the layer's directory, outside of the chroot */
  int root;     /* "/" */
  int replaced; /* LAYER/replaced once needed, else -1 */
  bool plain;
  bool no_devices;
  bool no_overwrite; /* no directory takes the place of something else, nor the other way round */
  bool keep_root;    /* an entry for the root itself changes nothing */
  bool owned;        /* everything goes to uid and gid */
  uint32_t uid, gid;
  const char *destination; /* for messages */
  struct tar_reader *reader;
  struct recipe recipe;
  struct late_directory *directories;
  size_t directory_count, directory_capacity;
  struct inode_table inodes;
  /* The parent directory used last. */
  char *parent_path;
  int parent;
  bool parent_linked; /* reached through a symlink: what its path means may change later */
  int64_t size;
  uint64_t entries;
};

struct unpack_options {
  bool no_overwrite;
  bool owned;
  uint32_t uid, gid;
  const char *destination;
};

/*
 * Unpacks standard input into the working directory; names that look like whiteouts are names. The process is chrooted already:
 * links that are there are followed inside its root. The destination's own attributes stay.
 */
int unpack_here(const struct unpack_options *options, struct failure *failure);
/* The applet's exit code for a failure of that errno. */
int unpack_exit_code(int code);

int unpack_clean(const char *name, char path[PATH_MAX], struct failure *failure);
/* Makes what the entry says at `path`, which unpack_clean gave. */
int unpack_entry(struct unpacker *unpacker, const struct tar_entry *entry, const char *path, struct failure *failure);
/* `fd` or, when it is -1, `path` itself (not what it links to). What the file system cannot hold is passed over, as Docker does. */
int unpack_set_xattr(int fd, const char *path, const char *name, const void *value, size_t length,
                     struct failure *failure);

#endif
