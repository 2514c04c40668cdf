/* Files with several names that were met already. */
#ifndef SHIM_INODE_SET_H
#define SHIM_INODE_SET_H

#include <string.h>
#include <sys/types.h>

#include "shim.h"

struct inode_entry {
  dev_t device;
  ino_t inode; /* 0: a free slot */
  char *path;  /* where it was met; may be NULL */
};

/* Open addressing. Starts as {0}. */
struct inode_set {
  struct inode_entry *entries;
  size_t used, capacity;
};

static inline struct inode_entry *inode_slot(struct inode_entry *entries, size_t capacity, dev_t device, ino_t inode) {
  size_t index = (inode * 0x9e3779b97f4a7c15u ^ device) & (capacity - 1);
  while (entries[index].inode != 0 && (entries[index].inode != inode || entries[index].device != device)) index = (index + 1) & (capacity - 1);
  return &entries[index];
}

/* The entry of that file, a new one (its path NULL, `*met` false) or a known one; NULL: no memory. */
static inline struct inode_entry *inode_set_find(struct inode_set *set, dev_t device, ino_t inode, bool *met) {
  if (2 * set->used >= set->capacity) {
    size_t capacity = set->capacity ? 2 * set->capacity : 64;
    struct inode_entry *grown = calloc(capacity, sizeof *grown);
    if (!grown) return NULL;
    for (size_t i = 0; i < set->capacity; i++) {
      if (set->entries[i].inode != 0) *inode_slot(grown, capacity, set->entries[i].device, set->entries[i].inode) = set->entries[i];
    }
    free(set->entries);
    set->entries = grown;
    set->capacity = capacity;
  }
  struct inode_entry *entry = inode_slot(set->entries, set->capacity, device, inode);
  *met = entry->inode != 0;
  if (!*met) {
    *entry = (struct inode_entry){.device = device, .inode = inode};
    set->used++;
  }
  return entry;
}

static inline void inode_set_free(struct inode_set *set) {
  for (size_t i = 0; i < set->capacity; i++) free(set->entries[i].path);
  free(set->entries);
  *set = (struct inode_set){0};
}

#endif
