/* See tree-copy.h. */
#include "tree-copy.h"

#include <dirent.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "inode-set.h"
#include "io.h"
#include "tree.h"

#define BLOCK (256 * 1024)
#define DISK_BLOCK 512

struct copier {
  int root; /* of the copy */
  struct inode_set linked;
  char *buffer;
  char path[PATH_MAX]; /* below the root, of what is being copied */
};

static bool dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* One descriptor, or two, for each level of a tree. */
static void raise_descriptor_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

/* A listing of its own; the descriptor stays the caller's. */
static DIR *list(int directory) {
  int fd = RETRY(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  if (!stream && fd >= 0) close(fd);
  return stream;
}

static int copy_range(struct copier *copier, int from, int to, int64_t begin, int64_t end, struct failure *failure) {
  bool in_kernel = true;
  while (begin < end) {
    loff_t in = begin, out = begin;
    size_t want = end - begin > BLOCK ? BLOCK : (size_t)(end - begin);
    ssize_t copied;
    if (in_kernel) {
      copied = RETRY(copy_file_range(from, &in, to, &out, (size_t)(end - begin), 0));
      if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
        in_kernel = false;
        continue;
      }
    } else {
      copied = RETRY(pread(from, copier->buffer, want, begin));
      if (copied > 0) copied = RETRY(pwrite(to, copier->buffer, (size_t)copied, begin));
    }
    if (copied < 0) return fail(failure, errno, "copy %s", copier->path);
    if (copied == 0) return 0; /* it has become shorter meanwhile */
    begin += copied;
  }
  return 0;
}

