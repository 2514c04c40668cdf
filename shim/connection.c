/* See connection.h. */
#include "connection.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "io.h"
#include "run.h"

#define MAX_BACKLOG (256 * 1024)

static uint16_t get_u16(const char *data) {
  const unsigned char *bytes = (const unsigned char *)data;
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_u32(const char *data) { return get_u16(data) | (uint32_t)get_u16(data + 2) << 16; }

static void message_add(struct message *message, uint64_t value, size_t size) {
  for (size_t i = 0; i < size && message->length < sizeof message->data; i++) {
    message->data[message->length++] = (unsigned char)(value >> (8 * i));
  }
}
void message_u8(struct message *message, unsigned value) { message_add(message, value, 1); }
void message_u32(struct message *message, uint32_t value) { message_add(message, value, 4); }
void message_u64(struct message *message, uint64_t value) { message_add(message, value, 8); }

void message_id(struct message *message, const char *id) {
  size_t length = strnlen(id, PROTOCOL_ID_SIZE);
  for (size_t i = 0; i < PROTOCOL_ID_SIZE; i++) message_u8(message, i < length ? (unsigned char)id[i] : 0);
}

void message_text(struct message *message, const char *text) {
  while (*text && message->length < sizeof message->data) message_u8(message, (unsigned char)*text++);
}

/* Sends a frame, or keeps what the peer does not take now. */
void connection_send(struct connection *connection, unsigned type, unsigned request, const void *payload, size_t length) {
  struct message frame = {0};
  message_u32(&frame, (uint32_t)length);
  message_add(&frame, type, 2);
  message_add(&frame, request, 2);
  if (connection->dead) return;
  int result = backlog_append(&connection->backlog, frame.data, frame.length);
  if (result == 0) result = backlog_append(&connection->backlog, payload, length);
  if (result == 0) result = backlog_write(&connection->backlog, connection->fd);
  if (result < 0 || connection->backlog.length > MAX_BACKLOG) connection->dead = true;
}

void connections_notify(struct shim *shim, unsigned type, const void *payload, size_t length) {
  for (struct connection *connection = shim->connections; connection; connection = connection->next) {
    if (connection->control) connection_send(connection, type, 0, payload, length);
  }
}

static void send_started(struct shim *shim, struct connection *connection) {
  struct message message = {0};
  message_u32(&message, (uint32_t)shim->container->pid);
  message_u64(&message, (uint64_t)shim->started_at.tv_sec * 1000000000u + (uint64_t)shim->started_at.tv_nsec);
  connection_send(connection, PROTOCOL_STARTED, 0, message.data, message.length);
}

static void send_hello(struct connection *connection) {
  struct message message = {0};
  message_add(&message, PROTOCOL_VERSION, 2);
  connection_send(connection, PROTOCOL_HELLO, 0, message.data, message.length);
}

void connection_greet(struct shim *shim, struct connection *connection) {
  if (shim_tell_refusal(shim, connection)) return;
  if (shim->container->pid > 0) send_started(shim, connection);
  if (shim->out_of_memory) connection_send(connection, PROTOCOL_OUT_OF_MEMORY, 0, NULL, 0);
  if (!shim->container->reported || shim->container->pid <= 0) return;
  struct message message = {0};
  shim_exit_message(shim, &message);
  connection_send(connection, PROTOCOL_EXITED, 0, message.data, message.length);
  if (shim->cleaned) connection_send(connection, PROTOCOL_CLEANED, 0, NULL, 0);
}

static void send_result(struct connection *connection, unsigned request, int code, const char *text) {
  struct message message = {0};
  message_u32(&message, (uint32_t)code);
  message_text(&message, text);
  connection_send(connection, PROTOCOL_RESULT, request, message.data, message.length);
}

/* Reads the id at the start of a payload. */
static struct session *session_of(struct shim *shim, const char *payload, size_t length) {
  char id[PROTOCOL_ID_SIZE + 1];
  if (length < PROTOCOL_ID_SIZE) return NULL;
  memcpy(id, payload, PROTOCOL_ID_SIZE);
  id[PROTOCOL_ID_SIZE] = '\0';
  return shim_find(shim, id);
}

static int send_signal(struct session *session, uint32_t number) {
  if (!session || session->pid <= 0 || session->exited) return ESRCH;
  return kill(session->pid, (int)number) < 0 ? errno : 0;
}

static void handle_request(struct shim *shim, struct connection *connection, unsigned type, unsigned request) {
  const char *payload = connection->payload;
  size_t length = connection->payload_length;
  struct session *session = session_of(shim, payload, length);
  struct failure failure = {0};
  int code = EINVAL;
  if (type == PROTOCOL_SIGNAL && length >= PROTOCOL_ID_SIZE + 4) {
    code = send_signal(session, get_u32(payload + PROTOCOL_ID_SIZE));
  } else if (type == PROTOCOL_RESIZE && length >= PROTOCOL_ID_SIZE + 4) {
    code = ESRCH;
    if (session) {
      unsigned short rows = get_u16(payload + PROTOCOL_ID_SIZE);
      code = session_resize(session, rows, get_u16(payload + PROTOCOL_ID_SIZE + 2)) < 0 ? errno : 0;
    }
  } else if (type == PROTOCOL_TRUNCATE_LOG) {
    code = log_truncate(shim->log, &failure) < 0 ? (failure.code ? failure.code : EIO) : 0;
  }
  send_result(connection, request, code, failure.message[0] ? failure.message : code ? strerror(code) : "");
}

static void refuse_exec(struct shim *shim, const char *id, const char *text) {
  struct message message = {0};
  message_id(&message, id);
  message_text(&message, text);
  connections_notify(shim, PROTOCOL_EXEC_FAILED, message.data, message.length);
}

/* version, attach flags, exec flags, rows, columns, id, process. */
static void open_exec(struct shim *shim, struct connection *connection) {
  const char *payload = connection->payload;
  const size_t fixed = 8 + PROTOCOL_ID_SIZE;
  char id[PROTOCOL_ID_SIZE + 1] = {0};
  connection->dead = true;
  if (connection->payload_length < fixed) return;
  memcpy(id, payload + 8, PROTOCOL_ID_SIZE);
  unsigned attach = (unsigned char)payload[2], flags = (unsigned char)payload[3];
  bool detached = (flags & PROTOCOL_EXEC_DETACHED) != 0, terminal = (flags & PROTOCOL_EXEC_TERMINAL) != 0;
  struct failure failure = {0};
  if (shim->container->pid <= 0 || shim->container->exited) {
    refuse_exec(shim, id, "the container is not running");
    return;
  }
  bool wants_input = !detached && (attach & PROTOCOL_ATTACH_STDIN);
  struct session *session = session_new(id, terminal, wants_input ? STDIN_ONCE : STDIN_CLOSED);
  if (!session) {
    refuse_exec(shim, id, "out of memory");
    return;
  }
  if (launch_exec(shim, session, payload + fixed, connection->payload_length - fixed, detached && !terminal, &failure) < 0) {
    refuse_exec(shim, id, failure.message);
    session_free(session);
    return;
  }
  shim->launches->rows = get_u16(payload + 4);
  shim->launches->columns = get_u16(payload + 6);
  session->next = shim->sessions->next;
  shim->sessions->next = session;
  if (!detached && session_add_client(session, connection->fd, attach) == 0) connection->fd = -1;
}

static void open_attach(struct shim *shim, struct connection *connection) {
  connection->dead = true;
  if (connection->payload_length < 4) return;
  bool last = connection->payload[3] && shim->attachments == 1;
  if (connection->payload[3] && shim->attachments > 1) shim->attachments--;
  if (last) shim_attachments_arrived(shim);
  if (session_add_client(shim->container, connection->fd, (unsigned char)connection->payload[2]) == 0) connection->fd = -1;
}

static void handle_frame(struct shim *shim, struct connection *connection) {
  const char *header = (const char *)connection->header;
  unsigned type = get_u16(header + 4), request = get_u16(header + 6);
  if (connection->control) {
    handle_request(shim, connection, type, request);
    return;
  }
  if (connection->payload_length < 2) {
    connection->dead = true;
  } else if (type == PROTOCOL_OPEN_CONTROL) {
    connection->control = true;
    bool starts = connection->payload_length >= 3 && connection->payload[2] == 1;
    if (!starts && shim->attachments > 0) shim_attachments_arrived(shim); /* the engine that announced them is dead */
    send_hello(connection);
    connection_greet(shim, connection);
    shim->told = true;
  } else if (type == PROTOCOL_OPEN_ATTACH) {
    open_attach(shim, connection);
  } else if (type == PROTOCOL_OPEN_EXEC) {
    open_exec(shim, connection);
  } else {
    connection->dead = true;
  }
}

/* Reads towards the next whole frame and no further: what follows the first frame may be a stream. */
static void connection_read(struct shim *shim, struct connection *connection) {
  while (!connection->dead) {
    bool in_header = connection->header_length < PROTOCOL_HEADER_SIZE;
    size_t missing = in_header ? PROTOCOL_HEADER_SIZE - connection->header_length
                               : connection->payload_size - connection->payload_length;
    char *to = in_header ? (char *)connection->header + connection->header_length : connection->payload + connection->payload_length;
    if (missing > 0) {
      ssize_t got = io_read(connection->fd, to, missing);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        connection->dead = true;
        return;
      }
      if (!in_header) {
        connection->payload_length += (size_t)got;
      } else if ((connection->header_length += (size_t)got) == PROTOCOL_HEADER_SIZE) {
        connection->payload_size = get_u32((const char *)connection->header);
        connection->payload = connection->payload_size > PROTOCOL_MAX_PAYLOAD ? NULL : malloc(connection->payload_size + 1);
        if (!connection->payload) connection->dead = true;
      }
    }
    if (connection->dead || connection->header_length < PROTOCOL_HEADER_SIZE) continue;
    if (connection->payload_length < connection->payload_size) continue;
    handle_frame(shim, connection);
    free(connection->payload);
    connection->payload = NULL;
    connection->payload_size = connection->payload_length = connection->header_length = 0;
  }
}

