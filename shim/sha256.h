/* SHA-256 (FIPS 180-4), by the processor's own instructions where it has them. */
#ifndef SHIM_SHA256_H
#define SHIM_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64
#define SHA256_LENGTH 32

struct sha256 {
  uint32_t state[8];
  uint64_t length;                     /* bytes so far */
  unsigned char rest[SHA256_BLOCK];    /* what does not make a block yet */
  void (*compress)(uint32_t state[8], const unsigned char *data, size_t blocks);
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t length);
void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_LENGTH]);

/* What sha256_begin chooses from, for tests. The second is NULL where the processor lacks the instructions. */
void sha256_compress_plain(uint32_t state[8], const unsigned char *data, size_t blocks);
void (*sha256_compress_fast(void))(uint32_t state[8], const unsigned char *data, size_t blocks);

#endif
