/* See pollset.h. */
#include "pollset.h"

#include <errno.h>

void pollset_add(struct pollset *set, int fd, short events, struct poll_slot slot) {
  if (set->count == set->capacity) {
    size_t capacity = set->capacity == 0 ? 16 : set->capacity * 2;
    struct pollfd *fds = realloc(set->fds, capacity * sizeof *fds);
    if (!fds) return;
    set->fds = fds;
    struct poll_slot *slots = realloc(set->slots, capacity * sizeof *slots);
    if (!slots) return;
    set->slots = slots;
    set->capacity = capacity;
  }
  set->fds[set->count] = (struct pollfd){.fd = fd, .events = events};
  set->slots[set->count] = slot;
  set->count++;
}

void pollset_run(struct pollset *set, struct shim *shim, int timeout) {
  int ready = poll(set->fds, set->count, timeout);
  for (size_t i = 0; i < set->count && ready > 0; i++) {
    if (set->fds[i].revents == 0) continue;
    ready--;
    set->slots[i].handler(shim, set->slots[i].object, set->slots[i].part, set->fds[i].revents);
  }
  set->count = 0;
}
