/*
 * Damaged archives through all of `shim unpack` and back, under AddressSanitizer: each is refused with a reason, or the recipe
 * makes the very same bytes again. Needs root, as unpacking does.
 */
#include <sys/stat.h>

#include "check.h"
#include "damage.h"
#include "tree.h"

/* Something that no applet exits with; unpacking cannot look for leaks, because its chroot has no /proc. */
#define SANITIZER_EXIT 99

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "exitcode=99:detect_leaks=0"; }

/* Runs an applet in a child with these standard streams: its exit code. */
static int applet(int (*main_of)(int, char **), char **argv, int input, int output, int fourth) {
  pid_t pid = fork();
  if (pid == 0) {
    int argc = 0;
    while (argv[argc]) argc++;
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(nothing, 2) < 0) _exit(98);
    if (fourth >= 0 && fourth != 3 && dup2(fourth, 3) < 0) _exit(98);
    if (fourth == 3) fcntl(3, F_SETFD, 0);
    exit(main_of(argc, argv));
  }
  int status = 0;
  if (pid < 0 || RETRY(waitpid(pid, &status, 0)) < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Unpacks, and where that succeeds packs again: 1 accepted and the same, 0 refused, -1 anything else. */
static int round_trip(const unsigned char *bytes, size_t length, const char *directory) {
  char layer[256];
  snprintf(layer, sizeof layer, "%s/layer", directory);
  _cleanup_fd_ int archive = memory_file(bytes, length);
  _cleanup_fd_ int recipe = memory_file("", 0);
  _cleanup_fd_ int report = memory_file("", 0);
  _cleanup_fd_ int again = memory_file("", 0);
  char *unpack[] = {"unpack", "--recipe", "3", layer, NULL};
  int code = applet(applet_unpack, unpack, archive, report, recipe);
  int result = code == 65 || code == 1 ? 0 : -1;
  if (code == 0) {
    char *pack[] = {"pack", "--recipe", layer, NULL};
    lseek(recipe, 0, SEEK_SET);
    struct stat status;
    if (applet(applet_pack, pack, recipe, again, -1) == 0 && fstat(again, &status) == 0 &&
        (size_t)status.st_size == length) {
      void *made = mmap(NULL, length ? length : 1, PROT_READ, MAP_PRIVATE, again, 0);
      result = made != MAP_FAILED && memcmp(made, bytes, length) == 0 ? 1 : -1;
      if (made != MAP_FAILED) munmap(made, length ? length : 1);
    }
  }
  struct failure failure = {0};
  if (tree_remove(AT_FDCWD, layer, NULL, NULL, &failure) < 0) return -1;
  return result;
}

static void comes_back_or_is_refused(struct check *check) {
  static struct archive good, bad;
  char directory[] = "/var/tmp/berth-test-unpack-XXXXXX";
  uint64_t state = 0xb5297a4d3f84d5b5u;
  int accepted = 0, refused = 0;
  CHECK(mkdtemp(directory) != NULL);
  fill(&good);
  CHECK(round_trip(good.bytes, good.length, directory) == 1);
  for (int round = 0; round < 150; round++) {
    size_t length = damage(&good, &bad, &state);
    int result = round_trip(bad.bytes, length, directory);
    if (result < 0) printf("# round %d\n", round);
    CHECK(result >= 0);
    accepted += result == 1;
    refused += result == 0;
  }
  CHECK(accepted > 15 && refused > 15);
  CHECK(rmdir(directory) == 0);
}

int main(void) {
  struct check check = {0};
  RUN(&check, comes_back_or_is_refused);
  return check.failed_tests != 0;
}
