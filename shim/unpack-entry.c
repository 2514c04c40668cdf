/* One entry of an archive becomes one object of the tree. Runs inside the chroot. */
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "io.h"
#include "tree.h"
#include "unpack.h"

/* ---- contents that a recipe refers to ---- */

static struct inode_slot *find_slot(struct inode_table *table, uint64_t inode) {
  size_t at = (size_t)(inode * 0x9e3779b97f4a7c15u) & (table->capacity - 1);
  while (table->slots[at].inode != 0 && table->slots[at].inode != inode) at = (at + 1) & (table->capacity - 1);
  return &table->slots[at];
}

static int remember_inode(struct inode_table *table, uint64_t inode, uint32_t index, struct failure *failure) {
  if (2 * table->used >= table->capacity) {
    struct inode_table grown = {.capacity = table->capacity ? 2 * table->capacity : 1024, .used = table->used};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots) return fail(failure, ENOMEM, "unpack");
    for (size_t i = 0; i < table->capacity; i++) {
      if (table->slots[i].inode != 0) *find_slot(&grown, table->slots[i].inode) = table->slots[i];
    }
    free(table->slots);
    *table = grown;
  }
  struct inode_slot *slot = find_slot(table, inode);
  if (slot->inode == 0) table->used++;
  *slot = (struct inode_slot){inode, index};
  return 0;
}

