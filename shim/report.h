/* What the starter tells the shim before it becomes the runtime: over a pair of SOCK_SEQPACKET sockets, one packet a message. */
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

#include "shim.h"

/* Longest text of a failure. */
#define REPORT_TEXT 1024

struct report {
  bool failed;
  unsigned stage; /* PROTOCOL_STAGE_… */
  char text[REPORT_TEXT];
  int root; /* O_PATH descriptor of the mounted root, or -1 */
};

/* The shim's end and the starter's. */
int report_open(int ends[2], struct failure *failure);

/* The starter could not do something and ends. */
void report_failure(int channel, unsigned stage, const char *text);

/* Hands over a descriptor of the root's mount. Without memory for it nothing is sent: the root is only let go earlier. */
void report_root(int channel, int root);

/* Reads everything that was sent; the starter is gone or has become the runtime. */
void report_read(int channel, struct report *report);

#endif
