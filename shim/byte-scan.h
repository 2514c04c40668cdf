/* Sixteen bytes of text looked at at once, by the compiler's vectors. */
#ifndef SHIM_BYTE_SCAN_H
#define SHIM_BYTE_SCAN_H

#include <stdint.h>
#include <string.h>

#define SCAN_WIDTH 16

typedef signed char vector __attribute__((vector_size(SCAN_WIDTH)));

static inline vector scan_load(const void *text) {
  vector bytes;
  memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

/* Where the first byte stands for which a comparison was true, SCAN_WIDTH: none. */
static inline int scan_first(vector found) {
  uint64_t halves[2];
  memcpy(halves, &found, sizeof halves);
  /* Little endian: the lowest byte that is set comes first in memory. */
  if (halves[0]) return __builtin_ctzll(halves[0]) >> 3;
  return halves[1] ? 8 + (__builtin_ctzll(halves[1]) >> 3) : SCAN_WIDTH;
}

#endif
