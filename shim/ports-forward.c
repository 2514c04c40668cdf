/* See ports-forward.h: the loop. */
#include "ports-forward.h"

#include <sys/epoll.h>

#include "io.h"

_Noreturn void forward_ports(struct held_port *held, size_t count) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct tcp_forwarder *tcp = epoll < 0 ? NULL : tcp_forwarder_new(epoll);
  struct udp_forwarder *udp = epoll < 0 ? NULL : udp_forwarder_new(epoll);
  if (!tcp || !udp) _exit(1);
  for (size_t i = 0; i < count; i++) {
    if (!held[i].forwarded) {
      close(held[i].fd); /* the shim has it too */
      continue;
    }
    if ((held[i].udp ? udp_forwarder_add(udp, &held[i]) : tcp_forwarder_add(tcp, &held[i])) < 0) _exit(1);
  }
  for (;;) {
    int timeout = udp_forwarder_expire(udp);
    if (tcp_forwarder_turn(tcp)) timeout = 0;
    struct epoll_event events[64];
    int ready = RETRY(epoll_wait(epoll, events, 64, timeout));
    if (ready < 0) _exit(1);
    for (int i = 0; i < ready; i++) {
      struct waiter *waiter = events[i].data.ptr;
      waiter->ready(waiter, events[i].events);
    }
    tcp_forwarder_reap(tcp);
  }
}
