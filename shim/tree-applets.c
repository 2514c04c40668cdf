/*
 * `shim remove PATH…` removes trees of any depth and whatever names; what is not there is no error.
 * `shim sync PATH…` returns when everything written to the file systems of these paths is on disk.
 */
#include <stdio.h>

#include "io.h"
#include "tree.h"

int applet_remove(int argc, char **argv) {
  int result = 0;
  for (int i = 1; i < argc; i++) {
    struct failure failure = {0};
    if (tree_remove(AT_FDCWD, argv[i], NULL, NULL, &failure) == 0) continue;
    fprintf(stderr, "%s: %s\n", argv[i], failure.message);
    result = 1;
  }
  return result;
}

int applet_sync(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    _cleanup_fd_ int fd = RETRY(open(argv[i], O_RDONLY | O_CLOEXEC));
    if (fd < 0 || syncfs(fd) < 0) {
      fprintf(stderr, "sync %s: %s\n", argv[i], strerror(errno));
      return 74;
    }
  }
  return 0;
}
