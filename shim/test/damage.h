/* Archives for the tests to damage. */
#ifndef SHIM_TEST_DAMAGE_H
#define SHIM_TEST_DAMAGE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "io.h"

struct archive {
  unsigned char bytes[64 * 1024];
  size_t length;
};

static inline void seal(unsigned char *header) {
  unsigned sum = 0;
  memset(header + 148, ' ', 8);
  for (int i = 0; i < 512; i++) sum += header[i];
  snprintf((char *)header + 148, 8, "%06o", sum);
}

static inline unsigned char *add(struct archive *archive, char type, const char *name, const char *content, size_t length) {
  unsigned char *header = archive->bytes + archive->length;
  memset(header, 0, 512);
  strncpy((char *)header, name, 100);
  strcpy((char *)header + 100, "0000644");
  strcpy((char *)header + 108, "0000000");
  strcpy((char *)header + 116, "0000000");
  snprintf((char *)header + 124, 12, "%011zo", length);
  strcpy((char *)header + 136, "14000000000");
  header[156] = (unsigned char)type;
  memcpy(header + 257, "ustar\00000", 8);
  if (type == '1' || type == '2') strcpy((char *)header + 157, "plain");
  seal(header);
  memcpy(header + 512, content, length);
  archive->length += 512 + (length + 511) / 512 * 512;
  return header;
}

#define ADD(archive, type, name, content) add(archive, type, name, content, sizeof(content) - 1)

/* An extended header of records "key=value", each given its length. */
static inline void add_records(struct archive *archive, const char *const *pairs) {
  char text[512] = "";
  size_t used = 0;
  for (; *pairs; pairs++) {
    size_t length = strlen(*pairs) + 3; /* one digit, a space, a newline */
    if (length > 9) length++;
    used += (size_t)snprintf(text + used, sizeof text - used, "%zu %s\n", length, *pairs);
  }
  add(archive, 'x', "pax", text, used);
}

#define ADD_RECORDS(archive, ...) add_records(archive, (const char *const[]){__VA_ARGS__, NULL})

static inline void fill(struct archive *archive) {
  memset(archive, 0, sizeof *archive);
  ADD(archive, '0', "plain", "contents of a plain file");
  ADD(archive, '5', "directory/", "");
  ADD(archive, '1', "hard", "");
  ADD(archive, '2', "soft", "");
  ADD(archive, '3', "device", "");
  ADD(archive, 'L', "././@LongLink", "a/very/long/name/that/stands/in/an/entry/of/its/own");
  ADD(archive, 'K', "././@LongLink", "the/target/of/a/link");
  ADD(archive, '2', "x", "");
  ADD_RECORDS(archive, "path=pax/\xff/file\n", "mtime=1.2345", "SCHILY.xattr.user.a=b", "uid=300");
  ADD(archive, '0', "x", "with records");
  ADD(archive, 'g', "global", "13 comment=ab\n");
  ADD_RECORDS(archive, "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=s", "GNU.sparse.realsize=9000");
  char map[512 + 8] = "2\n100\n4\n9000\n0\n";
  memcpy(map + 512, "data", 4);
  add(archive, '0', "sparse", map, 516);
  ADD_RECORDS(archive, "GNU.sparse.size=5000", "GNU.sparse.map=0,4,1000,4");
  ADD(archive, '0', "sparse", "datadata");
  unsigned char *old = ADD(archive, 'S', "old sparse", "datadata");
  strcpy((char *)old + 386, "00000000000");
  strcpy((char *)old + 398, "00000000004");
  strcpy((char *)old + 410, "00000001000");
  strcpy((char *)old + 422, "00000000004");
  strcpy((char *)old + 483, "00000010000");
  seal(old);
  archive->length += 1024;
}

static inline int memory_file(const void *bytes, size_t length) {
  int fd = memfd_create("test", MFD_CLOEXEC);
  if (fd >= 0 && (io_write_all(fd, bytes, length) < 0 || lseek(fd, 0, SEEK_SET) < 0)) abort();
  return fd;
}

static inline uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

/* A damaged copy: up to six bytes or pieces are not what they were. Sums are mended, or hardly one would pass the first check. */
static inline size_t damage(const struct archive *good, struct archive *bad, uint64_t *state) {
  *bad = *good;
  for (uint64_t count = 1 + next_random(state) % 6; count > 0; count--) {
    size_t at = next_random(state) % bad->length;
    uint64_t kind = next_random(state) % 4;
    if (kind == 0) bad->bytes[at] ^= (unsigned char)(1u << (next_random(state) % 8));
    else if (kind == 1) bad->bytes[at] = (unsigned char)next_random(state);
    else if (kind == 2) bad->bytes[at] = (unsigned char)("0123456789 \n=,\0\xff"[next_random(state) % 16]);
    else {
      size_t most = bad->length - at < 512 ? bad->length - at : 512;
      memmove(bad->bytes + at, bad->bytes + next_random(state) % (bad->length - 600), 1 + next_random(state) % most);
    }
  }
  for (size_t at = 0; at + 512 <= bad->length; at += 512) {
    if (memcmp(bad->bytes + at + 257, "ustar", 5) == 0) seal(bad->bytes + at);
  }
  return next_random(state) % 8 == 0 ? next_random(state) % bad->length : bad->length;
}

#endif
