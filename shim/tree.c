#include "tree.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "io.h"

int tree_open(int root, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                         .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  return (int)RETRY(syscall(SYS_openat2, root, path, &how, sizeof how));
}

struct remover {
  int top;        /* the directory that is being emptied */
  unsigned moved; /* names of directories moved up into it */
  tree_keep *keep;
  void *context;
};

static bool dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

static DIR *open_directory(int directory, const char *name) {
  int fd = RETRY(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd < 0) return NULL;
  DIR *stream = fdopendir(fd);
  if (!stream) close(fd);
  return stream;
}

static int remove_file(struct remover *remover, int directory, const char *name, const struct stat *status,
                       struct failure *failure) {
  int kept = remover->keep ? remover->keep(remover->context, directory, name, status, failure) : 0;
  if (kept != 0) return kept < 0 ? -1 : 0;
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return 0;
  return fail(failure, errno, "remove %s", name);
}

/* Moves a directory up into the top one, under a name of its own. */
static int move_up(struct remover *remover, int directory, const char *name, struct failure *failure) {
  for (;;) {
    char up[32];
    snprintf(up, sizeof up, ".gone-%u", remover->moved++);
    if (renameat(directory, name, remover->top, up) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return fail(failure, errno, "remove %s", name);
  }
}

/* Takes everything out of one directory of the top one: files go, directories move up. */
static int empty(struct remover *remover, const char *name, struct failure *failure) {
  DIR *stream = open_directory(remover->top, name);
  if (!stream) return errno == ENOENT ? 0 : fail(failure, errno, "open %s", name);
  int result = 0;
  for (struct dirent *item; result == 0 && (item = readdir(stream));) {
    struct stat status;
    if (dots(item->d_name)) continue;
    if (fstatat(dirfd(stream), item->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno != ENOENT) result = fail(failure, errno, "stat %s", item->d_name);
    } else if (!S_ISDIR(status.st_mode)) {
      result = remove_file(remover, dirfd(stream), item->d_name, &status, failure);
    } else if (unlinkat(dirfd(stream), item->d_name, AT_REMOVEDIR) < 0) {
      result = move_up(remover, dirfd(stream), item->d_name, failure);
    }
  }
  closedir(stream);
  return result;
}

/* Goes once over the top directory: the number of entries seen, or -1. */
static int sweep(struct remover *remover, DIR *stream, struct failure *failure) {
  int seen = 0;
  rewinddir(stream);
  for (struct dirent *item; (item = readdir(stream));) {
    struct stat status;
    if (dots(item->d_name)) continue;
    if (fstatat(remover->top, item->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) continue;
      return fail(failure, errno, "stat %s", item->d_name);
    }
    seen++;
    if (!S_ISDIR(status.st_mode)) {
      if (remove_file(remover, remover->top, item->d_name, &status, failure) < 0) return -1;
      continue;
    }
    if (unlinkat(remover->top, item->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) return fail(failure, errno, "remove %s", item->d_name);
    if (empty(remover, item->d_name, failure) < 0) return -1;
    /* Somebody else who removes this tree may have moved a directory to just this name: the next pass sees it. */
    if (unlinkat(remover->top, item->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
      return fail(failure, errno, "remove %s", item->d_name);
  }
  return seen;
}

struct place {
  int directory;
  const char *name;
};

/* A sweep, and then the top directory itself if nothing was in it: 0 it is gone, 1 there is more to do, or -1. */
static int pass(struct remover *remover, DIR *stream, struct place top, struct failure *failure) {
  int seen = sweep(remover, stream, failure);
  if (seen != 0) return seen < 0 ? -1 : 1;
  if (unlinkat(top.directory, top.name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno == ENOTEMPTY ? 1 : fail(failure, errno, "remove %s", top.name);
}

int tree_remove(int directory, const char *name, tree_keep *keep, void *context, struct failure *failure) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : fail(failure, errno, "stat %s", name);
  struct remover remover = {.keep = keep, .context = context};
  if (!S_ISDIR(status.st_mode)) return remove_file(&remover, directory, name, &status, failure);
  DIR *stream = open_directory(directory, name);
  if (!stream) return errno == ENOENT ? 0 : fail(failure, errno, "open %s", name);
  remover.top = dirfd(stream);
  int result;
  do result = pass(&remover, stream, (struct place){directory, name}, failure);
  while (result > 0);
  closedir(stream);
  return result;
}
