#include "tar-pax.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int base256(const unsigned char *field, size_t length, int64_t *value) {
  bool negative = (field[0] & 0x40) != 0;
  uint64_t result = negative ? ~(uint64_t)0x3f | (field[0] & 0x3f) : field[0] & 0x3f;
  for (size_t i = 1; i < length; i++) {
    /* Nothing but the sign may be shifted out. */
    uint64_t top = result >> 55;
    if (top != 0 && top != 0x1ff) return -1;
    result = result << 8 | field[i];
  }
  *value = (int64_t)result;
  return (*value < 0) == negative ? 0 : -1;
}

int tar_number(const char *text, size_t length, int64_t *value) {
  const unsigned char *field = (const unsigned char *)text;
  if (field[0] & 0x80) return base256(field, length, value);
  size_t i = 0;
  while (i < length && (field[i] == ' ' || field[i] == '\0')) i++;
  uint64_t result = 0;
  for (; i < length && field[i] >= '0' && field[i] <= '7'; i++) result = result << 3 | (field[i] - '0');
  for (; i < length; i++) {
    if (field[i] != ' ' && field[i] != '\0') return -1;
  }
  *value = (int64_t)result; /* at most 36 bits */
  return 0;
}

/* A decimal number that fills the whole string. */
static int decimal(const char *text, int64_t *value) {
  bool negative = *text == '-';
  if (negative) text++;
  if (*text < '0' || *text > '9') return -1;
  uint64_t result = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    if (result > (INT64_MAX - 9) / 10) return -1;
    result = result * 10 + (uint64_t)(*text - '0');
  }
  *value = negative ? -(int64_t)result : (int64_t)result;
  return *text == '\0' ? 0 : -1;
}

/* Seconds with a fraction; digits beyond nanoseconds are cut. */
static int pax_time(char *text, struct timespec *time) {
  char *dot = strchr(text, '.');
  if (dot) *dot = '\0';
  bool negative = *text == '-';
  int64_t seconds;
  int failed = decimal(text, &seconds);
  long nanoseconds = 0;
  if (dot) {
    *dot = '.';
    long unit = 100000000;
    for (const char *digit = dot + 1; *digit; digit++, unit /= 10) {
      if (*digit < '0' || *digit > '9') return -1;
      nanoseconds += unit * (*digit - '0');
    }
  }
  if (negative && nanoseconds > 0) {
    seconds--;
    nanoseconds = 1000000000 - nanoseconds;
  }
  *time = (struct timespec){.tv_sec = seconds, .tv_nsec = nanoseconds};
  return failed;
}

static int owner(const char *text, bool *has, uint32_t *id) {
  int64_t value;
  if (decimal(text, &value) < 0 || value < 0 || value > UINT32_MAX) return -1;
  *has = true;
  *id = (uint32_t)value;
  return 0;
}

int tar_pax_segment(struct tar_pax *pax, int64_t offset, int64_t length, struct failure *failure) {
  if (pax->segment_count == pax->segment_capacity) {
    size_t capacity = pax->segment_capacity ? 2 * pax->segment_capacity : 16;
    if (capacity > TAR_SEGMENT_LIMIT) return fail(failure, 0, "invalid tar header: sparse map");
    struct tar_segment *grown = realloc(pax->segments, capacity * sizeof *grown);
    if (!grown) return fail(failure, ENOMEM, "sparse map");
    pax->segments = grown;
    pax->segment_capacity = capacity;
  }
  pax->segments[pax->segment_count++] = (struct tar_segment){offset, length};
  return 0;
}

/* GNU.sparse.map: offset,length,offset,length… */
static int sparse_list(struct tar_pax *pax, char *text, struct failure *failure) {
  pax->segment_count = 0;
  while (*text) {
    int64_t pair[2];
    for (int i = 0; i < 2; i++) {
      char *comma = strchr(text, ',');
      if (comma) *comma = '\0';
      if (decimal(text, &pair[i]) < 0) return -1;
      text = comma ? comma + 1 : text + strlen(text);
      if (i == 0 && !comma) return -1;
    }
    if (tar_pax_segment(pax, pair[0], pair[1], failure) < 0) return -1;
  }
  return 0;
}

