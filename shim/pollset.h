/*
 * What the event loop waits for. The set is built anew in every round from the state of the objects, so that interest
 * never has to be kept in step with it.
 */
#ifndef SHIM_POLLSET_H
#define SHIM_POLLSET_H

#include <poll.h>

#include "shim.h"

struct shim;

/* Called with what was registered and what happened. It may mark objects as dead, never free them. */
typedef void (*poll_handler)(struct shim *shim, void *object, void *part, short events);

struct poll_slot {
  poll_handler handler;
  void *object;
  void *part;
};

struct pollset {
  struct pollfd *fds;
  struct poll_slot *slots;
  size_t count;
  size_t capacity;
};

/* Adds a descriptor; out of memory drops it for this round. */
void pollset_add(struct pollset *set, int fd, short events, struct poll_slot slot);

/* Waits at most `timeout` milliseconds (-1: for ever) and calls the handlers. Empties the set. */
void pollset_run(struct pollset *set, struct shim *shim, int timeout);

#endif
