/* See pins.h. */
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "io.h"

/* linux/mount.h clashes with sys/mount.h of musl; these are the kernel's values. */
enum { TREE_CLONE = 1, TREE_RECURSIVE = 0x8000, MOVE_FROM_EMPTY_PATH = 4 };

static int open_in_root(const struct pin_plan *pin, struct failure *failure) {
  _cleanup_fd_ int root = RETRY(open(pin->root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root < 0) return fail(failure, errno, "open %s", pin->root);
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd = (int)RETRY(syscall(SYS_openat2, root, pin->path, &how, sizeof how));
  return fd < 0 ? fail(failure, errno, "cannot access path %s/%s", pin->root, pin->path) : fd;
}

/* A detached copy of what lies there, with the mounts below it. */
static int clone_tree(const struct pin_plan *pin, bool *is_directory, struct failure *failure) {
  _cleanup_fd_ int place = open_in_root(pin, failure);
  if (place < 0) return -1;
  struct stat status;
  if (fstat(place, &status) < 0) return fail(failure, errno, "look at %s", pin->path);
  *is_directory = S_ISDIR(status.st_mode);
  int tree = (int)syscall(SYS_open_tree, place, "", TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC | AT_EMPTY_PATH);
  return tree < 0 ? fail(failure, errno, "copy the mount of %s", pin->path) : tree;
}

/* The same in the mount namespace of another process; this one comes back to its own, and to its working directory. */
static int clone_foreign_tree(const struct pin_plan *pin, bool *is_directory, struct failure *failure) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/mnt", pin->process);
  _cleanup_fd_ int theirs = RETRY(open(path, O_RDONLY | O_CLOEXEC));
  _cleanup_fd_ int ours = RETRY(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  _cleanup_fd_ int here = RETRY(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (theirs < 0 || ours < 0 || here < 0 || setns(theirs, CLONE_NEWNS) < 0)
    return fail(failure, errno, "enter the mount namespace of process %s", pin->process);
  int tree = clone_tree(pin, is_directory, failure);
  if (setns(ours, CLONE_NEWNS) < 0 || fchdir(here) < 0) {
    cleanup_fd(&tree);
    return fail(failure, errno, "return from the mount namespace of process %s", pin->process);
  }
  return tree;
}

static int make_target(const char *name, bool is_directory, struct failure *failure) {
  if (is_directory) {
    if (mkdir(name, 0700) < 0 && errno != EEXIST) return fail(failure, errno, "create %s", name);
    return 0;
  }
  _cleanup_fd_ int file = RETRY(open(name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  return file < 0 ? fail(failure, errno, "create %s", name) : 0;
}

static int mount_pin(const struct pin_plan *pin, struct failure *failure) {
  bool is_directory = true;
  _cleanup_fd_ int tree =
      pin->process ? clone_foreign_tree(pin, &is_directory, failure) : clone_tree(pin, &is_directory, failure);
  if (tree < 0 || make_target(pin->name, is_directory, failure) < 0) return -1;
  if (syscall(SYS_move_mount, tree, "", AT_FDCWD, pin->name, MOVE_FROM_EMPTY_PATH) < 0)
    return fail(failure, errno, "mount %s", pin->name);
  return 0;
}

int pins_mount(const struct shim_plan *plan, struct failure *failure) {
  for (size_t i = 0; i < plan->pin_count; i++) {
    if (mount_pin(&plan->pins[i], failure) < 0) return -1;
  }
  return 0;
}
