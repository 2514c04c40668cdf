#include "tar.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "io.h"
#include "tar-pax.h"

#define BLOCK 512
/* Room for the longest meta header, its padding and a good deal of payload. */
#define CAPACITY (2 * 1024 * 1024)
/* Bytes a read: few enough that they are still in the processor's cache when they are written. */
#define READ_SIZE (128 * 1024)

struct tar_reader {
  int fd;
  struct recipe *recipe;
  char *buffer;
  size_t start, end;
  bool drained;
  int64_t offset;
  /* The entry at hand. */
  int64_t payload; /* bytes of payload not yet consumed */
  int64_t padding;
  struct tar_names names;
  struct tar_pax pax;
};

int tar_open(int fd, struct recipe *recipe, struct tar_reader **reader, struct failure *failure) {
  struct tar_reader *made = calloc(1, sizeof *made);
  if (made) made->buffer = malloc(CAPACITY);
  if (!made || !made->buffer) {
    free(made);
    return fail(failure, ENOMEM, "tar reader");
  }
  made->fd = fd;
  made->recipe = recipe;
  /* Fewer, longer reads; a socket or file has no pipe buffer. */
  (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
  *reader = made;
  return 0;
}

void tar_close(struct tar_reader *reader) {
  if (!reader) return;
  tar_pax_clear(&reader->pax);
  free(reader->names.path);
  free(reader->names.link);
  free(reader->buffer);
  free(reader);
}

int64_t tar_offset(const struct tar_reader *reader) { return reader->offset; }

/* Reads until `wanted` bytes lie in the buffer or the stream ends: the bytes there. */
static ssize_t fill(struct tar_reader *reader, size_t wanted, struct failure *failure) {
  if (reader->end - reader->start >= wanted) return (ssize_t)(reader->end - reader->start);
  if (reader->start > 0 && reader->start + wanted > CAPACITY) {
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
  }
  while (!reader->drained && reader->end - reader->start < wanted) {
    size_t room = CAPACITY - reader->end;
    ssize_t got = io_read(reader->fd, reader->buffer + reader->end, room < READ_SIZE ? room : READ_SIZE);
    if (got < 0) return fail(failure, errno, "read the archive");
    if (got == 0) reader->drained = true;
    reader->end += (size_t)got;
  }
  return (ssize_t)(reader->end - reader->start);
}

static void consume(struct tar_reader *reader, size_t length) {
  reader->start += length;
  reader->offset += (int64_t)length;
  if (reader->start == reader->end) reader->start = reader->end = 0;
}

static int truncated(struct failure *failure) { return fail(failure, 0, "unexpected EOF"); }

/* `length` bytes that go into the recipe; NULL at a premature end. They stay valid until the next fill. */
static char *take(struct tar_reader *reader, size_t length, struct failure *failure) {
  ssize_t there = fill(reader, length, failure);
  if (there < 0) return NULL;
  if ((size_t)there < length) {
    truncated(failure);
    return NULL;
  }
  char *data = reader->buffer + reader->start;
  if (recipe_raw(reader->recipe, data, length, failure) < 0) return NULL;
  consume(reader, length);
  return data;
}

/* Passes bytes into the recipe that nobody looks at. */
static int pass(struct tar_reader *reader, int64_t length, struct failure *failure) {
  while (length > 0) {
    size_t part = length > 65536 ? 65536 : (size_t)length;
    if (!take(reader, part, failure)) return -1;
    length -= (int64_t)part;
  }
  return 0;
}

static bool all_zero(const char *block) {
  for (int i = 0; i < BLOCK; i++) {
    if (block[i] != 0) return false;
  }
  return true;
}

static int check_sum(const char *block, struct failure *failure) {
  int64_t stored, plain = 0, with_sign = 0;
  if (tar_number(block + 148, 8, &stored) < 0) return fail(failure, 0, "invalid tar header");
  for (int i = 0; i < BLOCK; i++) {
    char byte = i >= 148 && i < 156 ? ' ' : block[i];
    plain += (unsigned char)byte;
    with_sign += (signed char)byte;
  }
  return stored == plain || stored == with_sign ? 0 : fail(failure, 0, "invalid tar header");
}

/* Reads everything up to the end of the stream, which some writers pad to a tape block and some let run on. */
static int drain(struct tar_reader *reader, struct failure *failure) {
  for (;;) {
    ssize_t there = fill(reader, 1, failure);
    if (there < 0) return -1;
    if (there == 0) return 0;
    if (!take(reader, (size_t)there, failure)) return -1;
  }
}

/* The next header block: 1 with *block, 0 at the end of the archive. */
static int next_block(struct tar_reader *reader, char **block, struct failure *failure) {
  ssize_t there = fill(reader, BLOCK, failure);
  if (there < 0) return -1;
  if (there == 0) return 0;
  char *data = take(reader, BLOCK, failure);
  if (!data) return -1;
  if (!all_zero(data)) {
    *block = data;
    return 1;
  }
  there = fill(reader, BLOCK, failure);
  if (there < 0) return -1;
  if (there == 0) return 0;
  data = take(reader, BLOCK, failure);
  if (!data) return -1;
  if (!all_zero(data)) return fail(failure, 0, "invalid tar header");
  return drain(reader, failure);
}

/* Bytes of a meta entry, without padding, as a fresh string with a NUL behind. */
static char *meta(struct tar_reader *reader, int64_t size, struct failure *failure) {
  if (size < 0 || size > TAR_META_LIMIT) {
    fail(failure, 0, "invalid tar header: a meta header of %" PRId64 " bytes", size);
    return NULL;
  }
  size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
  char *data = take(reader, padded, failure);
  if (!data) return NULL;
  char *copy = malloc((size_t)size + 1);
  if (!copy) {
    fail(failure, ENOMEM, "tar meta header");
    return NULL;
  }
  memcpy(copy, data, (size_t)size);
  copy[size] = '\0';
  return copy;
}

/* True for types whose size field means nothing because they have no payload. */
static bool header_only(char type) { return type >= '1' && type <= '6'; }

static int old_gnu_sparse(struct tar_reader *reader, const char *header, struct failure *failure) {
  struct tar_pax *pax = &reader->pax;
  char block[BLOCK];
  memcpy(block, header, BLOCK);
  if (tar_number(block + 483, 12, &pax->real_size) < 0) return fail(failure, 0, "invalid tar header: sparse size");
  pax->has_real_size = true;
  const char *map = block + 386;
  int count = 4;
  bool more = block[482] != 0;
  for (;;) {
    for (int i = 0; i < count; i++, map += 24) {
      int64_t offset, length;
      if (map[0] == 0) break;
      if (tar_number(map, 12, &offset) < 0 || tar_number(map + 12, 12, &length) < 0)
        return fail(failure, 0, "invalid tar header: sparse map");
      if (tar_pax_segment(pax, offset, length, failure) < 0) return -1;
    }
    if (!more) return 0;
    const char *extension = take(reader, BLOCK, failure);
    if (!extension) return -1;
    map = extension;
    count = 21;
    more = extension[504] != 0;
  }
}

/* GNU.sparse 1.0: the map stands in front of the payload, decimal numbers on lines of their own, padded to a block. */
static int sparse_map_in_payload(struct tar_reader *reader, struct failure *failure) {
  struct tar_pax *pax = &reader->pax;
  int64_t values[2] = {0, 0}, wanted = -1, seen = 0, number = 0;
  int digits = 0;
  for (;;) {
    if (reader->payload < BLOCK) return fail(failure, 0, "invalid tar header: sparse map");
    const char *block = take(reader, BLOCK, failure);
    if (!block) return -1;
    reader->payload -= BLOCK;
    for (int i = 0; i < BLOCK; i++) {
      if (block[i] >= '0' && block[i] <= '9' && digits < 18) {
        number = number * 10 + (block[i] - '0');
        digits++;
        continue;
      }
      if (block[i] != '\n' || digits == 0) return fail(failure, 0, "invalid tar header: sparse map");
      if (wanted < 0) {
        wanted = number;
        if (wanted > TAR_SEGMENT_LIMIT) return fail(failure, 0, "invalid tar header: sparse map");
        wanted *= 2;
      } else {
        values[seen % 2] = number;
        seen++;
        if (seen % 2 == 0 && tar_pax_segment(pax, values[0], values[1], failure) < 0) return -1;
      }
      number = 0;
      digits = 0;
      if (seen == wanted) return 0;
    }
  }
}

/* Ascending, apart, inside the file, and together exactly the payload. */
static int check_segments(const struct tar_entry *entry, int64_t payload, struct failure *failure) {
  int64_t position = 0, sum = 0;
  for (size_t i = 0; i < entry->segment_count; i++) {
    const struct tar_segment *segment = &entry->segments[i];
    if (segment->offset < position || segment->length < 0 || segment->length > INT64_MAX - segment->offset ||
        segment->offset + segment->length > entry->size)
      return fail(failure, 0, "invalid tar header: sparse map");
    position = segment->offset + segment->length;
    sum += segment->length;
  }
  return sum == payload ? 0 : fail(failure, 0, "invalid tar header: sparse map");
}

static char *field(char **buffer, const char *header, size_t offset, size_t length) {
  free(*buffer);
  *buffer = strndup(header + offset, length);
  return *buffer;
}

/* Name and link of the header block itself, where no meta header gave longer ones. */
static int plain_names(struct tar_reader *reader, const char *header, struct failure *failure) {
  struct tar_names *names = &reader->names;
  if (!names->long_path) {
    bool ustar = memcmp(header + 257, "ustar", 6) == 0;
    bool star = ustar && memcmp(header + 508, "tar", 4) == 0;
    size_t prefix = ustar ? strnlen(header + 345, star ? 131 : 155) : 0;
    size_t length = strnlen(header, 100);
    free(names->path);
    names->path = malloc(prefix + length + 2);
    if (!names->path) return fail(failure, ENOMEM, "tar name");
    char *end = names->path;
    if (prefix > 0) {
      memcpy(end, header + 345, prefix);
      end += prefix;
      *end++ = '/';
    }
    memcpy(end, header, length);
    end[length] = '\0';
  }
  if (!names->long_link && !field(&names->link, header, 157, 100)) return fail(failure, ENOMEM, "tar link");
  return 0;
}

static int numbers(const char *header, struct tar_entry *entry, struct failure *failure) {
  int64_t mode, uid, gid, mtime, atime, major = 0, minor = 0;
  if (tar_number(header + 100, 8, &mode) < 0 || tar_number(header + 108, 8, &uid) < 0 ||
      tar_number(header + 116, 8, &gid) < 0 || tar_number(header + 136, 12, &mtime) < 0)
    return fail(failure, 0, "invalid tar header");
  if (memcmp(header + 257, "ustar", 5) == 0 && (entry->type == '3' || entry->type == '4') &&
      (tar_number(header + 329, 8, &major) < 0 || tar_number(header + 337, 8, &minor) < 0))
    return fail(failure, 0, "invalid tar header");
  if (uid < 0 || uid > UINT32_MAX || gid < 0 || gid > UINT32_MAX || major < 0 || major > 0xfff || minor < 0 ||
      minor > 0xfffff)
    return fail(failure, 0, "invalid tar header: owner or device number out of range");
  entry->mode = (uint32_t)mode & 07777;
  entry->uid = (uint32_t)uid;
  entry->gid = (uint32_t)gid;
  entry->major = (uint32_t)major;
  entry->minor = (uint32_t)minor;
  entry->mtime = entry->atime = (struct timespec){.tv_sec = mtime};
  if (memcmp(header + 257, "ustar  ", 8) == 0 && header[345] != 0 && tar_number(header + 345, 12, &atime) == 0)
    entry->atime.tv_sec = atime;
  return 0;
}

/* What PAX records say in place of the header. */
static int overrides(struct tar_reader *reader, struct tar_entry *entry, int64_t *size) {
  struct tar_pax *pax = &reader->pax;
  if (pax->has_size) *size = pax->size;
  if (pax->has_uid) entry->uid = pax->uid;
  if (pax->has_gid) entry->gid = pax->gid;
  if (pax->has_mtime) entry->mtime = entry->atime = pax->mtime;
  if (pax->has_atime) entry->atime = pax->atime;
  entry->path = reader->names.path;
  entry->link = reader->names.link;
  if (pax->path && !reader->names.long_path) entry->path = pax->path;
  if (pax->sparse_name) entry->path = pax->sparse_name;
  if (pax->link && !reader->names.long_link) entry->link = pax->link;
  entry->xattrs = pax->xattrs;
  entry->xattr_count = pax->xattr_count;
  return 0;
}

static int complete(struct tar_reader *reader, char *header, struct tar_entry *entry, struct failure *failure) {
  struct tar_pax *pax = &reader->pax;
  char copy[BLOCK];
  memcpy(copy, header, BLOCK); /* the buffer moves with the next read */
  int64_t size;
  entry->type = copy[156];
  if (plain_names(reader, copy, failure) < 0) return -1;
  if (tar_number(copy + 124, 12, &size) < 0) return fail(failure, 0, "invalid tar header");
  if (entry->type == 'S' && old_gnu_sparse(reader, copy, failure) < 0) return -1;
  bool sparse = entry->type == 'S' || pax->sparse;
  bool old = entry->type == '\0';
  if (old || entry->type == '7' || entry->type == 'S') entry->type = '0';
  if (numbers(copy, entry, failure) < 0 || overrides(reader, entry, &size) < 0) return -1;
  if (size < 0) return fail(failure, 0, "invalid tar header: negative size");
  size_t length = strlen(entry->path);
  if (entry->type == '0' && !sparse && length > 0 && entry->path[length - 1] == '/') entry->type = '5';
  if (header_only(entry->type)) size = 0;
  if (size > INT64_MAX - BLOCK) return fail(failure, 0, "invalid tar header: size out of range");
  reader->payload = size;
  reader->padding = (BLOCK - size % BLOCK) % BLOCK;
  entry->size = size;
  if (sparse && entry->type == '0') {
    if (pax->sparse_major == 1 && sparse_map_in_payload(reader, failure) < 0) return -1;
    if (!pax->has_real_size || pax->real_size < 0) return fail(failure, 0, "invalid tar header: sparse size");
    entry->size = pax->real_size;
    entry->sparse = true;
    entry->segments = pax->segments;
    entry->segment_count = pax->segment_count;
    return check_segments(entry, reader->payload, failure);
  }
  return 0;
}

static int meta_entry(struct tar_reader *reader, char type, int64_t size, struct failure *failure) {
  char *data = meta(reader, size, failure);
  if (!data) return -1;
  struct tar_names *names = &reader->names;
  switch (type) {
    case 'x':
      /* Frees or keeps `data`. */
      return tar_pax_records(&reader->pax, data, (size_t)size, failure);
    case 'L':
      free(names->path);
      names->path = data;
      names->long_path = true;
      return 0;
    case 'K':
      free(names->link);
      names->link = data;
      names->long_link = true;
      return 0;
    default: /* 'g' holds for nobody in particular: Docker ignores it too */
      free(data);
      return 0;
  }
}

int tar_next(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure) {
  if (pass(reader, reader->payload, failure) < 0 || pass(reader, reader->padding, failure) < 0) return -1;
  reader->payload = reader->padding = 0;
  *entry = (struct tar_entry){0};
  tar_pax_clear(&reader->pax);
  reader->names.long_path = reader->names.long_link = false;
  for (bool pending = false;; pending = true) {
    char *header = NULL;
    int found = next_block(reader, &header, failure);
    if (found < 0) return -1;
    if (found == 0) return pending ? truncated(failure) : 0;
    if (check_sum(header, failure) < 0) return -1;
    char type = header[156];
    if (type != 'x' && type != 'g' && type != 'L' && type != 'K')
      return complete(reader, header, entry, failure) < 0 ? -1 : 1;
    int64_t size;
    if (tar_number(header + 124, 12, &size) < 0) return fail(failure, 0, "invalid tar header");
    if (meta_entry(reader, type, size, failure) < 0) return -1;
    if (type == 'g') pending = false;
  }
}

ssize_t tar_payload(struct tar_reader *reader, const char **data, struct failure *failure) {
  if (reader->payload == 0) return 0;
  ssize_t there = fill(reader, 1, failure);
  if (there < 0) return -1;
  if (there == 0) return truncated(failure);
  if (there > reader->payload) there = (ssize_t)reader->payload;
  *data = reader->buffer + reader->start;
  /* The bytes stay where they are: consume() only resets an empty buffer, and nothing is read before the next call. */
  consume(reader, (size_t)there);
  reader->payload -= there;
  return there;
}