static int sparse_record(struct tar_pax *pax, const char *key, char *value, struct failure *failure) {
  int64_t number = 0;
  bool is_number = decimal(value, &number) == 0;
  pax->sparse = true;
  if (strcmp(key, "name") == 0) {
    pax->sparse_name = value;
    return 0;
  }
  if (strcmp(key, "map") == 0) return sparse_list(pax, value, failure);
  if (!is_number) return -1;
  if (strcmp(key, "major") == 0) {
    pax->sparse_major = number == 0 || number == 1 ? (int)number : -1;
    return pax->sparse_major;
  }
  if (strcmp(key, "minor") == 0) return number == 0 || number == 1 ? 0 : -1;
  if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) {
    pax->real_size = number;
    pax->has_real_size = true;
  } else if (strcmp(key, "offset") == 0) {
    pax->half_segment = true;
    pax->half_offset = number;
  } else if (strcmp(key, "numbytes") == 0) {
    if (!pax->half_segment) return -1;
    pax->half_segment = false;
    return tar_pax_segment(pax, pax->half_offset, number, failure);
  }
  return 0;
}

static int add_xattr(struct tar_pax *pax, const char *name, const char *value, size_t length, struct failure *failure) {
  if (*name == '\0') return 0;
  struct tar_xattr *grown = realloc(pax->xattrs, (pax->xattr_count + 1) * sizeof *grown);
  if (!grown) return fail(failure, ENOMEM, "extended attributes");
  pax->xattrs = grown;
  grown[pax->xattr_count++] = (struct tar_xattr){name, value, length};
  return 0;
}

/* One record; `value` has a NUL behind its `length` bytes. */
static int record(struct tar_pax *pax, const char *key, char *value, size_t length, struct failure *failure) {
  static const char xattr[] = "SCHILY.xattr.", sparse[] = "GNU.sparse.";
  if (strncmp(key, xattr, sizeof xattr - 1) == 0)
    return add_xattr(pax, key + sizeof xattr - 1, value, length, failure);
  bool text = strlen(value) == length;
  if (strncmp(key, sparse, sizeof sparse - 1) == 0)
    return text ? sparse_record(pax, key + sizeof sparse - 1, value, failure) : -1;
  bool path = strcmp(key, "path") == 0, link = strcmp(key, "linkpath") == 0;
  if (path || link) {
    if (!text) return -1;
    *(path ? &pax->path : &pax->link) = length > 0 ? value : NULL;
    return 0;
  }
  bool size = strcmp(key, "size") == 0, mtime = strcmp(key, "mtime") == 0, atime = strcmp(key, "atime") == 0;
  bool uid = strcmp(key, "uid") == 0, gid = strcmp(key, "gid") == 0;
  if (!size && !mtime && !atime && !uid && !gid) return 0;
  if (length == 0) return 0; /* an empty value takes an earlier one back: the header's stands */
  if (!text) return -1;
  if (size) {
    pax->has_size = true;
    return decimal(value, &pax->size);
  }
  if (mtime) pax->has_mtime = true;
  if (mtime) return pax_time(value, &pax->mtime);
  if (atime) pax->has_atime = true;
  if (atime) return pax_time(value, &pax->atime);
  return uid ? owner(value, &pax->has_uid, &pax->uid) : owner(value, &pax->has_gid, &pax->gid);
}

static int parse(struct tar_pax *pax, char *data, size_t length, struct failure *failure) {
  char *end = data + length;
  while (data < end) {
    char *digit = data;
    size_t size = 0;
    for (; digit < end && *digit >= '0' && *digit <= '9' && size <= length; digit++)
      size = size * 10 + (size_t)(*digit - '0');
    if (digit == data || digit == end || *digit != ' ' || size > (size_t)(end - data)) return -1;
    char *last = data + size - 1;
    if (last <= digit || *last != '\n') return -1;
    char *key = digit + 1;
    char *equals = memchr(key, '=', (size_t)(last - key));
    if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key))) return -1;
    *equals = '\0';
    *last = '\0';
    if (record(pax, key, equals + 1, (size_t)(last - equals - 1), failure) < 0) return -1;
    data = last + 1;
  }
  return 0;
}

int tar_pax_records(struct tar_pax *pax, char *data, size_t length, struct failure *failure) {
  tar_pax_clear(pax);
  pax->storage = data;
  failure->message[0] = '\0';
  if (parse(pax, data, length, failure) == 0) return 0;
  return failure->message[0] ? -1 : fail(failure, 0, "invalid tar header: PAX records");
}

void tar_pax_clear(struct tar_pax *pax) {
  free(pax->storage);
  free(pax->xattrs);
  free(pax->segments);
  *pax = (struct tar_pax){0};
}