/* Moves a file out of the tree to where the recipe looks for it. */
static int keep_contents(void *context, int directory, const char *name, const struct stat *status,
                         struct failure *failure) {
  struct unpacker *unpacker = context;
  if (!S_ISREG(status->st_mode) || unpacker->inodes.capacity == 0) return 0;
  struct inode_slot *slot = find_slot(&unpacker->inodes, status->st_ino);
  if (slot->inode == 0) return 0;
  if (unpacker->replaced < 0) {
    if (mkdirat(unpacker->layer, "replaced", 0700) < 0 && errno != EEXIST)
      return fail(failure, errno, "make replaced");
    unpacker->replaced = RETRY(openat(unpacker->layer, "replaced", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (unpacker->replaced < 0) return fail(failure, errno, "open replaced");
  }
  char index[16];
  snprintf(index, sizeof index, "%u", slot->index);
  if (renameat(directory, name, unpacker->replaced, index) < 0) return fail(failure, errno, "keep %s", name);
  /* Renaming one hard link onto another of the same file does nothing at all. */
  (void)unlinkat(directory, name, 0);
  return 1;
}

/* ---- parents ---- */

static void forget_parent(struct unpacker *unpacker) {
  cleanup_fd(&unpacker->parent);
  unpacker->parent = -1;
  free(unpacker->parent_path);
  unpacker->parent_path = NULL;
}

static int set_opaque(int fd, const char *path, struct failure *failure) {
  if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0) return 0;
  return fail(failure, errno, "make %s opaque", path);
}

/* Takes away what is at `name`; *whiteout tells whether it was one. */
static int clear(struct unpacker *unpacker, int parent, const char *name, bool *whiteout, struct failure *failure) {
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : fail(failure, errno, "stat %s", name);
  *whiteout = S_ISCHR(status.st_mode) && status.st_rdev == 0;
  return tree_remove(parent, name, keep_contents, unpacker, failure);
}

/* A directory at `name`: the one that is there, or a new one. */
static int make_directory(struct unpacker *unpacker, int parent, const char *name, int *fd, struct failure *failure) {
  bool whiteout = false;
  if (mkdirat(parent, name, 0755) < 0) {
    struct stat status;
    if (errno != EEXIST) return fail(failure, errno, "make directory %s", name);
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, errno, "stat %s", name);
    if (!S_ISDIR(status.st_mode)) {
      if (clear(unpacker, parent, name, &whiteout, failure) < 0) return -1;
      if (mkdirat(parent, name, 0755) < 0) return fail(failure, errno, "make directory %s", name);
    }
  }
  *fd = RETRY(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (*fd < 0) return fail(failure, errno, "open %s", name);
  /* Removed and made again in one layer: nothing of the lower directory may show through. */
  return whiteout && !unpacker->plain ? set_opaque(*fd, name, failure) : 0;
}

/* Makes the missing directories of `path`, following symlinks that are there. */
static int make_parents(struct unpacker *unpacker, char *path, struct failure *failure) {
  for (char *slash = path;; slash++) {
    slash += strcspn(slash, "/");
    char end = *slash;
    *slash = '\0';
    struct stat status;
    int result = 0;
    if (mkdirat(unpacker->root, path, 0755) < 0) {
      if (errno != EEXIST) result = fail(failure, errno, "make directory %s", path);
      else if (fstatat(unpacker->root, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(status.st_mode) &&
               status.st_rdev == 0) {
        int fd = -1;
        result = make_directory(unpacker, unpacker->root, path, &fd, failure);
        cleanup_fd(&fd);
      }
    }
    *slash = end;
    if (result < 0 || end == '\0') return result;
  }
}

/* The parent directory of `path`, and where its last name begins. Valid until the next call. */
static int open_parent(struct unpacker *unpacker, const char *path, const char **name, struct failure *failure) {
  const char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (unpacker->parent >= 0 && strlen(unpacker->parent_path) == length &&
      memcmp(unpacker->parent_path, path, length) == 0)
    return unpacker->parent;
  forget_parent(unpacker);
  char *parent = strndup(path, length);
  if (!parent) return fail(failure, ENOMEM, "unpack");
  bool linked = false;
  int fd = -1;
  for (int attempt = 0; attempt < 2 && fd < 0; attempt++) {
    if (attempt == 1 && make_parents(unpacker, parent, failure) < 0) break;
    linked = false;
    fd = tree_open(unpacker->root, length ? parent : ".", O_PATH | O_DIRECTORY);
    if (fd < 0 && (errno == ELOOP || errno == ENOSYS)) {
      linked = true;
      /* The root is this process's own; only a magic link of a mounted /proc could lead out of it. */
      struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
      fd = (int)RETRY(syscall(SYS_openat2, unpacker->root, parent, &how, sizeof how));
    }
    if (fd < 0 && (attempt == 1 || (errno != ENOENT && errno != ENOTDIR))) {
      fail(failure, errno, "open %s", parent);
      break;
    }
  }
  if (fd < 0) {
    free(parent);
    return -1;
  }
  unpacker->parent = fd;
  unpacker->parent_path = parent;
  unpacker->parent_linked = linked;
  return fd;
}

/* ---- attributes ---- */

int unpack_set_xattr(int fd, const char *path, const char *name, const void *value, size_t length,
                     struct failure *failure) {
  int result = fd >= 0 ? fsetxattr(fd, name, value, length, 0) : lsetxattr(path, name, value, length, 0);
  if (result == 0 || errno == ENOTSUP || errno == EPERM) return 0;
  return fail(failure, errno, "set attribute %s of %s", name, path);
}

/* Overlay's own attributes are never an archive's to set: they could show directories that are none of the image's. */
static int set_xattrs(int fd, const char *path, const struct tar_entry *entry, struct failure *failure) {
  for (size_t i = 0; i < entry->xattr_count; i++) {
    const struct tar_xattr *xattr = &entry->xattrs[i];
    if (strncmp(xattr->name, "trusted.overlay.", 16) == 0) continue;
    if (entry->type == '5' && strcmp(xattr->name, "system.posix_acl_default") == 0) continue;
    if (unpack_set_xattr(fd, path, xattr->name, xattr->value, xattr->length, failure) < 0) return -1;
  }
  return 0;
}

/* Owner first (it clears setuid and capabilities), then xattrs, mode, and times last. */
static int set_open_attributes(int fd, const char *path, const struct tar_entry *entry, struct failure *failure) {
  if (fchown(fd, entry->uid, entry->gid) < 0) return fail(failure, errno, "set owner of %s", path);
  if (set_xattrs(fd, path, entry, failure) < 0) return -1;
  if (fchmod(fd, entry->mode) < 0) return fail(failure, errno, "set mode of %s", path);
  return 0;
}

static int set_attributes(int parent, const char *name, const char *path, const struct tar_entry *entry,
                          struct failure *failure) {
  if (fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
    return fail(failure, errno, "set owner of %s", path);
  if (set_xattrs(-1, path, entry, failure) < 0) return -1;
  if (entry->type != '2' && fchmodat(parent, name, entry->mode, 0) < 0)
    return fail(failure, errno, "set mode of %s", path);
  struct timespec times[2] = {entry->atime, entry->mtime};
  if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0) return fail(failure, errno, "set times of %s", path);
  return 0;
}

/* ---- kinds of entries ---- */

/* The next piece of payload goes to its place: a sparse file's next segments, or the end. */
struct writer {
  const struct tar_entry *entry;
  size_t segment;
  int64_t done; /* of the segment */
};

static int write_piece(int fd, struct writer *writer, const char *data, size_t length, struct failure *failure) {
  const struct tar_entry *entry = writer->entry;
  if (!entry->sparse) return io_write_all(fd, data, length) < 0 ? fail(failure, errno, "write %s", entry->path) : 0;
  while (length > 0) {
    const struct tar_segment *segment = &entry->segments[writer->segment];
    int64_t room = segment->length - writer->done;
    if (room == 0) {
      writer->segment++;
      writer->done = 0;
      continue;
    }
    size_t part = room < (int64_t)length ? (size_t)room : length;
    ssize_t written = RETRY(pwrite(fd, data, part, segment->offset + writer->done));
    if (written < 0) return fail(failure, errno, "write %s", entry->path);
    writer->done += written;
    data += written;
    length -= (size_t)written;
  }
  return 0;
}

/* So much of a file goes on its way to disk at a time: a sync at the end finds little left. Small files are left to the kernel. */
#define WRITE_BACK (4 << 20)

/* Gives the disk what was written since `begun`, where that is worth it; returns up to where it was given. Nothing fails here: the sync counts. */
static int64_t write_back(int fd, int64_t begun, int64_t written) {
  if (written - begun < WRITE_BACK) return begun;
  (void)sync_file_range(fd, begun, written - begun, SYNC_FILE_RANGE_WRITE);
  return written;
}

static int write_contents(struct unpacker *unpacker, int fd, const struct tar_entry *entry, const char *path,
                          struct failure *failure) {
  struct writer writer = {.entry = entry};
  /* Names below a symlink may mean another file later on: then the recipe holds the bytes themselves. */
  bool referred = unpacker->recipe.fd >= 0 && !unpacker->parent_linked;
  bool any = false;
  int64_t written = 0, begun = 0;
  for (;;) {
    const char *data;
    ssize_t length = tar_payload(unpacker->reader, &data, failure);
    if (length < 0) return -1;
    if (length == 0) break;
    any = true;
    written += length;
    if (!entry->sparse) begun = write_back(fd, begun, written - length);
    if (write_piece(fd, &writer, data, (size_t)length, failure) < 0) return -1;
    if (!referred && recipe_raw(&unpacker->recipe, data, (size_t)length, failure) < 0) return -1;
  }
  if (entry->sparse && ftruncate(fd, entry->size) < 0) return fail(failure, errno, "write %s", path);
  if (!referred || !any) return 0;
  struct stat status;
  if (fstat(fd, &status) < 0) return fail(failure, errno, "stat %s", path);
  if (remember_inode(&unpacker->inodes, status.st_ino, unpacker->recipe.files, failure) < 0) return -1;
  struct tar_segment whole = {0, entry->size};
  return recipe_file(&unpacker->recipe, path, entry->sparse ? entry->segments : &whole,
                     entry->sparse ? entry->segment_count : 1, failure);
}

static int make_file(struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                     const char *path, struct failure *failure) {
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  _cleanup_fd_ int fd = RETRY(openat(parent, name, flags, 0600));
  if (fd < 0 && errno == EEXIST) {
    bool whiteout = false;
    if (clear(unpacker, parent, name, &whiteout, failure) < 0) return -1;
    fd = RETRY(openat(parent, name, flags, 0600));
  }
  if (fd < 0) return fail(failure, errno, "make %s", path);
  if (write_contents(unpacker, fd, entry, path, failure) < 0) return -1;
  if (set_open_attributes(fd, path, entry, failure) < 0) return -1;
  struct timespec times[2] = {entry->atime, entry->mtime};
  if (futimens(fd, times) < 0) return fail(failure, errno, "set times of %s", path);
  unpacker->size += entry->size;
  return 0;
}

static int make_link(struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                     struct failure *failure) {
  char target[PATH_MAX];
  if (unpack_clean(entry->link, target, failure) < 0) return -1;
  if (linkat(unpacker->root, target, parent, name, 0) == 0) return 0;
  if (errno == EEXIST) {
    struct stat old, new;
    if (fstatat(unpacker->root, target, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
        fstatat(parent, name, &new, AT_SYMLINK_NOFOLLOW) == 0) {
      if (old.st_ino == new.st_ino && old.st_dev == new.st_dev) return 0;
      bool whiteout = false;
      if (clear(unpacker, parent, name, &whiteout, failure) < 0) return -1;
      if (linkat(unpacker->root, target, parent, name, 0) == 0) return 0;
    } else {
      errno = ENOENT;
    }
  }
  int code = errno == EPERM ? 0 : errno; /* to a directory, for example: the archive's fault */
  return fail(failure, code, "invalid archive: hard link to %s", target);
}

static int make_special(struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                        struct failure *failure) {
  bool device = entry->type == '3' || entry->type == '4';
  if (device && unpacker->no_devices) return fail(failure, 0, "invalid archive: device %.900s", entry->path);
  mode_t mode = entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO;
  dev_t number = device ? makedev(entry->major, entry->minor) : 0;
  for (int attempt = 0; attempt < 2; attempt++) {
    int result = entry->type == '2' ? symlinkat(entry->link, parent, name) : mknodat(parent, name, mode | 0600, number);
    if (result == 0) {
      /* A symlink is as long as its target: Docker's sizes of layers count it. */
      if (entry->type == '2') unpacker->size += (int64_t)strlen(entry->link);
      return 0;
    }
    bool whiteout = false;
    if (errno != EEXIST) break;
    if (clear(unpacker, parent, name, &whiteout, failure) < 0) return -1;
  }
  return fail(failure, errno, "make %s", name);
}

/* `.wh.name` and the like: 1 it was one, 0 an ordinary name. */
static int whiteout(struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                    struct failure *failure) {
  if (unpacker->plain || strncmp(name, ".wh.", 4) != 0) return 0;
  if (strcmp(name, ".wh..wh..opq") == 0) {
    _cleanup_fd_ int fd = RETRY(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) return fail(failure, errno, "open the parent of %s", entry->path);
    return set_opaque(fd, entry->path, failure) < 0 ? -1 : 1;
  }
  if (strncmp(name, ".wh..wh.", 8) == 0) return 1; /* left over from aufs */
  const char *gone = name + 4;
  if (*gone == '\0' || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0)
    return fail(failure, 0, "invalid archive: whiteout %.900s", entry->path);
  bool before = false;
  if (clear(unpacker, parent, gone, &before, failure) < 0) return -1;
  if (mknodat(parent, gone, S_IFCHR, 0) < 0) return fail(failure, errno, "make whiteout %s", entry->path);
  return 1;
}

/* What Docker refuses with `noOverwriteDirNonDir`, in its words. */
static int check_overwrite(const struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                           const char *path, struct failure *failure) {
  struct stat status;
  if (!unpacker->no_overwrite || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return 0;
  if (S_ISDIR(status.st_mode) == (entry->type == '5')) return 0;
  const char *is = S_ISDIR(status.st_mode) ? "directory" : "non-directory";
  const char *comes = entry->type == '5' ? "directory" : "non-directory";
  return fail(failure, 0, "cannot overwrite %s \"%.400s\" with %s \"%.400s\"", is, path, comes, unpacker->destination);
}

static int make_object(struct unpacker *unpacker, int parent, const char *name, const struct tar_entry *entry,
                       const char *path, struct failure *failure) {
  switch (entry->type) {
    case '0':
      return make_file(unpacker, parent, name, entry, path, failure);
    case '1':
      return make_link(unpacker, parent, name, entry, failure);
    case '2':
    case '3':
    case '4':
    case '6':
      if (make_special(unpacker, parent, name, entry, failure) < 0) return -1;
      return set_attributes(parent, name, path, entry, failure);
    case '5': {
      _cleanup_fd_ int fd = -1;
      if (make_directory(unpacker, parent, name, &fd, failure) < 0) return -1;
      return set_open_attributes(fd, path, entry, failure);
    }
    default:
      return fail(failure, 0, "unhandled tar header type %d", entry->type);
  }
}

int unpack_entry(struct unpacker *unpacker, const struct tar_entry *source, const char *path, struct failure *failure) {
  struct tar_entry owned = *source;
  if (unpacker->owned) {
    owned.uid = unpacker->uid;
    owned.gid = unpacker->gid;
  }
  const struct tar_entry *entry = &owned;
  if (*path == '\0' && unpacker->keep_root) return 0;
  if (*path == '\0') {
    if (entry->type != '5') return fail(failure, 0, "invalid archive: the root is no directory");
    return set_open_attributes(unpacker->root, "/", entry, failure);
  }
  const char *name;
  int parent = open_parent(unpacker, path, &name, failure);
  if (parent < 0) return -1;
  int done = whiteout(unpacker, parent, name, entry, failure);
  if (done != 0) return done < 0 ? -1 : 0;
  if (check_overwrite(unpacker, parent, name, entry, path, failure) < 0) return -1;
  return make_object(unpacker, parent, name, entry, path, failure);
}
