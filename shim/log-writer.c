/* See log-writer.h. */
#include "log-writer.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "io.h"
#include "log-encode.h"
#include "log-rotate.h"
#include "log-state.h"

struct log_writer {
  const struct log_plan *plan;
  int fd;
  int64_t size;  /* of the current file */
  uint64_t lost; /* entries since the disk took the last one */
  const char *lost_reason;
  uint64_t rotation; /* number of the last one */
  struct log_state *state;
};

uint64_t log_count_entries(const char *entries, size_t length) {
  uint64_t count = 0;
  const char *end = entries + length;
  for (const char *newline; (newline = memchr(entries, '\n', (size_t)(end - entries))); entries = newline + 1) count++;
  return count;
}

static void drop_torn_end(int fd, int64_t *size) {
  char block[4096];
  int64_t end = *size;
  while (end > 0) {
    int64_t from = end > (int64_t)sizeof block ? end - (int64_t)sizeof block : 0;
    ssize_t length = RETRY(pread(fd, block, (size_t)(end - from), from));
    if (length <= 0) return;
    const char *newline = memrchr(block, '\n', (size_t)length);
    if (newline) {
      end = from + (newline - block) + 1;
      break;
    }
    end = from;
  }
  if (end < *size && ftruncate(fd, end) == 0) *size = end;
}

static int open_current(struct log_writer *writer, struct failure *failure) {
  int fd = RETRY(open(writer->plan->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    int code = errno;
    if (fd >= 0) close(fd);
    return fail(failure, code, "open %s", writer->plan->path);
  }
  if (writer->fd >= 0) close(writer->fd);
  writer->fd = fd;
  writer->size = status.st_size;
  return 0;
}

int log_writer_open(const struct log_plan *plan, struct log_writer **result, struct failure *failure) {
  struct log_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return fail(failure, ENOMEM, "open the log");
  *writer = (struct log_writer){.plan = plan, .fd = -1};
  if (open_current(writer, failure) < 0) {
    free(writer);
    return -1;
  }
  drop_torn_end(writer->fd, &writer->size);
  char state_path[PATH_MAX];
  snprintf(state_path, sizeof state_path, "%s%s", plan->path, LOG_STATE_SUFFIX);
  writer->state = log_state_map(state_path, true);
  if (writer->state) atomic_store(&writer->state->closed, 0);
  log_sweep_followers(plan->path);
  *result = writer;
  return 0;
}

/* Writes all or nothing: 0, or an errno. */
static int write_whole(struct log_writer *writer, const char *data, size_t length) {
  if (io_write_all(writer->fd, data, length) == 0) {
    writer->size += (int64_t)length;
    return 0;
  }
  int code = errno;
  /* Half an entry would be torn for ever. Where even this fails, log_writer_open cuts it next time. */
  if (ftruncate(writer->fd, writer->size) < 0) writer->size = lseek(writer->fd, 0, SEEK_END);
  return code;
}

/* Once the disk takes entries again, the log itself says that some are missing. */
static int write_lost_notice(struct log_writer *writer) {
  char entry[1024], second[20];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  log_format_second(now.tv_sec, second);
  int length = snprintf(entry, sizeof entry,
                        "{\"log\":\"berth: %llu entries of this log were lost: %.200s\\n\",\"stream\":\"stderr\",\"time\":\"%s.%09ldZ\"}\n",
                        (unsigned long long)writer->lost, writer->lost_reason, second, now.tv_nsec);
  return write_whole(writer, entry, (size_t)length);
}

void log_writer_lost(struct log_writer *writer, uint64_t entries, const char *reason) {
  writer->lost += entries;
  writer->lost_reason = reason;
  if (writer->state) atomic_fetch_add(&writer->state->lost, entries);
}

/* Entries that belong into one file. */
static void write_entries(struct log_writer *writer, const char *entries, size_t length) {
  int64_t before = writer->size;
  int code = writer->lost > 0 ? write_lost_notice(writer) : 0;
  if (code == 0) code = write_whole(writer, entries, length);
  if (code == 0) {
    writer->lost = 0;
    return;
  }
  /* The notice alone would be repeated with every loss. */
  if (writer->size > before && ftruncate(writer->fd, before) == 0) writer->size = before;
  log_writer_lost(writer, log_count_entries(entries, length), strerror(code));
}

/* Starts the next file. A failure leaves the current one in use: too large is better than lost. */
static void rotate(struct log_writer *writer) {
  const struct log_plan *plan = writer->plan;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t number = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
  writer->rotation = number > writer->rotation ? number : writer->rotation + 1;
  if (writer->state) atomic_fetch_add(&writer->state->rotations, 1);
  if (plan->compress) log_compress_finish(plan->path);
  if (log_rotate(plan, writer->rotation, NULL) < 0) return;
  if (open_current(writer, NULL) < 0) log_rotate_undo(plan);
  else if (plan->compress && plan->max_file > 1) log_compress_start(plan->path);
}

/* The bytes up to the end of the entry that fills the current file, or all of them. */
static size_t part_for_file(const struct log_writer *writer, const char *entries, size_t length) {
  int64_t room = writer->plan->max_size - writer->size;
  if (writer->plan->max_size < 0 || room >= (int64_t)length) return length;
  size_t full = room > 0 ? (size_t)room - 1 : 0;
  const char *newline = memchr(entries + full, '\n', length - full);
  return newline ? (size_t)(newline - entries) + 1 : length;
}

void log_writer_write(struct log_writer *writer, const char *entries, size_t length) {
  while (length > 0) {
    if (writer->plan->max_size >= 0 && writer->size >= writer->plan->max_size) rotate(writer);
    size_t part = part_for_file(writer, entries, length);
    write_entries(writer, entries, part);
    entries += part;
    length -= part;
  }
  log_state_advance(writer->state);
}

int log_writer_truncate(struct log_writer *writer, struct failure *failure) {
  if (ftruncate(writer->fd, 0) < 0) return fail(failure, errno, "truncate %s", writer->plan->path);
  writer->size = 0;
  log_remove_rotated(writer->plan->path);
  log_state_advance(writer->state);
  return 0;
}

void log_writer_close(struct log_writer *writer) {
  /* No entry comes any more that would bring it along. */
  if (writer->lost > 0) write_lost_notice(writer);
  if (writer->state) {
    atomic_store(&writer->state->closed, 1);
    log_state_advance(writer->state);
  }
  log_sweep_followers(writer->plan->path);
  if (writer->plan->compress) log_compress_finish(writer->plan->path);
  close(writer->fd);
  log_state_unmap(writer->state);
  free(writer);
}
