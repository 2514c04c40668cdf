/* Requests to the kernel's rtnetlink: several messages in one datagram, one wait for all of them. */
#ifndef SHIM_RTNETLINK_H
#define SHIM_RTNETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "shim.h"

/* Messages to be sent together. `what[n]` names message n for the failure's text. */
struct rtnetlink_batch {
  size_t length;
  unsigned count;
  struct nlmsghdr *message; /* the one under construction */
  const char *what[16];
  _Alignas(NLMSG_ALIGNTO) char data[4096];
};

/* A socket in the caller's network namespace, or -1. */
int rtnetlink_open(struct failure *failure);

/* Begins a message; gives its zeroed family header. More messages or bytes than the batch holds: abort(), a mistake of ours. */
void *rtnetlink_begin(struct rtnetlink_batch *batch, uint16_t type, uint16_t flags, size_t header, const char *what);
void rtnetlink_attribute(struct rtnetlink_batch *batch, uint16_t type, const void *data, size_t length);
void rtnetlink_u32(struct rtnetlink_batch *batch, uint16_t type, uint32_t value);
void rtnetlink_text(struct rtnetlink_batch *batch, uint16_t type, const char *text);
/* A further header inside the attribute under construction (VETH_INFO_PEER); zeroed. */
void *rtnetlink_raw(struct rtnetlink_batch *batch, size_t length);
struct rtattr *rtnetlink_nest(struct rtnetlink_batch *batch, uint16_t type);
void rtnetlink_end(struct rtnetlink_batch *batch, struct rtattr *nest);

/* Sends the batch and waits until the kernel has done all of it. Fails with the first error; empties the batch. */
int rtnetlink_run(int socket, struct rtnetlink_batch *batch, struct failure *failure);

/* Index of the interface `name` in the namespace of `socket`, or -1 with errno. */
int rtnetlink_index(int socket, const char *name);

#endif
