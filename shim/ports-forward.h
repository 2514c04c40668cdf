/* Forwarding of published ports in userspace: TCP by splice, UDP with one socket a client. */
#ifndef SHIM_PORTS_FORWARD_H
#define SHIM_PORTS_FORWARD_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "shim.h"

struct endpoint {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
  socklen_t length;
};

/* A bound host port. */
struct held_port {
  int fd;
  bool udp;
  bool forwarded; /* a TCP socket listens then */
  struct endpoint target;
};

/* What epoll gives back: the first member of everything that waits. */
struct waiter {
  void (*ready)(struct waiter *waiter, uint32_t events);
};

/* Serves the forwarded ones until killed. */
_Noreturn void forward_ports(struct held_port *held, size_t count);

struct tcp_forwarder; /* opaque */
struct udp_forwarder; /* opaque */

/* A forwarder of each protocol; NULL without memory. */
struct tcp_forwarder *tcp_forwarder_new(int epoll);
struct udp_forwarder *udp_forwarder_new(int epoll);
int tcp_forwarder_add(struct tcp_forwarder *forwarder, const struct held_port *port);
int udp_forwarder_add(struct udp_forwarder *forwarder, const struct held_port *port);

/* Goes on with connections that had more to move than their turn allows. True: some still have. */
bool tcp_forwarder_turn(struct tcp_forwarder *forwarder);

/* Forgets clients that were silent for too long. Gives milliseconds until the next may be due, -1: none. */
int udp_forwarder_expire(struct udp_forwarder *forwarder);

/* Frees what was closed in this round. */
void tcp_forwarder_reap(struct tcp_forwarder *forwarder);

#endif
