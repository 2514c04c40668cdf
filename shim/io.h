/* System calls that do not fail for a signal's sake. All give what the call gives, errno set on -1. */
#ifndef SHIM_IO_H
#define SHIM_IO_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "shim.h"

#define RETRY(expression)                             \
  ({                                                  \
    __typeof__(expression) result_;                   \
    do {                                              \
      result_ = (expression);                         \
    } while (result_ == -1 && errno == EINTR);        \
    result_;                                          \
  })

static inline ssize_t io_read(int fd, void *data, size_t length) { return RETRY(read(fd, data, length)); }
static inline ssize_t io_write(int fd, const void *data, size_t length) { return RETRY(write(fd, data, length)); }

/* Writes all of it to a blocking descriptor: 0 or -1. */
static inline int io_write_all(int fd, const void *data, size_t length) {
  const char *position = data;
  while (length > 0) {
    ssize_t written = io_write(fd, position, length);
    if (written < 0) return -1;
    position += written;
    length -= (size_t)written;
  }
  return 0;
}

/* Reads until the buffer is full or the end: the number of bytes or -1. */
static inline ssize_t io_read_full(int fd, void *data, size_t length) {
  size_t done = 0;
  while (done < length) {
    ssize_t got = io_read(fd, (char *)data + done, length - done);
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

/* Reads a small text file below `directory` into `buffer` and ends it with a NUL: its length or -1. */
static inline ssize_t io_read_text(int directory, const char *name, char *buffer, size_t size) {
  int fd = RETRY(openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (fd < 0) return -1;
  ssize_t length = io_read_full(fd, buffer, size - 1);
  int saved = errno;
  close(fd);
  errno = saved;
  if (length >= 0) buffer[length] = '\0';
  return length;
}

static inline int io_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

#endif