static void handle_connection(struct shim *shim, void *object, void *part, short events) {
  (void)part;
  struct connection *connection = object;
  if ((events & POLLOUT) && backlog_write(&connection->backlog, connection->fd) < 0) connection->dead = true;
  if (events & (POLLIN | POLLHUP | POLLERR)) connection_read(shim, connection);
}

static void handle_listener(struct shim *shim, void *object, void *part, short events) {
  (void)object;
  (void)part;
  (void)events;
  for (;;) {
    int fd = RETRY(accept4(shim->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd < 0) return;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
      close(fd);
      return;
    }
    connection->fd = fd;
    connection->next = shim->connections;
    shim->connections = connection;
    connection_read(shim, connection);
  }
}

void connections_poll(struct shim *shim, struct pollset *set) {
  pollset_add(set, shim->listener, POLLIN, (struct poll_slot){handle_listener, NULL, NULL});
  for (struct connection *connection = shim->connections; connection; connection = connection->next) {
    short events = connection->backlog.length > 0 ? POLLIN | POLLOUT : POLLIN;
    pollset_add(set, connection->fd, events, (struct poll_slot){handle_connection, connection, NULL});
  }
}

void connections_reap(struct shim *shim) {
  for (struct connection **link = &shim->connections; *link;) {
    struct connection *connection = *link;
    if (!connection->dead) {
      link = &connection->next;
      continue;
    }
    *link = connection->next;
    /* Attached clients whose engine died before they came are not waited for. */
    if (connection->control && shim->attachments > 0) shim_attachments_arrived(shim);
    if (connection->fd >= 0) close(connection->fd);
    free(connection->payload);
    free(connection->backlog.data);
    free(connection);
  }
}
