/* See log-files.h. */
#include "log-files.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>

#include "io.h"
#include "log-rotate.h"
#include "log-state.h"

#define BLOCK (256 * 1024)

int log_file_open(const char *path, struct log_file *file) {
  struct stat status;
  *file = (struct log_file){.fd = RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW))};
  if (file->fd < 0) return -1;
  if (fstat(file->fd, &status) < 0) {
    log_file_close(file);
    return -1;
  }
  file->inode = status.st_ino;
  return 0;
}

void log_file_close(struct log_file *file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

void log_files_close(struct log_files *files) {
  for (size_t i = 0; i < files->count; i++) log_file_close(&files->files[i]);
  free(files->files);
  *files = (struct log_files){0};
}

static int add(struct log_files *files, struct log_file *file, struct failure *failure) {
  for (size_t i = 0; i < files->count; i++) {
    if (files->files[i].inode != file->inode) continue;
    log_file_close(file); /* it was renamed between two looks */
    return 0;
  }
  struct log_file *grown = realloc(files->files, (files->count + 1) * sizeof *grown);
  if (!grown) {
    log_file_close(file);
    return fail(failure, ENOMEM, "open the log");
  }
  files->files = grown;
  files->files[files->count++] = *file;
  return 0;
}

/* From the newest to the oldest: files move in this direction, so that none is missed while the writer rotates. */
int log_files_open(const char *path, struct log_files *files, struct failure *failure) {
  *files = (struct log_files){0};
  struct log_file file;
  if (log_file_open(path, &file) == 0 && add(files, &file, failure) < 0) return -1;
  /* In the middle of a rotation one number is free. */
  for (unsigned number = 1, missing = 0; missing < 2; number++) {
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s.%u", path, number);
    int opened = log_file_open(name, &file);
    if (opened < 0) {
      snprintf(name, sizeof name, "%s.%u.gz", path, number);
      opened = log_file_open(name, &file);
      file.compressed = true;
    }
    if (opened < 0) missing++;
    else if (add(files, &file, failure) < 0) return -1;
    else missing = 0;
  }
  for (size_t i = 0; i < files->count / 2; i++) {
    struct log_file swap = files->files[i];
    files->files[i] = files->files[files->count - 1 - i];
    files->files[files->count - 1 - i] = swap;
  }
  return 0;
}

int log_file_stream(const struct log_file *file, pid_t *child, struct failure *failure) {
  *child = 0;
  if (!file->compressed) return RETRY(fcntl(file->fd, F_DUPFD_CLOEXEC, 3));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return fail(failure, errno, "make a pipe");
  lseek(file->fd, 0, SEEK_SET);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(file->fd, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/gzip", "gzip", "-dc", (char *)NULL);
    execl("/usr/bin/gzip", "gzip", "-dc", (char *)NULL);
    _exit(127);
  }
  int code = errno;
  close(ends[1]);
  if (pid > 0) {
    *child = pid;
    return ends[0];
  }
  close(ends[0]);
  return fail(failure, code, "start gzip");
}

/* Goes backwards until `*tail` newlines were passed. Leaves the offset behind the one before them, or 0, and the rest in *tail. */
static int tail_plain(struct log_file *file, uint64_t *tail, char *block, struct failure *failure) {
  off_t end = lseek(file->fd, 0, SEEK_END);
  bool last = true; /* the newline at the very end belongs to the last entry */
  while (end > 0) {
    off_t from = end > BLOCK ? end - BLOCK : 0;
    size_t length = (size_t)(end - from);
    if (RETRY(pread(file->fd, block, length, from)) != (ssize_t)length) return fail(failure, errno, "read the log");
    for (const char *newline; length > 0 && (newline = memrchr(block, '\n', length));) {
      if (!last && --*tail == 0) {
        file->offset = from + (newline - block) + 1;
        return 0;
      }
      last = false;
      length = (size_t)(newline - block);
    }
    end = from;
  }
  if (!last && *tail > 0) --*tail; /* the first entry has no newline before it */
  file->offset = 0;
  return 0;
}

static int tail_compressed(struct log_file *file, uint64_t *tail, char *block, struct failure *failure) {
  pid_t child;
  _cleanup_fd_ int stream = log_file_stream(file, &child, failure);
  if (stream < 0) return -1;
  uint64_t entries = 0;
  for (ssize_t length; (length = io_read(stream, block, BLOCK)) > 0;) {
    const char *position = block, *end = block + length;
    for (; (position = memchr(position, '\n', (size_t)(end - position))); position++) entries++;
  }
  RETRY(waitpid(child, NULL, 0));
  file->skip = entries > *tail ? entries - *tail : 0;
  *tail = entries > *tail ? 0 : *tail - entries;
  return 0;
}

int log_files_tail(struct log_files *files, uint64_t tail, struct failure *failure) {
  _cleanup_free_ char *block = malloc(BLOCK);
  if (!block) return fail(failure, ENOMEM, "read the log");
  size_t first = files->count;
  while (first > 0 && tail > 0) {
    struct log_file *file = &files->files[--first];
    int result = file->compressed ? tail_compressed(file, &tail, block, failure) : tail_plain(file, &tail, block, failure);
    if (result < 0) return -1;
  }
  if (first == files->count && files->count > 0) { /* tail 0: what comes from now on */
    first--;
    files->files[first].offset = lseek(files->files[first].fd, 0, SEEK_END);
  }
  for (size_t i = 0; i < first; i++) log_file_close(&files->files[i]);
  memmove(files->files, files->files + first, (files->count - first) * sizeof *files->files);
  files->count -= first;
  return 0;
}

int log_follower_make(const char *path, char *name) {
  char parent[PATH_MAX];
  snprintf(parent, sizeof parent, "%s%s", path, LOG_FOLLOWERS_SUFFIX);
  log_sweep_followers(path);
  mkdir(parent, 0700);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (snprintf(name, PATH_MAX, "%s/%d-%lld", parent, getpid(), (long long)now.tv_sec * 1000000000 + now.tv_nsec) >= PATH_MAX) return -1;
  /* Made under another name, so that the writer never sees it without its lock. */
  char hidden[PATH_MAX];
  if (snprintf(hidden, sizeof hidden, "%s/.%d", parent, getpid()) >= (int)sizeof hidden || (mkdir(hidden, 0700) < 0 && errno != EEXIST)) return -1;
  int directory = RETRY(open(hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return -1;
  if (flock(directory, LOCK_EX | LOCK_NB) == 0 && rename(hidden, name) == 0) return directory;
  close(directory);
  rmdir(hidden);
  return -1;
}

void log_follower_remove(int directory, const char *name) {
  if (directory < 0) return;
  DIR *listing = fdopendir(directory);
  if (!listing) {
    close(directory);
    return;
  }
  rewinddir(listing);
  for (struct dirent *entry; (entry = readdir(listing));) {
    if (entry->d_name[0] != '.') unlinkat(dirfd(listing), entry->d_name, 0);
  }
  rmdir(name);
  closedir(listing);
}

void log_follower_prune(int directory, const struct log_files *files) {
  DIR *listing = directory < 0 ? NULL : fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 3));
  if (!listing) return;
  rewinddir(listing);
  for (struct dirent *entry; (entry = readdir(listing));) {
    struct stat status;
    if (entry->d_name[0] == '.' || fstatat(directory, entry->d_name, &status, 0) < 0) continue;
    for (size_t i = 0; i + 1 < files->count; i++) {
      if (files->files[i].inode == status.st_ino) unlinkat(directory, entry->d_name, 0);
    }
  }
  closedir(listing);
}

/* Looks for the link of `inode` (`own`) and for the first one after it, or the first of all (`next`); empty: there is none. */
static void find_links(int directory, ino_t inode, char own[32], char next[32]) {
  *next = *own = '\0';
  DIR *listing = directory < 0 ? NULL : fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 3));
  if (!listing) return;
  rewinddir(listing);
  struct dirent *entry;
  while ((entry = readdir(listing))) {
    struct stat status;
    if (entry->d_name[0] == '.' || fstatat(directory, entry->d_name, &status, 0) < 0 || status.st_ino != inode) continue;
    snprintf(own, 32, "%.31s", entry->d_name);
  }
  rewinddir(listing);
  while ((entry = readdir(listing))) {
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, own) <= 0) continue;
    if (!*next || strcmp(entry->d_name, next) < 0) snprintf(next, 32, "%.31s", entry->d_name);
  }
  closedir(listing);
}

int log_follower_next(int directory, const char *path, ino_t inode, struct log_file *next) {
  char name[32], own[32];
  /* Opened before the links are looked at: what was rotated away before this has its link by now. */
  struct log_file current;
  int opened = log_file_open(path, &current);
  if (opened == 0 && current.inode == inode) {
    log_file_close(&current);
    return 0;
  }
  find_links(directory, inode, own, name);
  if (*name) {
    log_file_close(&current);
    char through[64];
    snprintf(through, sizeof through, "/proc/self/fd/%d/%s", directory, name);
    opened = log_file_open(through, &current);
  }
  if (opened < 0) return -1;
  if (*own) unlinkat(directory, own, 0);
  *next = current;
  return 1;
}
