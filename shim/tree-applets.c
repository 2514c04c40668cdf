/*
 * `shim remove PATH…` removes trees of any depth and whatever names; what is not there is no error.
 * `shim sync PATH…` returns when everything below these paths is on disk, and their own names: file by file where there are few of
 * them, so that nobody waits for what others have written; otherwise with all of their file system.
 */
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/wait.h>

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

#define MOST_SHARES 8
#define WALK_DESCRIPTORS 64

/* nftw(3) has no place for a context. One walk at a time, in a program of its own. */
static unsigned walked;
static unsigned share, shares;

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)path;
  (void)status;
  (void)place;
  return kind == FTW_DNR || kind == FTW_NS || ++walked > TREE_FEW;
}

static int sync_path(const char *path, int flags) {
  int fd _cleanup_fd_ = RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags));
  return fd < 0 || fsync(fd) < 0 ? -1 : 0;
}

static int start_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)place;
  if (kind != FTW_F || !S_ISREG(status->st_mode) || status->st_size == 0) return 0;
  int fd _cleanup_fd_ = RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd >= 0) (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  return 0;
}

/* A link or a device is on disk with its directory. */
static int sync_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)place;
  if (kind != FTW_DP && !(kind == FTW_F && S_ISREG(status->st_mode))) return 0;
  if (walked++ % shares != share) return 0;
  return sync_path(path, kind == FTW_DP ? O_DIRECTORY : 0);
}

static bool sync_share(const char *path) {
  walked = 0;
  return nftw(path, sync_entry, WALK_DESCRIPTORS, FTW_PHYS | FTW_DEPTH) == 0;
}

/* The disk and its journal take many at once as fast as one: each process waits for its share. */
static bool sync_entries(const char *path) {
  pid_t children[MOST_SHARES];
  bool synced = true;
  shares = walked < MOST_SHARES ? walked : MOST_SHARES;
  for (share = 1; share < shares; share++) {
    children[share] = fork();
    if (children[share] == 0) _exit(sync_share(path) ? 0 : 1);
    if (children[share] < 0) synced = false;
  }
  share = 0;
  synced = sync_share(path) && synced;
  for (unsigned i = 1; i < shares; i++) {
    int status;
    if (children[i] > 0 && (RETRY(waitpid(children[i], &status, 0)) < 0 || status != 0)) synced = false;
  }
  return synced;
}

/* False: too many, or something that cannot be synced by itself. */
static bool sync_few(const char *path) {
  char copy[4096];
  if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) return false;
  walked = 0;
  if (nftw(path, count_entry, WALK_DESCRIPTORS, FTW_PHYS) != 0) return false;
  (void)nftw(path, start_entry, WALK_DESCRIPTORS, FTW_PHYS);
  return sync_entries(path) && sync_path(dirname(copy), O_DIRECTORY) == 0;
}

int applet_sync(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (sync_few(argv[i])) continue;
    int fd _cleanup_fd_ = RETRY(open(argv[i], O_RDONLY | O_CLOEXEC));
    if (fd < 0 || syncfs(fd) < 0) {
      fprintf(stderr, "sync %s: %s\n", argv[i], strerror(errno));
      return 74;
    }
  }
  return 0;
}