static int copy_contents(struct copier *copier, int from, int to, int64_t size, struct failure *failure) {
  if (ioctl(to, FICLONE, from) == 0) return 0;
  for (int64_t position = 0; position < size;) {
    int64_t begin = lseek(from, position, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break; /* only a hole is left */
    int64_t end = begin < 0 ? -1 : lseek(from, begin, SEEK_HOLE);
    if (begin < 0 || end < 0) {
      begin = position;
      end = size;
    }
    if (end > size) end = size;
    if (copy_range(copier, from, to, begin, end, failure) < 0) return -1;
    position = end;
  }
  if (ftruncate(to, size) < 0) return fail(failure, errno, "copy %s", copier->path);
  return 0;
}

/* What has attributes: an open file, or a name that is not followed. */
struct bearer {
  int fd;
  char path[NAME_MAX + 40];
};

static struct bearer opened(int fd) { return (struct bearer){.fd = fd}; }

static struct bearer named(int directory, const char *name) {
  struct bearer bearer = {.fd = -1};
  snprintf(bearer.path, sizeof bearer.path, "/proc/self/fd/%d/%.*s", directory, NAME_MAX, name);
  return bearer;
}

static ssize_t list_xattrs(const struct bearer *bearer, char *names, size_t size) {
  return bearer->fd >= 0 ? flistxattr(bearer->fd, names, size) : llistxattr(bearer->path, names, size);
}

static ssize_t get_xattr(const struct bearer *bearer, const char *name, void *value, size_t size) {
  return bearer->fd >= 0 ? fgetxattr(bearer->fd, name, value, size) : lgetxattr(bearer->path, name, value, size);
}

static int set_xattr(const struct bearer *bearer, const char *name, const void *value, size_t size) {
  return bearer->fd >= 0 ? fsetxattr(bearer->fd, name, value, size, 0) : lsetxattr(bearer->path, name, value, size, 0);
}

/* What the file system of the copy cannot hold is passed over. */
static int copy_xattrs(struct copier *copier, struct bearer from, struct bearer to, struct failure *failure) {
  char names[XATTR_LIST_MAX];
  ssize_t length = list_xattrs(&from, names, sizeof names);
  if (length < 0) return errno == ENOTSUP ? 0 : fail(failure, errno, "list the attributes of %s", copier->path);
  _cleanup_free_ char *value = length > 0 ? malloc(XATTR_SIZE_MAX) : NULL;
  if (length > 0 && !value) return fail(failure, ENOMEM, "copy %s", copier->path);
  for (const char *name = names; name < names + length; name += strlen(name) + 1) {
    ssize_t size = get_xattr(&from, name, value, XATTR_SIZE_MAX);
    if (size < 0 && errno == ENODATA) continue;
    if (size < 0) return fail(failure, errno, "read attribute %s of %s", name, copier->path);
    if (set_xattr(&to, name, value, (size_t)size) < 0 && errno != ENOTSUP && errno != EPERM)
      return fail(failure, errno, "set attribute %s of %s", name, copier->path);
  }
  return 0;
}

/* Owner first, because a change of owner takes setuid and capabilities away; times last. */
static int copy_attributes(struct copier *copier, int from, int to, const struct stat *status, struct failure *failure) {
  if (fchown(to, status->st_uid, status->st_gid) < 0) return fail(failure, errno, "set the owner of %s", copier->path);
  if (copy_xattrs(copier, opened(from), opened(to), failure) < 0) return -1;
  if (fchmod(to, status->st_mode & 07777) < 0) return fail(failure, errno, "set the mode of %s", copier->path);
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  return futimens(to, times) < 0 ? fail(failure, errno, "set the times of %s", copier->path) : 0;
}

/* True where the file got its name by a link to the copy of another name of it. */
static int link_known(struct copier *copier, int to, const char *name, const struct stat *status, struct failure *failure) {
  bool met;
  struct inode_entry *entry = inode_set_find(&copier->linked, status->st_dev, status->st_ino, &met);
  if (!entry) return fail(failure, ENOMEM, "copy %s", copier->path);
  if (!met || !entry->path) {
    entry->path = strdup(copier->path);
    return entry->path ? 0 : fail(failure, ENOMEM, "copy %s", copier->path);
  }
  /* A container may be changing the copy: nothing but its own tree is linked to. */
  _cleanup_fd_ int first = tree_open(copier->root, entry->path, O_PATH | O_NOFOLLOW);
  if (first < 0 || linkat(first, "", to, name, AT_EMPTY_PATH) < 0) return fail(failure, errno, "link %s", copier->path);
  return 1;
}

static int copy_regular(struct copier *copier, int fd, int to, const char *name, const struct stat *status,
                        struct failure *failure) {
  if (status->st_nlink > 1) {
    int linked = link_known(copier, to, name, status, failure);
    if (linked != 0) return linked < 0 ? -1 : 0;
  }
  _cleanup_fd_ int copy = RETRY(openat(to, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (copy < 0) return fail(failure, errno, "create %s", copier->path);
  if (copy_contents(copier, fd, copy, status->st_size, failure) < 0) return -1;
  return copy_attributes(copier, fd, copy, status, failure);
}

static int copy_special(struct copier *copier, int from, int to, const char *name, const struct stat *status,
                        struct failure *failure) {
  if (S_ISLNK(status->st_mode)) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0) return errno == ENOENT || errno == EINVAL ? 0 : fail(failure, errno, "read link %s", copier->path);
    target[length] = '\0';
    if (symlinkat(target, to, name) < 0) return fail(failure, errno, "create %s", copier->path);
  } else if (mknodat(to, name, status->st_mode, status->st_rdev) < 0) {
    return fail(failure, errno, "create %s", copier->path);
  }
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  if (fchownat(to, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
    return fail(failure, errno, "set the owner of %s", copier->path);
  if (copy_xattrs(copier, named(from, name), named(to, name), failure) < 0) return -1;
  if ((!S_ISLNK(status->st_mode) && fchmodat(to, name, status->st_mode & 07777, 0) < 0) ||
      utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
    return fail(failure, errno, "set the attributes of %s", copier->path);
  return 0;
}

static int copy_directory(struct copier *copier, int from, int to, size_t used, struct failure *failure);

static int copy_below(struct copier *copier, int fd, int to, const char *name, const struct stat *status,
                      struct failure *failure) {
  size_t used = strlen(copier->path);
  if (mkdirat(to, name, 0700) < 0) return fail(failure, errno, "create %s", copier->path);
  _cleanup_fd_ int copy = RETRY(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (copy < 0) return fail(failure, errno, "open %s", copier->path);
  if (copy_directory(copier, fd, copy, used, failure) < 0) return -1;
  return copy_attributes(copier, fd, copy, status, failure);
}

static int copy_entry(struct copier *copier, int from, int to, const char *name, struct failure *failure) {
  struct stat status;
  if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : fail(failure, errno, "stat %s", copier->path);
  if (S_ISSOCK(status.st_mode)) return 0;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return copy_special(copier, from, to, name, &status, failure);
  _cleanup_fd_ int fd = RETRY(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd < 0) return errno == ENOENT || errno == ELOOP ? 0 : fail(failure, errno, "open %s", copier->path);
  /* What was opened counts; it may have changed since. */
  if (fstat(fd, &status) < 0) return fail(failure, errno, "stat %s", copier->path);
  if (S_ISDIR(status.st_mode)) return copy_below(copier, fd, to, name, &status, failure);
  return S_ISREG(status.st_mode) ? copy_regular(copier, fd, to, name, &status, failure) : 0;
}

/* What is in a directory; `used` is the length of its path. */
static int copy_directory(struct copier *copier, int from, int to, size_t used, struct failure *failure) {
  DIR *stream = list(from);
  if (!stream) return fail(failure, errno, "list %s", copier->path);
  int result = 0;
  for (struct dirent *item; result == 0 && (item = readdir(stream));) {
    if (dots(item->d_name)) continue;
    int length = snprintf(copier->path + used, sizeof copier->path - used, "%s%s", used > 0 ? "/" : "", item->d_name);
    if (length < 0 || (size_t)length >= sizeof copier->path - used) result = fail(failure, ENAMETOOLONG, "copy");
    else result = copy_entry(copier, from, to, item->d_name, failure);
    copier->path[used] = '\0';
  }
  closedir(stream);
  return result;
}

int tree_copy(int from, int to, struct failure *failure) {
  struct copier copier = {.root = to, .buffer = malloc(BLOCK)};
  struct stat status;
  raise_descriptor_limit();
  umask(0);
  int result = copier.buffer ? copy_directory(&copier, from, to, 0, failure) : fail(failure, ENOMEM, "copy");
  if (result == 0 && fstat(from, &status) < 0) result = fail(failure, errno, "stat");
  if (result == 0) result = copy_attributes(&copier, from, to, &status, failure);
  inode_set_free(&copier.linked);
  free(copier.buffer);
  return result;
}

static int measure(int directory, struct inode_set *seen, struct tree_size *size, struct failure *failure) {
  DIR *stream = list(directory);
  if (!stream) return fail(failure, errno, "list a directory");
  int result = 0;
  for (struct dirent *item; result == 0 && (item = readdir(stream));) {
    struct stat status;
    bool met = false;
    if (dots(item->d_name) || fstatat(directory, item->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
    size->entries++;
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1 && !inode_set_find(seen, status.st_dev, status.st_ino, &met))
      result = fail(failure, ENOMEM, "measure");
    if (met) continue;
    if (S_ISREG(status.st_mode)) size->bytes += (uint64_t)status.st_size;
    size->on_disk += (uint64_t)status.st_blocks * DISK_BLOCK;
    if (!S_ISDIR(status.st_mode)) continue;
    _cleanup_fd_ int below = RETRY(openat(directory, item->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (below >= 0 && measure(below, seen, size, failure) < 0) result = -1;
  }
  closedir(stream);
  return result;
}

int tree_measure(int directory, struct tree_size *size, struct failure *failure) {
  struct inode_set seen = {0};
  raise_descriptor_limit();
  *size = (struct tree_size){0};
  int result = measure(directory, &seen, size, failure);
  inode_set_free(&seen);
  return result;
}
