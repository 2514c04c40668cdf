/* The tar reader and the recipe: numbers, records, and what thousands of damaged archives do to them (nothing). */
#include "check.h"
#include "damage.h"
#include "io.h"
#include "pack.h"
#include "tar-pax.h"
#include "tar.h"

static void numbers_of_headers(struct check *check) {
  int64_t value;
  CHECK(tar_number("0000644\0", 8, &value) == 0 && value == 0644);
  CHECK(tar_number("  644 \0 ", 8, &value) == 0 && value == 0644);
  CHECK(tar_number("\0\0\0\0\0\0\0\0", 8, &value) == 0 && value == 0);
  CHECK(tar_number("77777777777 ", 12, &value) == 0 && value == 077777777777);
  CHECK(tar_number("00008", 5, &value) < 0);
  CHECK(tar_number("12 34", 5, &value) < 0);
  CHECK(tar_number("\x80\0\0\0\0\0\1\0", 8, &value) == 0 && value == 256);
  CHECK(tar_number("\xff\xff\xff\xff\xff\xff\xff\xff", 8, &value) == 0 && value == -1);
  CHECK(tar_number("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, &value) == 0 && value == INT64_MAX);
  CHECK(tar_number("\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, &value) == 0 && value == INT64_MIN);
  CHECK(tar_number("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, &value) < 0);
  CHECK(tar_number("\x80\0\0\1\0\0\0\0\0\0\0\0", 12, &value) < 0);
  CHECK(tar_number("\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, &value) < 0);
}

static int records(struct tar_pax *pax, const char *text, size_t length) {
  struct failure failure = {0};
  char *copy = malloc(length + 1);
  memcpy(copy, text, length);
  copy[length] = '\0';
  return tar_pax_records(pax, copy, length, &failure);
}

#define RECORDS(pax, text) records(pax, text, sizeof(text) - 1)

static void records_of_pax(struct check *check) {
  struct tar_pax pax = {0};
  CHECK(RECORDS(&pax, "10 path=a\n\n16 mtime=-1.25\n") < 0); /* "a\n" is not ended by its own newline */
  CHECK(RECORDS(&pax, "10 path=ab\n") < 0);
  CHECK(RECORDS(&pax, "11 path=ab\n15 mtime=-1.25\n") == 0);
  CHECK(strcmp(pax.path, "ab") == 0 && pax.mtime.tv_sec == -2 && pax.mtime.tv_nsec == 750000000);
  CHECK(RECORDS(&pax, "30 mtime=1.1234567891234567890\n") < 0);
  CHECK(RECORDS(&pax, "31 mtime=1.1234567891234567890\n") == 0 && pax.mtime.tv_nsec == 123456789);
  CHECK(RECORDS(&pax, "18 mtime=-0.000001\n") < 0);
  CHECK(RECORDS(&pax, "19 mtime=-0.000001\n") == 0 && pax.mtime.tv_sec == -1 && pax.mtime.tv_nsec == 999999000);
  CHECK(RECORDS(&pax, "28 SCHILY.xattr.user.a=x=\n\0\n") == 0);
  CHECK(pax.xattr_count == 1 && strcmp(pax.xattrs[0].name, "user.a") == 0);
  CHECK(pax.xattr_count == 1 && pax.xattrs[0].length == 4 && memcmp(pax.xattrs[0].value, "x=\n\0", 4) == 0);
  CHECK(RECORDS(&pax, "8 path=\n") == 0 && pax.path == NULL);
  CHECK(RECORDS(&pax, "8 size=\n11 uid=0x1\n") < 0);
  CHECK(RECORDS(&pax, "13 uid=70000\n") == 0 && pax.has_uid && pax.uid == 70000);
  CHECK(RECORDS(&pax, "18 uid=4294967296\n") < 0);
  CHECK(RECORDS(&pax, "7 a=b\n") < 0);
  CHECK(RECORDS(&pax, "") == 0);
  tar_pax_clear(&pax);
}

/* Reads to the end or the first error; looks at every byte that it is given. */
static int read_all(const unsigned char *bytes, size_t length, uint64_t *seen, struct failure *failure) {
  _cleanup_fd_ int fd = memory_file(bytes, length);
  _cleanup_fd_ int sink = memory_file("", 0);
  struct recipe recipe;
  struct tar_reader *reader = NULL;
  if (recipe_begin(&recipe, sink, failure) < 0 || tar_open(fd, &recipe, &reader, failure) < 0) return -1;
  struct tar_entry entry;
  int entries = 0, found;
  while ((found = tar_next(reader, &entry, failure)) > 0) {
    const char *data;
    ssize_t part;
    entries++;
    *seen += strlen(entry.path) + strlen(entry.link) + entry.xattr_count;
    for (size_t i = 0; i < entry.segment_count; i++) *seen += (uint64_t)entry.segments[i].offset;
    while (entries % 2 && (part = tar_payload(reader, &data, failure)) > 0) {
      for (ssize_t i = 0; i < part; i++) *seen += (unsigned char)data[i];
    }
  }
  tar_close(reader);
  if (found == 0 && recipe_end(&recipe, failure) < 0) found = -1;
  recipe_free(&recipe);
  return found < 0 ? -1 : entries;
}

static void reads_every_kind(struct check *check) {
  static struct archive archive;
  struct failure failure = {0};
  uint64_t seen = 0;
  fill(&archive);
  int entries = read_all(archive.bytes, archive.length, &seen, &failure);
  CHECK(entries == 10);
  if (entries < 0) printf("# %s\n", failure.message);
}

/* Damaged archives end in an entry or a reason, under AddressSanitizer. */
static void survives_damage(struct check *check) {
  static struct archive good, bad;
  uint64_t state = 0x9e3779b97f4a7c15u, seen = 0;
  int refused = 0, accepted = 0;
  fill(&good);
  for (int round = 0; round < 4000; round++) {
    size_t length = damage(&good, &bad, &state);
    struct failure failure = {0};
    if (read_all(bad.bytes, length, &seen, &failure) < 0) {
      refused++;
      CHECK(failure.message[0] != '\0');
    } else {
      accepted++;
    }
  }
  CHECK(refused > 500 && accepted > 500 && seen > 0);
}

static void recipes_end_as_they_began(struct check *check) {
  struct failure failure = {0};
  struct recipe recipe;
  _cleanup_fd_ int sink = memory_file("", 0);
  static char big[300 * 1024];
  struct tar_segment whole = {0, 5};
  CHECK(recipe_begin(&recipe, sink, &failure) == 0);
  CHECK(recipe_raw(&recipe, big, sizeof big, &failure) == 0);
  CHECK(recipe_file(&recipe, "a/b", &whole, 1, &failure) == 0);
  CHECK(recipe_raw(&recipe, "tail", 4, &failure) == 0);
  CHECK(recipe_end(&recipe, &failure) == 0);
  CHECK(recipe.total == sizeof big + 9);
  /* 8 magic, five runs with 5 each, F with name and one segment, a run of 4, the end. */
  CHECK(lseek(sink, 0, SEEK_END) == (off_t)(8 + 5 * 5 + sizeof big + 9 + 3 + 4 + 16 + 5 + 4 + 9));
  recipe_free(&recipe);
}

int main(void) {
  struct check check = {0};
  RUN(&check, numbers_of_headers);
  RUN(&check, records_of_pax);
  RUN(&check, reads_every_kind);
  RUN(&check, survives_damage);
  RUN(&check, recipes_end_as_they_began);
  return check.failed_tests != 0;
}
