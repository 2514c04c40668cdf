/*
 * `shim copy-up SCRATCH DESTINATION PATH LOWER…` fills the empty directory DESTINATION with what the root made of the layers
 * LOWER (the top one first) has at PATH, the directory's own owner, mode and times included. Links in PATH are followed
 * inside that root only. Where PATH is no directory there, nothing happens. SCRATCH is an empty directory on the layers' file
 * system; what is in it afterwards is the caller's to remove. The root is mounted in a mount namespace of its own, which
 * ends with this program.
 */
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "io.h"
#include "starter.h"
#include "tree-copy.h"

static int open_in_root(const char *root, const char *path, struct failure *failure) {
  _cleanup_fd_ int directory = RETRY(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return fail(failure, errno, "open %s", root);
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd = (int)RETRY(syscall(SYS_openat2, directory, path, &how, sizeof how));
  return fd < 0 ? fail(failure, errno, "open %s", path) : fd;
}

/* Mounts the root read-write over an upper directory of its own, because overlay wants two directories at least. */
static int mount_root(char **lower, size_t count, struct failure *failure) {
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(failure, errno, "make a mount namespace");
  char here[4096], upper[4200], work[4200];
  if (!getcwd(here, sizeof here)) return fail(failure, errno, "get the working directory");
  snprintf(upper, sizeof upper, "%s/upper", here);
  snprintf(work, sizeof work, "%s/work", here);
  if (mkdir("upper", 0755) < 0 || mkdir("work", 0700) < 0 || mkdir("root", 0755) < 0)
    return fail(failure, errno, "make directories in %s", here);
  struct root_plan plan = {
      .kind = ROOT_OVERLAY, .lower = (const char **)lower, .lower_count = count, .upper = upper, .work = work};
  return starter_mount_root(&plan, "root", failure);
}

static int copy(int from, const char *destination, struct failure *failure) {
  _cleanup_fd_ int to = RETRY(open(destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (to < 0) return fail(failure, errno, "open %s", destination);
  return tree_copy(from, to, failure);
}

int applet_copy_up(int argc, char **argv) {
  struct failure failure = {0};
  if (argc < 5) {
    fprintf(stderr, "usage: shim copy-up SCRATCH DESTINATION PATH LOWER…\n");
    return 64;
  }
  if (chdir(argv[1]) < 0) fail(&failure, errno, "enter %s", argv[1]);
  else if (mount_root(argv + 4, (size_t)argc - 4, &failure) == 0) {
    _cleanup_fd_ int from = open_in_root("root", argv[3], &failure);
    if (from < 0 && (failure.code == ENOENT || failure.code == ENOTDIR || failure.code == ELOOP)) return 0;
    if (from >= 0 && copy(from, argv[2], &failure) == 0) return 0;
  }
  fprintf(stderr, "%s\n", failure.message);
  return 1;
}
