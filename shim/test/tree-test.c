/* Trees that several remove at the same time, as the next engine does and the child of the one that was killed. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "io.h"
#include "tree.h"

#define ROUNDS 10
#define REMOVERS 4
#define FOLDERS 20
#define FILES 20

/* `FOLDERS` directories, each in the one before, with `FILES` files in each. */
static bool grow(const char *directory) {
  int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int folder = 0; at >= 0 && folder < FOLDERS; folder++) {
    for (int file = 0; file < FILES; file++) {
      char name[32];
      snprintf(name, sizeof name, "file-%d", file);
      int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (fd < 0) break;
      close(fd);
    }
    if (mkdirat(at, "folder", 0700) < 0) break;
    int below = openat(at, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = below;
  }
  if (at >= 0) close(at);
  return at >= 0;
}

static int remover(const char *directory, int gate) {
  char byte;
  struct failure failure = {0};
  if (RETRY(read(gate, &byte, 1)) != 0) return 2;
  if (tree_remove(AT_FDCWD, directory, NULL, NULL, &failure) == 0) return 0;
  printf("# %s\n", failure.message);
  fflush(stdout);
  return 1;
}

/* All removers wait at a pipe and go off when its writing end is closed. The number of those that failed. */
static int remove_at_once(const char *directory) {
  int gate[2];
  if (pipe(gate) < 0) return REMOVERS;
  pid_t children[REMOVERS];
  fflush(stdout);
  for (int i = 0; i < REMOVERS; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      close(gate[1]);
      _exit(remover(directory, gate[0]));
    }
  }
  close(gate[1]);
  int failed = 0;
  for (int i = 0; i < REMOVERS; i++) {
    int status = 1;
    if (children[i] < 0 || RETRY(waitpid(children[i], &status, 0)) < 0 || status != 0) failed++;
  }
  close(gate[0]);
  return failed;
}

static void one_tree_many_removers(struct check *check) {
  for (int round = 0; round < ROUNDS; round++) {
    char directory[] = "/var/tmp/shim-tree-XXXXXX";
    CHECK(mkdtemp(directory) != NULL);
    CHECK(grow(directory));
    CHECK(remove_at_once(directory) == 0);
    CHECK(access(directory, F_OK) < 0 && errno == ENOENT);
  }
}

static void nothing_there(struct check *check) {
  struct failure failure = {0};
  CHECK(tree_remove(AT_FDCWD, "/var/tmp/shim-tree-that-never-was", NULL, NULL, &failure) == 0);
}

int main(void) {
  struct check check = {0};
  RUN(&check, one_tree_many_removers);
  RUN(&check, nothing_there);
  return check.failed_tests != 0;
}
