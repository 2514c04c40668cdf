/* Connections of the engine: control ones, and those that become the stream of an attach or exec with their first frame. */
#ifndef SHIM_CONNECTION_H
#define SHIM_CONNECTION_H

#include "pollset.h"
#include "protocol.h"
#include "session.h"

struct connection {
  struct connection *next;
  int fd;
  bool control;
  bool dead;
  unsigned char header[PROTOCOL_HEADER_SIZE];
  size_t header_length;
  char *payload;
  size_t payload_size;
  size_t payload_length;
  struct backlog backlog;
};

/* Registers the listener and every connection. */
void connections_poll(struct shim *shim, struct pollset *set);

/* Frees the dead ones. */
void connections_reap(struct shim *shim);

/* Writes a frame. A peer that lets 256 KiB wait is dropped. */
void connection_send(struct connection *connection, unsigned type, unsigned request, const void *payload, size_t length);

/* The same to every control connection. */
void connections_notify(struct shim *shim, unsigned type, const void *payload, size_t length);

/* Tells a new control connection how things stand. */
void connection_greet(struct shim *shim, struct connection *connection);

/* Builds payloads; never more than its capacity. */
struct message {
  size_t length;
  unsigned char data[9216];
};
void message_u8(struct message *message, unsigned value);
void message_u32(struct message *message, uint32_t value);
void message_u64(struct message *message, uint64_t value);
void message_id(struct message *message, const char *id);
void message_text(struct message *message, const char *text);

#endif
