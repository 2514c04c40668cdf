/*
 * What volumes need of the kernel.
 *
 * `shim mount TYPE DEVICE TARGET FLAGS DATA` is mount(2); FLAGS in hexadecimal. A bind mount that is read-only is made in two steps.
 * `shim unmount TARGET` lets go of all that is mounted there; nothing there is no error.
 * `shim copy-tree FROM TO` fills the empty directory TO, see tree-copy.h.
 * `shim measure DIRECTORY…` writes a line for each: the bytes of its files, the bytes on the disk, the number of entries.
 * What fails says why on standard error; of a mount only the text of the errno.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>

#include "io.h"
#include "tree-copy.h"

#define NOT_FOR_BIND (MS_BIND | MS_REC)

int applet_mount(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: shim mount TYPE DEVICE TARGET FLAGS DATA\n");
    return 64;
  }
  const char *type = argv[1], *device = argv[2], *target = argv[3], *data = argv[5];
  unsigned long flags = strtoul(argv[4], NULL, 16);
  unsigned long changes = flags & ~(unsigned long)NOT_FOR_BIND;
  int result = mount(device, target, type, flags, data);
  /* The kernel passes over all other flags of a bind mount. */
  if (result == 0 && (flags & MS_BIND) && changes != 0) {
    result = mount(NULL, target, NULL, flags | MS_REMOUNT, NULL);
    int code = errno;
    if (result < 0) umount2(target, MNT_DETACH);
    errno = code;
  }
  if (result == 0) return 0;
  fprintf(stderr, "%s\n", strerror(errno));
  return 1;
}

int applet_unmount(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: shim unmount TARGET\n");
    return 64;
  }
  while (umount2(argv[1], MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (errno == EINVAL || errno == ENOENT) return 0;
  fprintf(stderr, "unmount %s: %s\n", argv[1], strerror(errno));
  return 1;
}

static int open_directory(const char *path, struct failure *failure) {
  int fd = RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd < 0 ? fail(failure, errno, "open %s", path) : fd;
}

int applet_copy_tree(int argc, char **argv) {
  struct failure failure = {0};
  if (argc != 3) {
    fprintf(stderr, "usage: shim copy-tree FROM TO\n");
    return 64;
  }
  _cleanup_fd_ int from = open_directory(argv[1], &failure);
  _cleanup_fd_ int to = from < 0 ? -1 : open_directory(argv[2], &failure);
  if (to >= 0 && tree_copy(from, to, &failure) == 0) return 0;
  fprintf(stderr, "%s\n", failure.message);
  return 1;
}

/* What is not there takes nothing. */
static int measure(const char *path, struct tree_size *size, struct failure *failure) {
  *size = (struct tree_size){0};
  _cleanup_fd_ int directory = open_directory(path, failure);
  if (directory < 0) return failure->code == ENOENT ? 0 : -1;
  return tree_measure(directory, size, failure);
}

int applet_measure(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct failure failure = {0};
    struct tree_size size;
    if (measure(argv[i], &size, &failure) < 0) {
      fprintf(stderr, "%s\n", failure.message);
      return 1;
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", size.bytes, size.on_disk, size.entries);
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
