/* See net-names.h. */
#include "net-names.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "io.h"

enum { ATTEMPTS = 300, PAUSE_MS = 10, PATIENCE_SECONDS = 10 };

/* A resolver that just died is started again by the engine: until then nobody listens. */
static int connect_to(const char *path, struct failure *failure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return fail(failure, ENAMETOOLONG, "reach the resolver at %s", path);
  strcpy(address.sun_path, path);
  _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(failure, errno, "reach the resolver");
  for (int attempt = 0; RETRY(connect(fd, (struct sockaddr *)&address, sizeof address)) < 0; attempt++) {
    if ((errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN) || attempt == ATTEMPTS) {
      return fail(failure, errno, "reach the resolver at %s", path);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
  }
  int connected = fd;
  fd = -1;
  return connected;
}

int names_open(const char *socket_path, const char *id, struct failure *failure) {
  _cleanup_fd_ int fd = connect_to(socket_path, failure);
  if (fd < 0) return -1;
  const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
  char text[256];
  int length = snprintf(text, sizeof text, "{\"open\":\"%s\",\"pid\":%d}\n", id, (int)getpid());
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 || io_write_all(fd, text, (size_t)length) < 0) {
    return fail(failure, errno, "ask the resolver");
  }
  ssize_t got = io_read_full(fd, text, sizeof text - 1);
  if (got < 0) return fail(failure, errno, "hear from the resolver");
  text[got] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return strcmp(text, "ok") == 0 ? 0 : fail(failure, 0, "the resolver: %s", *text ? text : "it ended");
}
