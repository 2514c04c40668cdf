/* See console.h. */
#include "console.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io.h"

int console_listen(const char *name, struct failure *failure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  unlink(name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0) return fd;
  fail(failure, errno, "make the console socket");
  if (fd >= 0) close(fd);
  return -1;
}

int console_receive(int listener) {
  int peer _cleanup_fd_ = RETRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
  if (peer < 0) return -1;
  char text[4096];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec data = {text, sizeof text};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
  if (RETRY(recvmsg(peer, &message, MSG_CMSG_CLOEXEC)) < 0) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -1;
  int master;
  memcpy(&master, CMSG_DATA(header), sizeof master);
  return master;
}
