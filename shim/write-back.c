/*
 * `shim write-back TREE` has the kernel write the tree's big files to disk while they grow, so that whoever syncs them later finds little left to
 * do. It ends with standard input: then it looks once more, at smaller files too, and where there are very many it has everything written. Nothing
 * fails: the sync that follows is what counts. What is small, or gone before long, is left to the kernel's own time.
 */
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "io.h"
#include "tree.h"

/* While files grow, and at the end. */
#define BIG (16 << 20)
#define LAST_BIG (1 << 20)
#define PAUSE_MS 100
/* A walk takes at most this part of the time. */
#define SHARE 20
#define WALK_DESCRIPTORS 64

/* nftw(3) has no place for a context; this program does nothing else. */
static off_t least;
static time_t since;
static unsigned seen;

static int write_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)place;
  seen++;
  /* What was not written to since the last look has been asked for. */
  if (kind != FTW_F || !S_ISREG(status->st_mode) || (off_t)status->st_blocks * 512 < least || status->st_mtime < since)
    return 0;
  int fd _cleanup_fd_ = RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC));
  if (fd >= 0) (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  return 0;
}

/* How long it took, in milliseconds. */
static int64_t look(const char *tree, off_t size) {
  struct timespec begin, end;
  least = size;
  clock_gettime(CLOCK_REALTIME, &begin);
  (void)nftw(tree, write_entry, WALK_DESCRIPTORS, FTW_PHYS);
  clock_gettime(CLOCK_REALTIME, &end);
  /* Times of files are a tick or so behind. */
  since = begin.tv_sec - 1;
  return (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
}

int applet_write_back(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: shim write-back TREE\n");
    return 64;
  }
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  int64_t took = 0;
  for (;;) {
    int64_t pause = took * SHARE > PAUSE_MS ? took * SHARE : PAUSE_MS;
    if (RETRY(poll(&input, 1, (int)(pause > 60000 ? 60000 : pause))) != 0) break;
    took = look(argv[1], BIG);
  }
  since = 0;
  seen = 0;
  (void)look(argv[1], LAST_BIG);
  /* The whole file system will be asked for, and may as well be now. */
  int fd _cleanup_fd_ = seen > TREE_FEW ? RETRY(open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : -1;
  if (fd >= 0) (void)syncfs(fd);
  return 0;
}
