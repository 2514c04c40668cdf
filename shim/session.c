/* See session.h. */
#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "io.h"
#include "run.h"

/* What a client may owe after the process's exit: more than a pipe holds. */
#define LAST_OUTPUT (256 * 1024)

#define LAST_PIECES 32

/* So long an engine may take to end its half; it needs less than one. */
#define LINGER_MILLISECONDS 100

int backlog_append(struct backlog *backlog, const void *data, size_t length) {
  if (length == 0) return 0;
  if (backlog->length == 0) {
    free(backlog->data);
    *backlog = (struct backlog){0};
  }
  char *grown = realloc(backlog->data, backlog->offset + backlog->length + length);
  if (!grown) return -1;
  memcpy(grown + backlog->offset + backlog->length, data, length);
  backlog->data = grown;
  backlog->length += length;
  return 0;
}

static void backlog_clear(struct backlog *backlog) {
  free(backlog->data);
  *backlog = (struct backlog){0};
}

int backlog_write(struct backlog *backlog, int fd) {
  while (backlog->length > 0) {
    ssize_t written = io_write(fd, backlog->data + backlog->offset, backlog->length);
    if (written < 0) return errno == EAGAIN ? 0 : -1;
    backlog->offset += (size_t)written;
    backlog->length -= (size_t)written;
  }
  backlog_clear(backlog);
  return 0;
}

struct session *session_new(const char *id, bool terminal, enum stdin_mode stdin_mode) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  snprintf(session->id, sizeof session->id, "%s", id);
  session->terminal = terminal;
  session->stdin_mode = stdin_mode;
  session->input = session->outputs[0] = session->outputs[1] = -1;
  return session;
}

void stdio_close(struct process_stdio *stdio) {
  for (int i = 0; i < 3; i++) {
    if (stdio->child[i] >= 0) close(stdio->child[i]);
    stdio->child[i] = -1;
  }
}

int session_open_stdio(struct session *session, bool detached, struct process_stdio *stdio, struct failure *failure) {
  for (int i = 0; i < 3; i++) stdio->child[i] = -1;
  bool is_exec = session->id[0] != '\0';
  for (int i = 0; i < 3; i++) {
    int ends[2];
    bool no_input = i == 0 && (detached || session->stdin_mode == STDIN_CLOSED);
    if (session->terminal || (detached && i > 0) || (no_input && !is_exec)) {
      stdio->child[i] = stdio->null >= 0 ? fcntl(stdio->null, F_DUPFD_CLOEXEC, 3) : RETRY(open("/dev/null", O_RDWR | O_CLOEXEC));
      if (stdio->child[i] < 0) goto failed;
      continue;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) goto failed;
    int ours = i == 0 ? ends[1] : ends[0];
    stdio->child[i] = i == 0 ? ends[0] : ends[1];
    io_set_nonblocking(ours);
    if (no_input) close(ours); /* at its end from the beginning */
    else if (i == 0) session->input = ours;
    else session->outputs[i - 1] = ours;
  }
  return 0;
failed:
  fail(failure, errno, "make the process's standard streams");
  stdio_close(stdio);
  return -1;
}

void session_set_terminal(struct session *session, int master) {
  io_set_nonblocking(master);
  session->input = session->outputs[0] = master;
}

static void close_input(struct session *session) {
  if (session->input >= 0 && !session->terminal) close(session->input);
  session->input = -1;
  backlog_clear(&session->input_backlog);
}

static void close_output(struct session *session, int index) {
  if (session->terminal) {
    session->input = -1;
    backlog_clear(&session->input_backlog);
  }
  close(session->outputs[index]);
  session->outputs[index] = -1;
}

int session_add_client(struct session *session, int fd, unsigned flags) {
  struct client *client = calloc(1, sizeof *client);
  if (!client) {
    close(fd);
    return -1;
  }
  io_set_nonblocking(fd);
  client->fd = fd;
  client->flags = flags;
  /* At the end: who came first is served first. */
  struct client **link = &session->clients;
  while (*link) link = &(*link)->next;
  *link = client;
  return 0;
}

static bool wants(const struct session *session, const struct client *client, int index) {
  if (client->gone || client->dead) return false;
  if (session->terminal) return (client->flags & (PROTOCOL_ATTACH_STDOUT | PROTOCOL_ATTACH_STDERR)) != 0;
  return (client->flags & (index == 0 ? PROTOCOL_ATTACH_STDOUT : PROTOCOL_ATTACH_STDERR)) != 0;
}

