/*
 * UDP side of ports-forward.h: every client gets a socket of its own towards the container, so that replies find their way
 * back. Replies leave from the address that the client wrote to, also where the port is bound to all addresses.
 */
#include <sys/epoll.h>
#include <time.h>

#include "io.h"
#include "ports-forward.h"

/* Silence after which a client is forgotten, as Docker's proxy does. */
#define IDLE_MS 90000
/* Clients at once; the one silent for longest makes room. */
#define MAX_CLIENTS 16384
#define BUCKETS 4096
/* Datagrams of one socket before others get their turn. */
#define TURN 64

struct port {
  struct waiter waiter;
  struct udp_forwarder *forwarder;
  int fd;
  struct endpoint target;
};

/* Who sent a datagram, and to which address of the host. */
struct flow {
  struct sockaddr_storage peer;
  socklen_t peer_length;
  struct in6_addr local; /* IPv4 in the first four bytes */
  unsigned interface;
};

struct client {
  struct waiter waiter;
  struct port *port;
  struct client *next;            /* in its bucket, or among the dead */
  struct client *older, *younger; /* by last use */
  struct flow flow;
  int fd;
  uint64_t used;
  size_t bucket;
};

struct udp_forwarder {
  int epoll;
  size_t count;
  struct client *oldest, *youngest;
  struct client *dead;
  struct client *buckets[BUCKETS];
  char buffer[65536];
};

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void unlink_age(struct udp_forwarder *forwarder, struct client *client) {
  *(client->older ? &client->older->younger : &forwarder->oldest) = client->younger;
  *(client->younger ? &client->younger->older : &forwarder->youngest) = client->older;
}

static void touch(struct udp_forwarder *forwarder, struct client *client, bool linked) {
  client->used = now_ms();
  if (linked) unlink_age(forwarder, client);
  client->older = forwarder->youngest;
  client->younger = NULL;
  *(forwarder->youngest ? &forwarder->youngest->younger : &forwarder->oldest) = client;
  forwarder->youngest = client;
}

/* Memory goes when the round is over: an event may still name it. */
static void forget(struct udp_forwarder *forwarder, struct client *client) {
  unlink_age(forwarder, client);
  struct client **link = &forwarder->buckets[client->bucket];
  while (*link != client) link = &(*link)->next;
  *link = client->next;
  close(client->fd);
  client->fd = -1;
  client->next = forwarder->dead;
  forwarder->dead = client;
  forwarder->count--;
}

static size_t hash(const struct port *port, const struct flow *flow) {
  uint64_t value = 14695981039346656037u ^ (uint64_t)port->fd;
  const unsigned char *bytes = (const unsigned char *)&flow->peer;
  for (socklen_t i = 0; i < flow->peer_length; i++) value = (value ^ bytes[i]) * 1099511628211u;
  return (size_t)(value >> 20) % BUCKETS;
}

static bool same(const struct flow *a, const struct flow *b) {
  return a->peer_length == b->peer_length && memcmp(&a->peer, &b->peer, a->peer_length) == 0 &&
         memcmp(&a->local, &b->local, sizeof a->local) == 0;
}

/* The local address of a received datagram. */
static void read_local(struct msghdr *message, struct flow *flow) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      const struct in6_pktinfo *info = (const struct in6_pktinfo *)CMSG_DATA(control);
      flow->local = info->ipi6_addr;
      flow->interface = info->ipi6_ifindex;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      const struct in_pktinfo *info = (const struct in_pktinfo *)CMSG_DATA(control);
      memcpy(&flow->local, &info->ipi_spec_dst, sizeof info->ipi_spec_dst);
    }
  }
}

static void send_reply(const struct client *client, char *data, size_t length) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
  } control = {0};
  struct iovec part = {data, length};
  struct flow flow = client->flow;
  struct msghdr message = {.msg_name = &flow.peer, .msg_namelen = flow.peer_length, .msg_iov = &part, .msg_iovlen = 1};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (flow.peer.ss_family == AF_INET6) {
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
    struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(header);
    info->ipi6_addr = flow.local;
    info->ipi6_ifindex = IN6_IS_ADDR_LINKLOCAL(&flow.local) ? flow.interface : 0;
  } else {
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    message.msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
    memcpy(&((struct in_pktinfo *)CMSG_DATA(header))->ipi_spec_dst, &flow.local, sizeof(struct in_addr));
  }
  if (RETRY(sendmsg(client->port->fd, &message, 0)) < 0) return; /* a datagram may be lost */
}

