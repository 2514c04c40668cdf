/* See report.h. */
#include "report.h"

#include <stdio.h>
#include <sys/socket.h>

#include "io.h"

union descriptor_space {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int report_open(int ends[2], struct failure *failure) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) return 0;
  ends[0] = ends[1] = -1;
  return fail(failure, errno, "start the runtime");
}

void report_failure(int channel, unsigned stage, const char *text) {
  char packet[REPORT_TEXT];
  int length = snprintf(packet, sizeof packet, "%c%s", (char)('0' + stage), text);
  if (length < 0) return;
  (void)RETRY(send(channel, packet, (size_t)length < sizeof packet ? (size_t)length : sizeof packet - 1, MSG_NOSIGNAL));
}

void report_root(int channel, int root) {
  union descriptor_space control = {0};
  char letter = 'R';
  struct iovec data = {&letter, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof root);
  memcpy(CMSG_DATA(header), &root, sizeof root);
  (void)RETRY(sendmsg(channel, &message, MSG_NOSIGNAL));
}

void report_read(int channel, struct report *report) {
  *report = (struct report){.root = -1};
  for (;;) {
    char packet[REPORT_TEXT + 1];
    union descriptor_space control;
    struct iovec data = {packet, sizeof packet - 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    ssize_t length = RETRY(recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (length <= 0) return;
    packet[length] = '\0';
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      memcpy(&report->root, CMSG_DATA(header), sizeof report->root);
    } else {
      report->failed = true;
      report->stage = (unsigned)(packet[0] - '0');
      snprintf(report->text, sizeof report->text, "%s", packet + 1);
    }
  }
}
