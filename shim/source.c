/*
 * `shim source PATH` says whether a bind mount has something at PATH: `there` or `missing`; `shim source PATH make` makes the missing
 * directory and its parents, mode 0755. What goes wrong is said on standard error. It is a program because a mount that does not
 * answer would keep one of the engine's few threads for ever.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shim.h"

static int say(const char *path) {
  /* In the words of Docker's language, which begin small. */
  const char *reason = strerror(errno);
  fprintf(stderr, "mkdir %s: %c%s\n", path, tolower((unsigned char)reason[0]), reason + 1);
  return 1;
}

int applet_source(int argc, char **argv) {
  struct stat status;
  if (argc < 2) return 64;
  char *path = argv[1];
  if (lstat(path, &status) == 0) return puts("there") < 0;
  bool missing = errno == ENOENT || (errno == ENOTDIR && argc < 3);
  if (!missing) return say(path);
  if (argc < 3) return puts("missing") < 0;
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return say(path);
    *slash = '/';
  }
  if (mkdir(path, 0755) < 0 && errno != EEXIST) return say(path);
  return puts("there") < 0;
}
