/* See prefetch.h. */
#include "prefetch.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "io.h"

/* Bytes that the children may be ahead of the packer, and of one file that they ask for: the kernel reads ahead in long ones. */
#define AHEAD (96u << 20)
#define LONGEST (2u << 20)
/* A header and its padding, about. */
#define ENTRY 1024

struct child {
  const uint64_t *packed;
  uint64_t seen;  /* bytes of the tree that were walked over, those of the other children too */
  unsigned share; /* of PREFETCHERS: which entries of each directory are this one's */
};

static void ask_for(int directory, const char *name, off_t size) {
  int fd _cleanup_fd_ = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0) (void)posix_fadvise(fd, 0, size < (off_t)LONGEST ? size : (off_t)LONGEST, POSIX_FADV_WILLNEED);
}

static void wait_for_packer(const struct child *child) {
  struct timespec pause = {.tv_nsec = 2000000};
  while (child->seen > __atomic_load_n(child->packed, __ATOMIC_RELAXED) + AHEAD) nanosleep(&pause, NULL);
}

static int by_bytes(const struct dirent **left, const struct dirent **right) {
  return strcmp((*left)->d_name, (*right)->d_name);
}

static void walk(struct child *child, int directory) {
  struct dirent **names = NULL;
  int count = fchdir(directory) == 0 ? scandir(".", &names, NULL, by_bytes) : -1;
  for (int i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    struct stat status;
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    /* The kind is in the directory; looking at the file itself is the work that is shared. */
    bool mine = (unsigned)i % PREFETCHERS == child->share;
    if (!dots && names[i]->d_type == DT_DIR) {
      int below _cleanup_fd_ = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (below >= 0) walk(child, below);
    } else if (!dots && mine && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISREG(status.st_mode) && status.st_size > 0) ask_for(directory, name, status.st_size);
      /* The others' entries are as big, about. */
      if (S_ISREG(status.st_mode)) child->seen += (uint64_t)status.st_size * PREFETCHERS;
    }
    child->seen += ENTRY;
    wait_for_packer(child);
    free(names[i]);
  }
  free(names);
}

static _Noreturn void become_child(struct prefetch *prefetch, unsigned share, int directory, pid_t packer) {
  struct child child = {.packed = prefetch->packed, .share = share};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != packer) _exit(0); /* it ended before that was said */
  /* The packer's output ends with the packer. */
  for (int fd = 0; fd < 3; fd++) close(fd);
  walk(&child, directory);
  _exit(0);
}

void prefetch_begin(struct prefetch *prefetch, int directory) {
  *prefetch = (struct prefetch){0};
  void *shared = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return;
  prefetch->packed = shared;
  pid_t packer = getpid();
  for (unsigned i = 0; i < PREFETCHERS; i++) {
    pid_t pid = fork();
    if (pid == 0) become_child(prefetch, i, directory, packer);
    prefetch->children[i] = pid;
  }
}

void prefetch_reached(struct prefetch *prefetch, uint64_t bytes) {
  if (prefetch->packed) __atomic_store_n(prefetch->packed, bytes, __ATOMIC_RELAXED);
}

void prefetch_end(struct prefetch *prefetch) {
  for (unsigned i = 0; i < PREFETCHERS; i++) {
    if (prefetch->children[i] <= 0) continue;
    kill(prefetch->children[i], SIGKILL);
    (void)RETRY(waitpid(prefetch->children[i], NULL, 0));
  }
  if (prefetch->packed) munmap(prefetch->packed, sizeof(uint64_t));
}
