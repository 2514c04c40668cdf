/* See log-rotate.h. */
#include "log-rotate.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "io.h"
#include "log-state.h"

/* A follower that is far behind keeps files on the disk, but never the last twentieth of it. */
#define FREE_SHARE 20

static void numbered(char name[PATH_MAX], const char *path, unsigned number, const char *suffix) {
  snprintf(name, PATH_MAX, "%s.%u%s", path, number, suffix);
}

static bool exists(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

static void empty_directory(int directory) {
  DIR *listing = fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 0));
  if (!listing) return;
  rewinddir(listing);
  for (struct dirent *entry; (entry = readdir(listing));) {
    if (entry->d_name[0] != '.') unlinkat(directory, entry->d_name, 0);
  }
  closedir(listing);
}

/* Calls `visit` for each follower that lives; the others are removed. */
static void each_follower(const char *path, void (*visit)(int directory, const void *context), const void *context) {
  char parent_path[PATH_MAX];
  snprintf(parent_path, sizeof parent_path, "%s%s", path, LOG_FOLLOWERS_SUFFIX);
  DIR *parent = opendir(parent_path);
  if (!parent) return;
  for (struct dirent *entry; (entry = readdir(parent));) {
    if (entry->d_name[0] == '.') continue;
    _cleanup_fd_ int directory = RETRY(openat(dirfd(parent), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory < 0) continue;
    if (flock(directory, LOCK_EX | LOCK_NB) < 0) {
      if (visit) visit(directory, context);
    } else {
      empty_directory(directory);
      unlinkat(dirfd(parent), entry->d_name, AT_REMOVEDIR);
    }
  }
  closedir(parent);
}

struct rotation {
  const char *path;
  uint64_t number;
};

static void link_finished(int directory, const void *context) {
  const struct rotation *rotation = context;
  struct statvfs disk;
  if (fstatvfs(directory, &disk) == 0 && disk.f_bavail < disk.f_blocks / FREE_SHARE) return;
  char name[32];
  snprintf(name, sizeof name, "%020llu", (unsigned long long)rotation->number);
  linkat(AT_FDCWD, rotation->path, directory, name, 0);
}

void log_sweep_followers(const char *path) { each_follower(path, NULL, NULL); }

/* Renames `.number` (compressed or not) to `.number + 1`. */
static void move_up(const char *path, unsigned number) {
  static const char *const suffixes[] = {"", ".gz"};
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
    char from[PATH_MAX], to[PATH_MAX];
    numbered(from, path, number, suffixes[i]);
    numbered(to, path, number + 1, suffixes[i]);
    rename(from, to);
  }
}

static void remove_numbered(const char *path, unsigned number) {
  char name[PATH_MAX];
  numbered(name, path, number, "");
  unlink(name);
  numbered(name, path, number, ".gz");
  unlink(name);
}

/* How many rotated files there are, counted without a gap. */
static unsigned count_rotated(const char *path) {
  for (unsigned number = 1;; number++) {
    char name[PATH_MAX], compressed[PATH_MAX];
    numbered(name, path, number, "");
    numbered(compressed, path, number, ".gz");
    if (!exists(name) && !exists(compressed)) return number - 1;
  }
}

int log_rotate(const struct log_plan *plan, uint64_t number, struct failure *failure) {
  struct rotation rotation = {plan->path, number};
  each_follower(plan->path, link_finished, &rotation);
  if (plan->max_file <= 1) {
    if (unlink(plan->path) < 0 && errno != ENOENT) return fail(failure, errno, "remove %s", plan->path);
    return 0;
  }
  unsigned count = count_rotated(plan->path);
  for (; count >= plan->max_file - 1; count--) remove_numbered(plan->path, count);
  for (; count >= 1; count--) move_up(plan->path, count);
  char first[PATH_MAX];
  numbered(first, plan->path, 1, "");
  if (rename(plan->path, first) < 0 && errno != ENOENT) return fail(failure, errno, "rename %s", plan->path);
  return 0;
}

void log_rotate_undo(const struct log_plan *plan) {
  char first[PATH_MAX];
  numbered(first, plan->path, 1, "");
  if (plan->max_file > 1) rename(first, plan->path);
}

void log_remove_rotated(const char *path) {
  for (unsigned count = count_rotated(path); count >= 1; count--) remove_numbered(path, count);
}

/* Where gzip's result waits: named by the file it was made of, which may have been renamed meanwhile. */
static void compressed_name(char name[PATH_MAX], const char *path, const struct stat *status, const char *suffix) {
  snprintf(name, PATH_MAX, "%s.inode-%llu.gz%s", path, (unsigned long long)status->st_ino, suffix);
}

/* The child: gzip's own child, so that a result is given its name only when it is whole. */
static _Noreturn void compress_child(int input, const char *temporary, const char *ready) {
  /* The shim's pipes and sockets must end when the shim says so. */
  if (dup2(input, STDERR_FILENO + 1) < 0) _exit(0);
  input = STDERR_FILENO + 1;
  syscall(SYS_close_range, input + 1, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int output = RETRY(open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  pid_t pid = output < 0 ? -1 : fork();
  if (pid == 0) {
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/gzip", "gzip", "-c1", (char *)NULL);
    execl("/usr/bin/gzip", "gzip", "-c1", (char *)NULL);
    _exit(127);
  }
  int status = 1;
  if (pid > 0) RETRY(waitpid(pid, &status, 0));
  if (status != 0 || rename(temporary, ready) < 0) unlink(temporary);
  _exit(0);
}

void log_compress_start(const char *path) {
  char first[PATH_MAX], temporary[PATH_MAX], ready[PATH_MAX];
  numbered(first, path, 1, "");
  _cleanup_fd_ int input = RETRY(open(first, O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (input < 0 || fstat(input, &status) < 0) return;
  compressed_name(temporary, path, &status, ".tmp");
  compressed_name(ready, path, &status, "");
  if (fork() == 0) compress_child(input, temporary, ready);
}

void log_compress_finish(const char *path) {
  for (unsigned number = count_rotated(path); number >= 1; number--) {
    char name[PATH_MAX], ready[PATH_MAX], final_name[PATH_MAX];
    struct stat status;
    numbered(name, path, number, "");
    if (lstat(name, &status) < 0) continue;
    compressed_name(ready, path, &status, "");
    numbered(final_name, path, number, ".gz");
    /* A reader tells by its time which file cannot have what it looks for. */
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    (void)utimensat(AT_FDCWD, ready, times, AT_SYMLINK_NOFOLLOW);
    if (rename(ready, final_name) == 0) unlink(name);
  }
}
