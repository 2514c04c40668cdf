/* See rtnetlink.h. rtnetlink(7), netlink(7). */
#include "rtnetlink.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io.h"

int rtnetlink_open(struct failure *failure) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return fd < 0 ? fail(failure, errno, "open a netlink socket") : fd;
}

static char *reserve(struct rtnetlink_batch *batch, size_t length) {
  size_t aligned = NLMSG_ALIGN(length);
  if (batch->length + aligned > sizeof batch->data) abort();
  char *place = batch->data + batch->length;
  memset(place, 0, aligned);
  batch->length += aligned;
  if (batch->message) batch->message->nlmsg_len = (uint32_t)(batch->data + batch->length - (char *)batch->message);
  return place;
}

void *rtnetlink_begin(struct rtnetlink_batch *batch, uint16_t type, uint16_t flags, size_t header, const char *what) {
  if (batch->count == sizeof batch->what / sizeof *batch->what) abort();
  batch->message = NULL;
  struct nlmsghdr *message = (struct nlmsghdr *)reserve(batch, NLMSG_HDRLEN);
  batch->message = message;
  message->nlmsg_len = NLMSG_HDRLEN;
  message->nlmsg_type = type;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  message->nlmsg_seq = batch->count;
  batch->what[batch->count++] = what;
  return reserve(batch, header);
}

void rtnetlink_attribute(struct rtnetlink_batch *batch, uint16_t type, const void *data, size_t length) {
  struct rtattr *attribute = (struct rtattr *)reserve(batch, RTA_LENGTH(length));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  if (length > 0) memcpy(RTA_DATA(attribute), data, length);
}

void rtnetlink_u32(struct rtnetlink_batch *batch, uint16_t type, uint32_t value) {
  rtnetlink_attribute(batch, type, &value, sizeof value);
}

void rtnetlink_text(struct rtnetlink_batch *batch, uint16_t type, const char *text) {
  rtnetlink_attribute(batch, type, text, strlen(text) + 1);
}

void *rtnetlink_raw(struct rtnetlink_batch *batch, size_t length) { return reserve(batch, length); }

struct rtattr *rtnetlink_nest(struct rtnetlink_batch *batch, uint16_t type) {
  struct rtattr *nest = (struct rtattr *)reserve(batch, RTA_LENGTH(0));
  nest->rta_type = type;
  return nest;
}

void rtnetlink_end(struct rtnetlink_batch *batch, struct rtattr *nest) {
  nest->rta_len = (unsigned short)(batch->data + batch->length - (char *)nest);
}

/* Reads answers until the last message is acknowledged. */
static int await(int socket, const struct rtnetlink_batch *batch, struct failure *failure) {
  _Alignas(NLMSG_ALIGNTO) char buffer[8192];
  int result = 0;
  for (;;) {
    ssize_t length = RETRY(recv(socket, buffer, sizeof buffer, 0));
    if (length < 0) return fail(failure, errno, "read from netlink");
    for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, (size_t)length);
         message = NLMSG_NEXT(message, length)) {
      if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq >= batch->count) continue;
      const struct nlmsgerr *error = NLMSG_DATA(message);
      if (error->error != 0 && result == 0) {
        result = fail(failure, -error->error, "%s", batch->what[message->nlmsg_seq]);
      }
      if (message->nlmsg_seq == batch->count - 1) return result;
    }
  }
}

int rtnetlink_run(int socket, struct rtnetlink_batch *batch, struct failure *failure) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  int result;
  if (RETRY(sendto(socket, batch->data, batch->length, 0, (struct sockaddr *)&kernel, sizeof kernel)) < 0) {
    result = fail(failure, errno, "write to netlink");
  } else {
    result = await(socket, batch, failure);
  }
  batch->length = 0;
  batch->count = 0;
  batch->message = NULL;
  return result;
}

int rtnetlink_index(int socket, const char *name) {
  struct ifreq request = {0};
  if (strlen(name) >= sizeof request.ifr_name) {
    errno = ENODEV;
    return -1;
  }
  strcpy(request.ifr_name, name);
  return ioctl(socket, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}
