/*
 * What a log's writer shares with its readers: one page, the file `<log>.state`, mapped by both. A follower sleeps on
 * `sequence` (a futex), so that neither side polls and no inotify instance is used.
 *
 * A follower that must not lose what is rotated away makes the directory `<log>.followers/<name>` and holds a lock on it. At
 * each rotation the writer links the finished file there, named by the rotation's number, before it gives the name away; the
 * follower removes what it has read. A directory whose lock is free belongs to nobody and goes.
 */
#ifndef SHIM_LOG_STATE_H
#define SHIM_LOG_STATE_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "io.h"

struct log_state {
  _Atomic uint32_t sequence; /* counts writes, rotations and the end */
  _Atomic uint32_t waiters;
  _Atomic uint32_t closed;   /* 1: the container has ended, nothing more comes */
  uint32_t reserved;
  _Atomic uint64_t rotations;
  _Atomic uint64_t lost;     /* entries that could not be written */
};

#define LOG_STATE_SUFFIX ".state"
#define LOG_FOLLOWERS_SUFFIX ".followers"
#define LOG_STATE_SIZE 4096

/* Maps the page; makes the file where `create` says so. NULL: there is none. */
static inline struct log_state *log_state_map(const char *path, bool create) {
  int fd = RETRY(open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0640));
  if (fd < 0) return NULL;
  /* Reserved, so that a full disk is told here and not by SIGBUS. */
  int reserved = posix_fallocate(fd, 0, LOG_STATE_SIZE);
  void *page = reserved == 0 ? mmap(NULL, LOG_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  close(fd);
  return page == MAP_FAILED ? NULL : page;
}

static inline void log_state_unmap(struct log_state *state) {
  if (state) munmap(state, LOG_STATE_SIZE);
}

/* Tells the followers that something is new. */
static inline void log_state_advance(struct log_state *state) {
  if (!state) return;
  atomic_fetch_add(&state->sequence, 1);
  if (atomic_load(&state->waiters) != 0) syscall(SYS_futex, &state->sequence, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
}

/* Sleeps until the sequence is no longer `seen`, a signal, or the time-out. */
static inline void log_state_wait(struct log_state *state, uint32_t seen, int milliseconds) {
  struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  if (!state) {
    nanosleep(&timeout, NULL);
    return;
  }
  atomic_fetch_add(&state->waiters, 1);
  syscall(SYS_futex, &state->sequence, FUTEX_WAIT, seen, &timeout, NULL, 0);
  atomic_fetch_sub(&state->waiters, 1);
}

#endif
