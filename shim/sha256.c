/* See sha256.h. */
#include "sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define ROUNDS 64

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[ROUNDS] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static uint32_t big_endian(const unsigned char *data) {
  return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

void sha256_compress_plain(uint32_t state[8], const unsigned char *data, size_t blocks) {
  for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
    uint32_t words[ROUNDS], v[8];
    for (int i = 0; i < 16; i++) words[i] = big_endian(data + 4 * i);
    for (int i = 16; i < ROUNDS; i++) {
      uint32_t a = words[i - 15], b = words[i - 2];
      words[i] = words[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + words[i - 7] +
                 (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
    }
    memcpy(v, state, sizeof v);
    for (int i = 0; i < ROUNDS; i++) {
      uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]), majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
      uint32_t first = v[7] + (turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)) + choice + constants[i] + words[i];
      uint32_t second = (turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)) + majority;
      memmove(v + 1, v, 7 * sizeof *v);
      v[4] += first;
      v[0] = first + second;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
  }
}

#if defined(__x86_64__)

/* Sixteen groups of four rounds. The instructions want the state as ABEF and CDGH, lanes from the highest down. */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_x86(uint32_t state[8], const unsigned char *data,
                                                                     size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
    const __m128i *block = (const __m128i *)data;
    __m128i words[4], abef_before = abef, cdgh_before = cdgh;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) words[i] = _mm_shuffle_epi8(_mm_loadu_si128(block + i), swap);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m128i now = words[i & 3];
      __m128i sum = _mm_add_epi32(now, _mm_load_si128((const __m128i *)constants + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
      if (i >= 12) continue;
      /* The four words of four groups later. */
      __m128i last = words[(i + 3) & 3];
      __m128i part = _mm_add_epi32(_mm_sha256msg1_epu32(now, words[(i + 1) & 3]),
                                   _mm_alignr_epi8(last, words[(i + 2) & 3], 4));
      words[i & 3] = _mm_sha256msg2_epu32(part, last);
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  low = _mm_shuffle_epi32(abef, 0x1b);
  high = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

void (*sha256_compress_fast(void))(uint32_t state[8], const unsigned char *data, size_t blocks) {
  unsigned a, b, c, d;
  bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
  return sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) ? compress_x86 : NULL;
}

#else

void (*sha256_compress_fast(void))(uint32_t state[8], const unsigned char *data, size_t blocks) { return NULL; }

#endif

void sha256_begin(struct sha256 *hash) {
  /* The same of the square roots of the first eight. */
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  *hash = (struct sha256){.compress = sha256_compress_fast()};
  memcpy(hash->state, start, sizeof start);
  if (!hash->compress) hash->compress = sha256_compress_plain;
}

void sha256_add(struct sha256 *hash, const void *data, size_t length) {
  const unsigned char *position = data;
  size_t have = hash->length % SHA256_BLOCK;
  hash->length += length;
  if (have > 0) {
    size_t part = SHA256_BLOCK - have < length ? SHA256_BLOCK - have : length;
    memcpy(hash->rest + have, position, part);
    position += part;
    length -= part;
    if (have + part < SHA256_BLOCK) return;
    hash->compress(hash->state, hash->rest, 1);
  }
  hash->compress(hash->state, position, length / SHA256_BLOCK);
  memcpy(hash->rest, position + length / SHA256_BLOCK * SHA256_BLOCK, length % SHA256_BLOCK);
}

void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_LENGTH]) {
  uint64_t bits = hash->length * 8;
  unsigned char tail[SHA256_BLOCK + 8] = {0x80};
  size_t have = hash->length % SHA256_BLOCK;
  size_t padding = (have < 56 ? 56 : 56 + SHA256_BLOCK) - have;
  for (int i = 0; i < 8; i++) tail[padding + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
  sha256_add(hash, tail, padding + 8);
  for (int i = 0; i < SHA256_LENGTH; i++) digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