/* Gives one client a piece of output; what its socket does not take now waits in its backlog. */
static void client_send(struct session *session, struct client *client, int index, const char *data, size_t length) {
  unsigned char header[8] = {index == 0 ? STREAM_STDOUT : STREAM_STDERR, 0, 0, 0};
  for (int i = 0; i < 4; i++) header[4 + i] = (unsigned char)(length >> (24 - 8 * i));
  size_t header_length = session->terminal ? 0 : sizeof header;
  size_t sent = 0;
  if (client->backlog.length == 0) {
    struct iovec parts[2] = {{header, header_length}, {(void *)data, length}};
    ssize_t written = RETRY(writev(client->fd, parts, 2));
    if (written < 0 && errno != EAGAIN) {
      client->gone = true;
      return;
    }
    sent = written < 0 ? 0 : (size_t)written;
  }
  int result = 0;
  if (sent < header_length) {
    result = backlog_append(&client->backlog, header + sent, header_length - sent);
    sent = header_length;
  }
  if (result == 0) result = backlog_append(&client->backlog, data + (sent - header_length), length - (sent - header_length));
  if (result < 0) client->gone = true;
}

/* Moves one piece of output; false: there is none now. */
static bool move_output(struct shim *shim, struct session *session, int index) {
  if (session->outputs[index] < 0) return false;
  ssize_t length = io_read(session->outputs[index], shim->buffer, sizeof shim->buffer);
  if (length < 0 && errno == EAGAIN) return false;
  if (length <= 0) { /* EIO is the end of a pty */
    close_output(session, index);
    return false;
  }
  log_write(session->log, index == 0 ? STREAM_STDOUT : STREAM_STDERR, shim->buffer, (size_t)length);
  for (struct client *client = session->clients; client; client = client->next) {
    if (wants(session, client, index)) client_send(session, client, index, shim->buffer, (size_t)length);
  }
  return true;
}

static void handle_output(struct shim *shim, void *object, void *part, short events) {
  (void)events;
  move_output(shim, object, (int)(intptr_t)part);
}

void session_take_rest(struct shim *shim, struct session *session) {
  for (int i = 0; i < 2; i++) {
    for (int pieces = 0; pieces < LAST_PIECES && move_output(shim, session, i); pieces++) {
    }
  }
}

static void handle_input(struct shim *shim, void *object, void *part, short events) {
  (void)shim;
  (void)part;
  struct session *session = object;
  if (session->input < 0) return;
  if (!session->terminal && (events & POLLERR)) close_input(session);
  else if (backlog_write(&session->input_backlog, session->input) < 0) close_input(session);
  else if (session->input_backlog.length == 0 && session->input_ends) close_input(session);
}

/* The peer says no more: for `once` this ends the process's stdin. */
static void client_input_ended(struct session *session, struct client *client) {
  client->input_ended = true;
  if (!(client->flags & PROTOCOL_ATTACH_STDIN) || session->stdin_mode != STDIN_ONCE || session->terminal) return;
  session->input_ends = true;
  if (session->input_backlog.length == 0) close_input(session);
}

static void client_read(struct shim *shim, struct session *session, struct client *client) {
  ssize_t length = io_read(client->fd, shim->buffer, sizeof shim->buffer);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    if (length < 0) client->gone = true;
    client_input_ended(session, client);
    return;
  }
  if (!(client->flags & PROTOCOL_ATTACH_STDIN) || session->input < 0) return;
  ssize_t written = io_write(session->input, shim->buffer, (size_t)length);
  if (written < 0 && errno != EAGAIN) {
    close_input(session); /* the process has closed its stdin */
    return;
  }
  size_t done = written < 0 ? 0 : (size_t)written;
  if (backlog_append(&session->input_backlog, shim->buffer + done, (size_t)length - done) < 0) close_input(session);
}

