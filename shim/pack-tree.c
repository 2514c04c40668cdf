/* A directory as PAX tar (POSIX.1-2024 pax; holes as GNU.sparse 1.0). */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "inode-set.h"
#include "io.h"
#include "pack.h"
#include "prefetch.h"
#include "recipe.h"
#include "sha256.h"
#include "tar.h"

#define BLOCK 512

/* Text that grows: PAX records, sparse maps. */
struct text {
  char *data;
  size_t used, capacity;
};

struct packer {
  const struct pack_options *options;
  struct output output;
  struct recipe recipe;
  struct sha256 hash; /* of the tar, where there is a recipe */
  int64_t size; /* bytes of regular files, each counted once */
  struct text records;
  struct text map;
  struct inode_set linked; /* files with several names that were written already */
  bool from_slash;                  /* names begin with one */
  int top;                          /* the tree's directory */
  bool prefetches;
  struct prefetch prefetch;
};

/* A tree that is longer than this is read ahead. */
#define SMALL_TREE (1u << 20)

static int add(struct text *text, const void *data, size_t length, struct failure *failure) {
  if (text->used + length > text->capacity) {
    size_t capacity = 2 * (text->used + length) + 1024;
    char *grown = realloc(text->data, capacity);
    if (!grown) return fail(failure, ENOMEM, "pack");
    text->data = grown;
    text->capacity = capacity;
  }
  memcpy(text->data + text->used, data, length);
  text->used += length;
  return 0;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too. */
static int add_record(struct packer *packer, const char *key, const void *value, size_t length,
                      struct failure *failure) {
  size_t rest = strlen(key) + length + 3, total = rest + 1;
  for (;;) {
    size_t digits = 1;
    for (size_t n = total; n >= 10; n /= 10) digits++;
    if (rest + digits == total) break;
    total = rest + digits;
  }
  char head[32];
  int used = snprintf(head, sizeof head, "%zu ", total);
  struct text *records = &packer->records;
  if (add(records, head, (size_t)used, failure) < 0 || add(records, key, strlen(key), failure) < 0 ||
      add(records, "=", 1, failure) < 0 || add(records, value, length, failure) < 0)
    return -1;
  return add(records, "\n", 1, failure);
}

static int add_number(struct packer *packer, const char *key, int64_t value, struct failure *failure) {
  char text[32];
  int length = snprintf(text, sizeof text, "%" PRId64, value);
  return add_record(packer, key, text, (size_t)length, failure);
}

static int add_time(struct packer *packer, const struct timespec *time, struct failure *failure) {
  char text[48];
  int64_t seconds = time->tv_sec;
  long nanoseconds = time->tv_nsec;
  const char *sign = "";
  if (seconds < 0 && nanoseconds > 0) {
    seconds++;
    nanoseconds = 1000000000 - nanoseconds;
    if (seconds == 0) sign = "-";
  }
  int length = snprintf(text, sizeof text, "%s%" PRId64, sign, seconds);
  if (nanoseconds > 0) {
    length += snprintf(text + length, sizeof text - (size_t)length, ".%09ld", nanoseconds);
    while (text[length - 1] == '0') length--;
  }
  return add_record(packer, "mtime", text, (size_t)length, failure);
}

/* Octal digits and a NUL; what does not fit stands in a PAX record, and 0 here. */
static void octal(char *field, size_t length, uint64_t value) {
  if (value >> (3 * (length - 1)) != 0) value = 0;
  field[--length] = '\0';
  while (length > 0) {
    field[--length] = (char)('0' + (value & 7));
    value >>= 3;
  }
}

struct header {
  char type;
  const char *path, *link;
  uint32_t mode;
  uid_t uid;
  gid_t gid;
  int64_t size;
  int64_t mtime;
  unsigned major, minor;
};

static int write_block(struct packer *packer, const struct header *header, struct failure *failure) {
  char block[BLOCK] = {0};
  memcpy(block, header->path, strnlen(header->path, 100));
  octal(block + 100, 8, header->mode);
  octal(block + 108, 8, header->uid);
  octal(block + 116, 8, header->gid);
  octal(block + 124, 12, (uint64_t)header->size);
  octal(block + 136, 12, header->mtime < 0 ? 0 : (uint64_t)header->mtime);
  memset(block + 148, ' ', 8);
  block[156] = header->type;
  if (header->link) memcpy(block + 157, header->link, strnlen(header->link, 100));
  memcpy(block + 257, "ustar\00000", 8);
  octal(block + 329, 8, header->major);
  octal(block + 337, 8, header->minor);
  unsigned sum = 0;
  for (int i = 0; i < BLOCK; i++) sum += (unsigned char)block[i];
  octal(block + 148, 7, sum);
  return output_bytes(&packer->output, block, BLOCK, failure);
}

static int pad(struct packer *packer, uint64_t size, struct failure *failure) {
  static const char zero[BLOCK] = {0};
  return output_bytes(&packer->output, zero, (BLOCK - size % BLOCK) % BLOCK, failure);
}

/* The records collected so far as an extended header, and the header itself. */
static int write_header(struct packer *packer, const struct header *header, struct failure *failure) {
  if (strlen(header->path) > 100 && add_record(packer, "path", header->path, strlen(header->path), failure) < 0)
    return -1;
  if (header->link && strlen(header->link) > 100 &&
      add_record(packer, "linkpath", header->link, strlen(header->link), failure) < 0)
    return -1;
  if (header->size >> 33 != 0 && add_number(packer, "size", header->size, failure) < 0) return -1;
  if (header->uid >> 21 != 0 && add_number(packer, "uid", header->uid, failure) < 0) return -1;
  if (header->gid >> 21 != 0 && add_number(packer, "gid", header->gid, failure) < 0) return -1;
  struct text *records = &packer->records;
  if (records->used > 0) {
    if (records->used > TAR_META_LIMIT) return fail(failure, E2BIG, "%s: extended attributes", header->path);
    struct header extended = {.type = 'x', .path = "PaxHeaders/entry", .mode = 0644, .size = (int64_t)records->used};
    if (write_block(packer, &extended, failure) < 0 ||
        output_bytes(&packer->output, records->data, records->used, failure) < 0 ||
        pad(packer, records->used, failure) < 0)
      return -1;
    records->used = 0;
  }
  return write_block(packer, header, failure);
}

/* An object opened with O_PATH has attributes only by its name in /proc; where none is mounted it goes without. */
static ssize_t list_xattrs(int fd, const char *link, char *names, size_t size) {
  ssize_t length = flistxattr(fd, names, size);
  if (length >= 0 || errno != EBADF) return length;
  length = listxattr(link, names, size);
  return length < 0 && errno == ENOENT ? 0 : length;
}

static ssize_t get_xattr(int fd, const char *link, const char *item, char *value) {
  ssize_t length = fgetxattr(fd, item, value, XATTR_SIZE_MAX);
  return length >= 0 || errno != EBADF ? length : getxattr(link, item, value, XATTR_SIZE_MAX);
}

/* Every attribute of an object opened with O_PATH or read-only. */
static int add_xattrs(struct packer *packer, int fd, const char *path, bool *opaque, struct failure *failure) {
  char link[64], name[XATTR_NAME_MAX + 32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = list_xattrs(fd, link, NULL, 0);
  if (size == 0 || (size < 0 && errno == ENOTSUP)) return 0;
  if (size < 0) return fail(failure, errno, "list attributes of %s", path);
  _cleanup_free_ char *names = malloc((size_t)size);
  _cleanup_free_ char *value = malloc(XATTR_SIZE_MAX);
  if (!names || !value) return fail(failure, ENOMEM, "pack");
  size = list_xattrs(fd, link, names, (size_t)size);
  if (size < 0) return fail(failure, errno, "list attributes of %s", path);
  for (char *item = names; item < names + size; item += strlen(item) + 1) {
    ssize_t length = get_xattr(fd, link, item, value);
    if (length < 0 && errno == ENODATA) continue;
    if (length < 0) return fail(failure, errno, "read attribute %s of %s", item, path);
    if (strncmp(item, "trusted.overlay.", 16) == 0 && !packer->options->plain) {
      if (strcmp(item + 16, "opaque") == 0 && length == 1 && value[0] == 'y') *opaque = true;
      continue;
    }
    snprintf(name, sizeof name, "SCHILY.xattr.%s", item);
    if (add_record(packer, name, value, (size_t)length, failure) < 0) return -1;
  }
  return 0;
}

/* ---- hard links ---- */

/* The path under which this file was written before, or NULL and the path is remembered. */
static int link_target(struct packer *packer, const struct stat *status, const char *path, const char **target,
                       struct failure *failure) {
  bool met;
  struct inode_entry *entry = inode_set_find(&packer->linked, status->st_dev, status->st_ino, &met);
  if (entry && !met) entry->path = strdup(path);
  if (!entry || !entry->path) return fail(failure, ENOMEM, "pack");
  *target = met ? entry->path : NULL;
  return 0;
}

/* ---- contents ---- */

/* The pieces with data as GNU.sparse 1.0 wants them: count, then offset and length, each on a line, padded to a block. */
static int sparse_map(struct packer *packer, int fd, int64_t size, int64_t *data, struct failure *failure) {
  char line[64];
  struct text *map = &packer->map;
  uint64_t count = 0;
  map->used = 0;
  *data = 0;
  for (int64_t position = 0; position < size;) {
    int64_t begin = lseek(fd, position, SEEK_DATA);
    if (begin < 0 && errno != ENXIO) return fail(failure, errno, "seek");
    if (begin < 0) break;
    int64_t end = lseek(fd, begin, SEEK_HOLE);
    if (end < 0) return fail(failure, errno, "seek");
    if (end > size) end = size;
    int length = snprintf(line, sizeof line, "%" PRId64 "\n%" PRId64 "\n", begin, end - begin);
    if (add(map, line, (size_t)length, failure) < 0) return -1;
    *data += end - begin;
    count++;
    position = end;
  }
  /* An end that is a hole stands as an empty piece. */
  int length = snprintf(line, sizeof line, "%" PRId64 "\n0\n", size);
  if (add(map, line, (size_t)length, failure) < 0) return -1;
  length = snprintf(line, sizeof line, "%" PRIu64 "\n", count + 1);
  if (add(map, line, (size_t)length, failure) < 0) return -1;
  /* The count was not known before: turn it to the front. */
  char *front = map->data;
  memmove(front + length, front, map->used - (size_t)length);
  memcpy(front, line, (size_t)length);
  static const char zero[BLOCK] = {0};
  return add(map, zero, (BLOCK - map->used % BLOCK) % BLOCK, failure);
}

/* Contents of a file, and in the recipe where they are. */
static int write_contents(struct packer *packer, int fd, const char *path, const struct tar_segment *segments, size_t count,
                          struct failure *failure) {
  for (size_t i = 0; i < count; i++) {
    if (output_file(&packer->output, fd, segments[i].offset, segments[i].length, path, failure) < 0) return -1;
  }
  return packer->output.recipe ? recipe_file(packer->output.recipe, path, segments, count, failure) : 0;
}

static int write_map_contents(struct packer *packer, int fd, const char *path, struct failure *failure) {
  char *line = strchr(packer->map.data, '\n') + 1;
  size_t count = strtoull(packer->map.data, NULL, 10);
  _cleanup_free_ struct tar_segment *segments = calloc(count, sizeof *segments);
  if (!segments) return fail(failure, ENOMEM, "pack");
  for (size_t i = 0; i < count; i++) {
    segments[i].offset = strtoull(line, &line, 10);
    segments[i].length = strtoull(line + 1, &line, 10);
    line++;
  }
  return write_contents(packer, fd, path, segments, count, failure);
}

static int write_regular(struct packer *packer, int fd, const struct stat *status, struct header *header,
                         struct failure *failure) {
  const char *target = NULL;
  if (status->st_nlink > 1 && link_target(packer, status, header->path, &target, failure) < 0) return -1;
  if (target) {
    packer->records.used = 0;
    header->type = '1';
    header->link = target;
    return write_header(packer, header, failure);
  }
  header->size = status->st_size;
  packer->size += status->st_size;
  if (status->st_size > 0 && (int64_t)status->st_blocks * 512 < status->st_size) {
    int64_t data;
    if (sparse_map(packer, fd, status->st_size, &data, failure) < 0) return -1;
    if (add_record(packer, "GNU.sparse.major", "1", 1, failure) < 0 ||
        add_record(packer, "GNU.sparse.minor", "0", 1, failure) < 0 ||
        add_record(packer, "GNU.sparse.name", header->path, strlen(header->path), failure) < 0 ||
        add_number(packer, "GNU.sparse.realsize", status->st_size, failure) < 0)
      return -1;
    header->size = data + (int64_t)packer->map.used;
    if (write_header(packer, header, failure) < 0 ||
        output_bytes(&packer->output, packer->map.data, packer->map.used, failure) < 0 ||
        write_map_contents(packer, fd, header->path, failure) < 0)
      return -1;
  } else {
    struct tar_segment whole = {.offset = 0, .length = (uint64_t)status->st_size};
    if (write_header(packer, header, failure) < 0 ||
        (whole.length > 0 && write_contents(packer, fd, header->path, &whole, 1, failure) < 0))
      return -1;
  }
  return pad(packer, (uint64_t)header->size, failure);
}

/* ---- the walk ---- */

static int pack_directory(struct packer *packer, int directory, char *path, size_t used, struct failure *failure);

static int write_whiteout(struct packer *packer, char *path, size_t used, size_t name, struct failure *failure) {
  if (used + 5 > PATH_MAX) return fail(failure, ENAMETOOLONG, "%s", path);
  memmove(path + name + 4, path + name, used - name + 1);
  memcpy(path + name, ".wh.", 4);
  struct header header = {.type = '0', .path = path};
  int result = write_header(packer, &header, failure);
  memmove(path + name, path + name + 4, used - name + 1);
  return result;
}

static int write_directory(struct packer *packer, int fd, char *path, size_t used, struct header *header, bool opaque,
                           struct failure *failure) {
  if (used + 14 > PATH_MAX) return fail(failure, ENAMETOOLONG, "%s", path);
  header->type = '5';
  memcpy(path + used, "/", 2);
  if (write_header(packer, header, failure) < 0) return -1;
  if (opaque) {
    memcpy(path + used + 1, ".wh..wh..opq", 13);
    struct header mark = {.type = '0', .path = path};
    if (write_header(packer, &mark, failure) < 0) return -1;
  }
  path[used] = '\0';
  return pack_directory(packer, fd, path, used, failure);
}

/* Nothing is newer than the time that was asked for. */
static int clamp(struct packer *packer, int directory, const char *name, struct stat *status, struct failure *failure) {
  if (status->st_mtim.tv_sec < packer->options->latest) return 0;
  status->st_mtim = (struct timespec){.tv_sec = (time_t)packer->options->latest};
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, status->st_mtim};
  return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? fail(failure, errno, "set the time of %s", name) : 0;
}

/* One object: `path` ends with its name, which begins at `name`. */
static int pack_object(struct packer *packer, int directory, char *path, size_t used, size_t name,
                       struct failure *failure) {
  for (size_t i = 0; i < packer->options->excluded_count; i++) {
    if (strcmp(packer->options->excluded[i], path) == 0) return 0;
  }
  if (packer->prefetches) prefetch_reached(&packer->prefetch, packer->output.total);
  else if (packer->top >= 0 && packer->output.total > SMALL_TREE) {
    packer->prefetches = true;
    prefetch_begin(&packer->prefetch, packer->top);
  }
  struct stat status;
  if (fstatat(directory, path + name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : fail(failure, errno, "stat %s", path);
  if (S_ISSOCK(status.st_mode)) return 0; /* no tar holds one */
  if (S_ISCHR(status.st_mode) && status.st_rdev == 0 && !packer->options->plain)
    return write_whiteout(packer, path, used, name, failure);
  int flags = S_ISREG(status.st_mode) ? O_RDONLY : S_ISDIR(status.st_mode) ? O_RDONLY | O_DIRECTORY : O_PATH;
  _cleanup_fd_ int fd = RETRY(openat(directory, path + name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd < 0 && errno == ENOENT && packer->options->live) return 0;
  if (fd < 0) return fail(failure, errno, "open %s", path);
  if (packer->options->clamps && clamp(packer, directory, path + name, &status, failure) < 0) return -1;
  struct header header = {.path = path, .mode = status.st_mode & 07777, .uid = status.st_uid, .gid = status.st_gid};
  header.mtime = status.st_mtim.tv_sec;
  packer->records.used = 0;
  if ((status.st_mtim.tv_nsec != 0 || header.mtime < 0 || header.mtime >> 33 != 0) &&
      add_time(packer, &status.st_mtim, failure) < 0)
    return -1;
  bool opaque = false;
  if (add_xattrs(packer, fd, path, &opaque, failure) < 0) return -1;
  char target[PATH_MAX];
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      return write_regular(packer, fd, &status, &header, failure);
    case S_IFDIR:
      return write_directory(packer, fd, path, used, &header, opaque, failure);
    case S_IFLNK: {
      ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
      if (length < 0) return fail(failure, errno, "read link %s", path);
      target[length] = '\0';
      header.type = '2';
      header.link = target;
      return write_header(packer, &header, failure);
    }
    default:
      header.type = S_ISCHR(status.st_mode) ? '3' : S_ISBLK(status.st_mode) ? '4' : '6';
      header.major = major(status.st_rdev);
      header.minor = minor(status.st_rdev);
      return write_header(packer, &header, failure);
  }
}

static int compare(const void *left, const void *right) {
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

struct names {
  char **items;
  size_t count, capacity;
};

static int read_names(int directory, struct names *names, const char *path, struct failure *failure) {
  int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
  DIR *stream = copy < 0 ? NULL : fdopendir(copy);
  if (!stream) {
    cleanup_fd(&copy);
    return fail(failure, errno, "read %s", path);
  }
  int result = 0;
  for (struct dirent *item; result == 0 && (item = readdir(stream));) {
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    if (names->count == names->capacity) {
      size_t capacity = names->capacity ? 2 * names->capacity : 32;
      char **grown = realloc(names->items, capacity * sizeof *grown);
      if (!grown) {
        result = fail(failure, ENOMEM, "pack");
        break;
      }
      names->items = grown;
      names->capacity = capacity;
    }
    char *name = strdup(item->d_name);
    if (name) names->items[names->count++] = name;
    else result = fail(failure, ENOMEM, "pack");
  }
  closedir(stream);
  if (names->count > 0) qsort(names->items, names->count, sizeof *names->items, compare);
  return result;
}

static int pack_directory(struct packer *packer, int directory, char *path, size_t used, struct failure *failure) {
  struct names names = {0};
  int result = read_names(directory, &names, path, failure);
  for (size_t i = 0; i < names.count; i++) {
    size_t length = strlen(names.items[i]), name = used > 0 || packer->from_slash ? used + 1 : 0;
    if (result == 0 && name + length + 2 > PATH_MAX) result = fail(failure, ENAMETOOLONG, "%s/…", path);
    if (result == 0) {
      if (name > used) path[used] = '/';
      memcpy(path + name, names.items[i], length + 1);
      result = pack_object(packer, directory, path, name + length, name, failure);
      path[used] = '\0';
    }
    free(names.items[i]);
  }
  free(names.items);
  return result;
}

static int write_root(struct packer *packer, int directory, const char *prefix, struct failure *failure) {
  struct stat status;
  bool opaque;
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/", prefix);
  if (fstat(directory, &status) < 0) return fail(failure, errno, "stat the tree");
  struct header header = {.type = '5', .path = path, .mode = status.st_mode & 07777, .uid = status.st_uid,
                          .gid = status.st_gid, .mtime = status.st_mtim.tv_sec};
  packer->records.used = 0;
  if (status.st_mtim.tv_nsec != 0 && add_time(packer, &status.st_mtim, failure) < 0) return -1;
  if (add_xattrs(packer, directory, ".", &opaque, failure) < 0) return -1;
  return write_header(packer, &header, failure);
}

/* The tar's digest and length, and the bytes of the regular files. */
static int tell_facts(struct packer *packer, struct failure *failure) {
  unsigned char digest[SHA256_LENGTH];
  if (recipe_end(packer->output.recipe, failure) < 0) return -1;
  sha256_end(&packer->hash, digest);
  for (int i = 0; i < SHA256_LENGTH; i++) printf("%02x", digest[i]);
  printf(" %" PRIu64 " %" PRId64 "\n", packer->output.total, packer->size);
  return fflush(stdout) == 0 ? 0 : fail(failure, errno, "write the digest");
}

static int finish(struct packer *packer, struct failure *failure) {
  static const char zero[2 * BLOCK] = {0};
  if (output_bytes(&packer->output, zero, sizeof zero, failure) < 0) return -1;
  if (output_flush(&packer->output, failure) < 0) return -1;
  return packer->output.recipe ? tell_facts(packer, failure) : 0;
}

static int pack_opened(struct packer *packer, int directory, struct failure *failure) {
  const char *prefix = packer->options->prefix;
  char path[PATH_MAX] = "";
  packer->from_slash = prefix && strcmp(prefix, "/") == 0;
  if (packer->options->with_root &&
      write_root(packer, directory, packer->from_slash ? "" : prefix ? prefix : ".", failure) < 0)
    return -1;
  if (prefix && !packer->from_slash && (size_t)snprintf(path, sizeof path, "%s", prefix) >= sizeof path)
    return fail(failure, ENAMETOOLONG, "%.200s…", prefix);
  if (pack_directory(packer, directory, path, strlen(path), failure) < 0) return -1;
  return finish(packer, failure);
}

static int pack_named(struct packer *packer, int directory, const char *name, struct failure *failure) {
  char path[PATH_MAX];
  if ((size_t)snprintf(path, sizeof path, "%s", name) >= sizeof path) return fail(failure, ENAMETOOLONG, "%.200s…", name);
  if (pack_object(packer, directory, path, strlen(path), 0, failure) < 0) return -1;
  return finish(packer, failure);
}

static int begin(struct packer *packer, struct failure *failure) {
  /* One descriptor for each level of the tree. */
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  if (output_begin(&packer->output, STDOUT_FILENO, failure) < 0) return -1;
  packer->output.pads = packer->options->live;
  if (packer->options->recipe_fd <= 0) return 0;
  packer->output.recipe = &packer->recipe;
  packer->output.hash = &packer->hash;
  packer->output.mute = true;
  sha256_begin(&packer->hash);
  return recipe_begin(&packer->recipe, packer->options->recipe_fd, failure);
}

static void end(struct packer *packer) {
  if (packer->prefetches) prefetch_end(&packer->prefetch);
  inode_set_free(&packer->linked);
  free(packer->records.data);
  free(packer->map.data);
  recipe_free(&packer->recipe);
  output_free(&packer->output);
}

int pack_opened_tree(int directory, const struct pack_options *options, struct failure *failure) {
  struct packer packer = {.options = options, .top = directory};
  int result = begin(&packer, failure);
  if (result == 0) result = pack_opened(&packer, directory, failure);
  end(&packer);
  return result;
}

int pack_single(int directory, const char *name, const struct pack_options *options, struct failure *failure) {
  struct packer packer = {.options = options, .top = -1};
  int result = begin(&packer, failure);
  if (result == 0) result = pack_named(&packer, directory, name, failure);
  end(&packer);
  return result;
}

int pack_tree(const char *tree, const struct pack_options *options, struct failure *failure) {
  _cleanup_fd_ int directory = RETRY(open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return fail(failure, errno, "open %s", tree);
  return pack_opened_tree(directory, options, failure);
}