/* The container answered. */
static void client_ready(struct waiter *waiter, uint32_t events) {
  (void)events;
  struct client *client = (struct client *)waiter;
  struct udp_forwarder *forwarder = client->port->forwarder;
  for (int i = 0; i < TURN && client->fd >= 0; i++) {
    ssize_t length = RETRY(recv(client->fd, forwarder->buffer, sizeof forwarder->buffer, 0));
    if (length < 0) return; /* nothing more, or "port unreachable": the client will ask again */
    touch(forwarder, client, true);
    send_reply(client, forwarder->buffer, (size_t)length);
  }
}

static struct client *add_client(struct port *port, const struct flow *flow, size_t bucket) {
  struct udp_forwarder *forwarder = port->forwarder;
  if (forwarder->count >= MAX_CLIENTS) forget(forwarder, forwarder->oldest);
  struct client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  *client = (struct client){.waiter = {client_ready}, .port = port, .flow = *flow, .bucket = bucket};
  client->fd = socket(port->target.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (client->fd < 0 || connect(client->fd, &port->target.any, port->target.length) < 0 ||
      epoll_ctl(forwarder->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0) {
    if (client->fd >= 0) close(client->fd);
    free(client);
    return NULL;
  }
  client->next = forwarder->buckets[bucket];
  forwarder->buckets[bucket] = client;
  forwarder->count++;
  touch(forwarder, client, false);
  return client;
}

static struct client *find_client(struct port *port, const struct flow *flow) {
  size_t bucket = hash(port, flow);
  for (struct client *client = port->forwarder->buckets[bucket]; client; client = client->next) {
    if (client->port != port || !same(&client->flow, flow)) continue;
    touch(port->forwarder, client, true);
    return client;
  }
  return add_client(port, flow, bucket);
}

static void port_ready(struct waiter *waiter, uint32_t events) {
  (void)events;
  struct port *port = (struct port *)waiter;
  char *buffer = port->forwarder->buffer;
  for (int i = 0; i < TURN; i++) {
    union {
      struct cmsghdr align;
      char bytes[256];
    } control;
    struct flow flow = {0};
    struct iovec part = {buffer, sizeof port->forwarder->buffer};
    struct msghdr message = {.msg_name = &flow.peer, .msg_namelen = sizeof flow.peer, .msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t length = RETRY(recvmsg(port->fd, &message, 0));
    if (length < 0) return;
    flow.peer_length = message.msg_namelen;
    read_local(&message, &flow);
    struct client *client = find_client(port, &flow);
    if (client && RETRY(send(client->fd, buffer, (size_t)length, 0)) < 0) continue; /* lost, as datagrams are */
  }
}

struct udp_forwarder *udp_forwarder_new(int epoll) {
  struct udp_forwarder *forwarder = calloc(1, sizeof *forwarder);
  if (forwarder) forwarder->epoll = epoll;
  return forwarder;
}

int udp_forwarder_add(struct udp_forwarder *forwarder, const struct held_port *held) {
  struct port *port = calloc(1, sizeof *port);
  if (!port) return -1;
  *port = (struct port){{port_ready}, forwarder, held->fd, held->target};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = port};
  return epoll_ctl(forwarder->epoll, EPOLL_CTL_ADD, held->fd, &event);
}

int udp_forwarder_expire(struct udp_forwarder *forwarder) {
  while (forwarder->dead) {
    struct client *client = forwarder->dead;
    forwarder->dead = client->next;
    free(client);
  }
  uint64_t now = now_ms();
  while (forwarder->oldest && now - forwarder->oldest->used >= IDLE_MS) {
    struct client *client = forwarder->oldest;
    forget(forwarder, client);
    forwarder->dead = client->next;
    free(client);
  }
  return forwarder->oldest ? (int)(IDLE_MS - (now - forwarder->oldest->used)) : -1;
}