static void handle_client(struct shim *shim, void *object, void *part, short events) {
  struct session *session = object;
  struct client *client = part;
  if (client->dead) return;
  if (events & POLLERR) client->gone = true;
  if ((events & POLLOUT) && !client->gone && backlog_write(&client->backlog, client->fd) < 0) client->gone = true;
  if (events & POLLHUP) client->gone = true;
  if ((events & (POLLIN | POLLHUP)) && !client->input_ended) client_read(shim, session, client);
  if (client->gone) backlog_clear(&client->backlog);
}

void session_poll(struct session *session, struct pollset *set) {
  bool held[2] = {false, false};
  size_t limit = session->exited ? LAST_OUTPUT : 0;
  for (struct client *client = session->clients; client; client = client->next) {
    short events = 0;
    bool read_more = !client->input_ended && (session->input_backlog.length == 0 || !(client->flags & PROTOCOL_ATTACH_STDIN));
    if (session->pid == 0) read_more = false;
    if (read_more) events |= POLLIN;
    if (client->backlog.length > 0) events |= POLLOUT;
    for (int i = 0; i < 2; i++) {
      if (client->backlog.length > limit && wants(session, client, i)) held[i] = true;
    }
    /* A client that hung up is only asked for the input that it left; poll would report the hang-up for ever. */
    if (client->dead || (client->gone && !read_more)) continue;
    pollset_add(set, client->fd, events, (struct poll_slot){handle_client, session, client});
  }
  if (session->pid == 0) return;
  for (int i = 0; i < 2; i++) {
    if (session->outputs[i] < 0 || held[i]) continue;
    pollset_add(set, session->outputs[i], POLLIN, (struct poll_slot){handle_output, session, (void *)(intptr_t)i});
  }
  bool waiting = session->input_backlog.length > 0;
  /* A pipe without a backlog is watched for POLLERR alone: the process has closed its stdin. */
  if (session->input >= 0 && (waiting || !session->terminal)) {
    pollset_add(set, session->input, waiting ? POLLOUT : 0, (struct poll_slot){handle_input, session, NULL});
  }
}

bool session_drained(const struct session *session) { return session->outputs[0] < 0 && session->outputs[1] < 0; }

void session_close_streams(struct session *session) {
  for (int i = 0; i < 2; i++) {
    if (session->outputs[i] >= 0) close_output(session, i);
  }
  close_input(session);
}

/*
 * The peer is still writing input that nobody wants any more. A write that meets a closed socket would make it drop the output that it has
 * not read yet, so it sees the end of ours first, ends its half, and only then the socket goes.
 */
static void client_linger(struct client *client) {
  char rest[4096];
  struct pollfd waiting = {.fd = client->fd, .events = POLLIN};
  struct timespec begun, now;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  shutdown(client->fd, SHUT_WR);
  for (int64_t passed = 0; passed < LINGER_MILLISECONDS;) {
    if (poll(&waiting, 1, (int)(LINGER_MILLISECONDS - passed)) > 0) {
      ssize_t length = recv(client->fd, rest, sizeof rest, MSG_DONTWAIT);
      if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    passed = (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000;
  }
}

static void client_close(struct client *client) {
  /* Input that nobody read must not turn the peer's end of stream into a reset. */
  char rest[4096];
  if ((client->flags & PROTOCOL_ATTACH_STDIN) && !client->input_ended && !client->gone) client_linger(client);
  shutdown(client->fd, SHUT_RDWR);
  while (recv(client->fd, rest, sizeof rest, MSG_DONTWAIT) > 0) {
  }
  close(client->fd);
  free(client->backlog.data);
  free(client);
}

void session_reap_clients(struct session *session) {
  for (struct client **link = &session->clients; *link;) {
    struct client *client = *link;
    if (client->dead || (client->gone && client->input_ended)) {
      *link = client->next;
      client_close(client);
    } else {
      link = &client->next;
    }
  }
}

bool session_finish_clients(struct session *session) {
  for (struct client *client = session->clients; client; client = client->next) {
    if (client->gone || client->backlog.length == 0) client->dead = true;
  }
  session_reap_clients(session);
  return session->clients == NULL;
}

int session_resize(struct session *session, unsigned short rows, unsigned short columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  if (!session->terminal || session->outputs[0] < 0) return 0;
  return ioctl(session->outputs[0], TIOCSWINSZ, &size);
}

void session_free(struct session *session) {
  session_close_streams(session);
  while (session->clients) {
    session->clients->dead = true;
    session_reap_clients(session);
  }
  free(session);
}
