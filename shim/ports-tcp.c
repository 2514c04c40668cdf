/* TCP side of ports-forward.h: every connection is two sockets and two pipes, moved by splice(2) without a copy. */
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "io.h"
#include "ports-forward.h"

/* Bytes that one direction may move before others get their turn. */
#define TURN (1 << 20)
#define PIPE_SIZE (256 * 1024)

struct connection;

struct side {
  struct waiter waiter;
  struct connection *connection;
  int fd;
};

/* Bytes on their way from one side to the other. */
struct direction {
  int pipe[2]; /* made with the first bytes */
  size_t waiting;
  bool ended;  /* the source has sent its last byte */
  bool closed; /* and the destination knows */
};

struct connection {
  struct tcp_forwarder *forwarder;
  struct connection *next;  /* among the busy or the closed ones */
  struct side sides[2];     /* client, container */
  struct direction directions[2]; /* from side n */
  bool connecting;
  bool busy;
  bool dead;
};

struct listener {
  struct waiter waiter;
  struct tcp_forwarder *forwarder;
  int fd;
  struct endpoint target;
};

struct tcp_forwarder {
  int epoll;
  int spare; /* given up for a moment when no other descriptor is left */
  struct connection *busy;
  struct connection *closed;
};

static void put(struct connection **list, struct connection *connection) {
  connection->next = *list;
  *list = connection;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* `abort`: the peers see a reset instead of an orderly end. */
static void end(struct connection *connection, bool abort) {
  if (connection->dead) return;
  connection->dead = true;
  for (int i = 0; i < 2; i++) {
    const struct linger now = {.l_onoff = 1};
    int fd = connection->sides[i].fd;
    if (abort && fd >= 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_fd(&connection->sides[i].fd);
    close_fd(&connection->directions[i].pipe[0]);
    close_fd(&connection->directions[i].pipe[1]);
  }
  /* Events of this round may still name it; one on the busy list is freed when it is taken off there. */
  if (!connection->busy) put(&connection->forwarder->closed, connection);
}

static int make_pipe(struct direction *direction) {
  if (direction->pipe[0] >= 0) return 0;
  if (pipe2(direction->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
    direction->pipe[0] = direction->pipe[1] = -1;
    return -1;
  }
  fcntl(direction->pipe[0], F_SETPIPE_SZ, PIPE_SIZE); /* a smaller pipe works too */
  return 0;
}

enum outcome { BLOCKED, MORE, BROKEN };

/* Moves what there is from side `from` to the other one. */
static enum outcome move(struct connection *connection, int from) {
  struct direction *direction = &connection->directions[from];
  int source = connection->sides[from].fd, target = connection->sides[!from].fd;
  size_t moved = 0;
  while (!direction->closed) {
    bool progress = false;
    if (!direction->ended) {
      if (make_pipe(direction) < 0) return BROKEN;
      ssize_t got = RETRY(splice(source, NULL, direction->pipe[1], NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
      if (got < 0 && errno != EAGAIN) return BROKEN;
      if (got == 0) direction->ended = true;
      if (got > 0) direction->waiting += (size_t)got;
      progress = got >= 0;
    }
    if (direction->waiting > 0) {
      ssize_t sent =
          RETRY(splice(direction->pipe[0], NULL, target, NULL, direction->waiting, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
      if (sent < 0 && errno != EAGAIN) return BROKEN;
      if (sent > 0) {
        direction->waiting -= (size_t)sent;
        moved += (size_t)sent;
        progress = true;
      }
    }
    if (direction->ended && direction->waiting == 0) {
      shutdown(target, SHUT_WR);
      direction->closed = true;
      close_fd(&direction->pipe[0]);
      close_fd(&direction->pipe[1]);
    } else if (!progress) {
      return BLOCKED;
    } else if (moved >= TURN) {
      return MORE;
    }
  }
  return BLOCKED;
}

static void pump(struct connection *connection) {
  bool more = false;
  for (int from = 0; from < 2; from++) {
    enum outcome outcome = move(connection, from);
    if (outcome == BROKEN) return end(connection, true);
    more |= outcome == MORE;
  }
  if (connection->directions[0].closed && connection->directions[1].closed) return end(connection, false);
  if (more && !connection->busy) {
    connection->busy = true;
    put(&connection->forwarder->busy, connection);
  }
}

static void side_ready(struct waiter *waiter, uint32_t events) {
  struct connection *connection = ((struct side *)waiter)->connection;
  if (connection->dead) return;
  if (connection->connecting) {
    if ((struct side *)waiter != &connection->sides[1]) return; /* what the client sends waits in its socket */
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->sides[1].fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0 || (events & EPOLLERR)) return end(connection, true);
    if (!(events & EPOLLOUT)) return;
    connection->connecting = false;
  }
  pump(connection);
}

static void configure(int fd) {
  const int on = 1, seconds = 15;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

static void begin(struct listener *listener, int client) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection) {
    close(client);
    return;
  }
  connection->forwarder = listener->forwarder;
  connection->connecting = true;
  int target = socket(listener->target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int fds[2] = {client, target};
  for (int i = 0; i < 2; i++) {
    connection->sides[i] = (struct side){.waiter = {side_ready}, .connection = connection, .fd = fds[i]};
    connection->directions[i] = (struct direction){.pipe = {-1, -1}};
  }
  if (target < 0) return end(connection, true);
  configure(client);
  configure(target);
  if (connect(target, &listener->target.any, listener->target.length) < 0 && errno != EINPROGRESS) {
    return end(connection, true);
  }
  for (int i = 0; i < 2; i++) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = &connection->sides[i]};
    if (epoll_ctl(listener->forwarder->epoll, EPOLL_CTL_ADD, fds[i], &event) < 0) return end(connection, true);
  }
}

static void accept_ready(struct waiter *waiter, uint32_t events) {
  (void)events;
  struct listener *listener = (struct listener *)waiter;
  struct tcp_forwarder *forwarder = listener->forwarder;
  for (int i = 0; i < 64; i++) {
    int client = RETRY(accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client >= 0) {
      begin(listener, client);
      continue;
    }
    if (errno != EMFILE && errno != ENFILE) return;
    /* Out of descriptors: turn the client away instead of being woken for it for ever. */
    close_fd(&forwarder->spare);
    client = RETRY(accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC));
    close_fd(&client);
    forwarder->spare = fcntl(forwarder->epoll, F_DUPFD_CLOEXEC, 0);
    return;
  }
}

struct tcp_forwarder *tcp_forwarder_new(int epoll) {
  struct tcp_forwarder *forwarder = calloc(1, sizeof *forwarder);
  if (!forwarder) return NULL;
  forwarder->epoll = epoll;
  forwarder->spare = fcntl(epoll, F_DUPFD_CLOEXEC, 0);
  return forwarder;
}

int tcp_forwarder_add(struct tcp_forwarder *forwarder, const struct held_port *port) {
  struct listener *listener = calloc(1, sizeof *listener);
  if (!listener) return -1;
  *listener = (struct listener){{accept_ready}, forwarder, port->fd, port->target};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
  return epoll_ctl(forwarder->epoll, EPOLL_CTL_ADD, port->fd, &event);
}

bool tcp_forwarder_turn(struct tcp_forwarder *forwarder) {
  struct connection *connection = forwarder->busy;
  forwarder->busy = NULL;
  while (connection) {
    struct connection *next = connection->next;
    connection->busy = false;
    if (connection->dead) put(&forwarder->closed, connection);
    else pump(connection);
    connection = next;
  }
  return forwarder->busy != NULL;
}

void tcp_forwarder_reap(struct tcp_forwarder *forwarder) {
  while (forwarder->closed) {
    struct connection *connection = forwarder->closed;
    forwarder->closed = connection->next;
    free(connection);
  }
}
