/*
 * `shim read-log PATH [--stdout] [--stderr] [--since NS] [--until NS] [--tail N] [--follow] [--timestamps] [--details] [--raw] [--merge]`: a log's entries as stdcopy frames (with --merge several in one) on standard output, the oldest first. NS are Unix nanoseconds.
 *
 * A follower goes on until the writer says that the container has ended, or its standard input ends (for a writer that was
 * killed); it reads to the end then. It dies with the program that started it.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "io.h"
#include "log-files.h"
#include "log-output.h"
#include "log-state.h"

/* Read at a time; a line that is longer makes the buffer grow up to LINE_MAX_SIZE, beyond that it is passed over. */
#define INPUT_SIZE (512 * 1024)
#define LINE_MAX_SIZE (64 * 1024 * 1024)
/* How long a follower sleeps without a writer that wakes it, and with one (in case that was killed). */
#define POLL_MILLISECONDS 50
#define WATCH_MILLISECONDS 1000
#define FRAME_HEADER 8
#define TIME_SIZE 31
#define FILE_CLOCK_SECONDS 2

struct reader {
  const char *path;
  bool wanted[3];
  int64_t since, until; /* INT64_MIN, INT64_MAX: no bound */
  int64_t tail;         /* -1: all */
  bool follow, timestamps, details;
  struct log_output output;
  struct log_state *state;
  char *input;
  size_t input_size;
  size_t held;      /* bytes of an unfinished line at the start of `input` */
  uint64_t skip;    /* entries to pass over */
  bool finished;    /* `until` was passed, or nobody reads any more */
};

/* One line, newline at `end`. */
static void read_line(struct reader *reader, const char *line, const char *end) {
  if (reader->skip > 0) {
    reader->skip--;
    return;
  }
  size_t length = (size_t)(end - line);
  size_t prefix = FRAME_HEADER + (reader->timestamps ? TIME_SIZE : 0);
  char *start = frames_reserve(&reader->output, prefix + length * (reader->details ? 4 : 1) + 2 + ENTRY_SLACK);
  if (!start) {
    reader->finished = true;
    return;
  }
  struct log_entry entry;
  char *text = start + FRAME_HEADER;
  char *content = start + prefix;
  char *out = content;
  if (entry_decode(line, end, &out, &entry) < 0) return; /* no entry: torn by a crash, or not ours */
  if (reader->since != INT64_MIN || reader->until != INT64_MAX) {
    int64_t time = entry_time(&entry);
    if (time < reader->since) return;
    if (time > reader->until) {
      reader->finished = true;
      return;
    }
  }
  if (!reader->wanted[entry.stream]) return;
  if (reader->timestamps) entry_format_time(&entry, text);
  if (reader->details) {
    /* The text moves behind the attributes, whose length is known only when they are written. */
    char *attributes = out;
    char *attributes_end = entry_format_attributes(&entry, attributes);
    *attributes_end++ = ' ';
    size_t text_length = (size_t)(out - content), attributes_length = (size_t)(attributes_end - attributes);
    memmove(attributes_end, content, text_length);
    memmove(content, attributes, attributes_length + text_length);
    out = content + attributes_length + text_length;
  }
  frames_commit(&reader->output, entry.stream, text, out);
}

/* Takes the whole lines out of `length` bytes of input; what is left moves to the front. */
static void read_lines(struct reader *reader, size_t length) {
  const char *line = reader->input, *stop = reader->input + length;
  while (!reader->finished) {
    const char *end = memchr(line, '\n', (size_t)(stop - line));
    if (!end) break;
    read_line(reader, line, end);
    line = end + 1;
  }
  reader->held = (size_t)(stop - line);
  memmove(reader->input, line, reader->held);
}

/* Room for more input: false when a line is longer than any entry can be. */
static bool make_room(struct reader *reader) {
  if (reader->held < reader->input_size) return true;
  char *grown = reader->input_size < LINE_MAX_SIZE ? realloc(reader->input, reader->input_size * 2 + ENTRY_SLACK) : NULL;
  if (!grown) return false;
  reader->input = grown;
  reader->input_size *= 2;
  return true;
}

/* Reads what the descriptor gives until its end: the number of bytes, or -1. */
static int64_t read_descriptor(struct reader *reader, int fd, off_t *offset) {
  int64_t total = 0;
  while (!reader->finished) {
    if (!make_room(reader)) reader->held = 0;
    char *place = reader->input + reader->held;
    size_t room = reader->input_size - reader->held;
    ssize_t length = offset ? RETRY(pread(fd, place, room, *offset)) : io_read(fd, place, room);
    if (length < 0) return -1;
    if (length == 0) return total;
    if (offset) *offset += length;
    total += length;
    read_lines(reader, reader->held + (size_t)length);
  }
  return total;
}

static int read_file(struct reader *reader, struct log_file *file, struct failure *failure) {
  int64_t result;
  reader->skip = file->skip;
  if (file->compressed) {
    pid_t child;
    _cleanup_fd_ int stream = log_file_stream(file, &child, failure);
    if (stream < 0) return -1;
    result = read_descriptor(reader, stream, NULL);
    if (reader->finished) kill(child, SIGKILL);
    RETRY(waitpid(child, NULL, 0));
  } else {
    result = read_descriptor(reader, file->fd, &file->offset);
  }
  reader->skip = 0;
  return result < 0 ? fail(failure, errno, "read %s", reader->path) : 0;
}

/* True when the engine has said that nothing more will come; unlike a signal, this is also heard by one that just started. */
static bool told_to_end(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return RETRY(poll(&input, 1, 0)) == 1;
}

/* True while the follower goes on; sleeps until there is something new. */
static bool wait_for_more(struct reader *reader, uint32_t seen) {
  if (frames_flush(&reader->output) < 0) return false;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t left = INT64_MAX;
  if (reader->until != INT64_MAX) {
    left = reader->until - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    if (left < 0) return false;
  }
  int timeout = reader->state ? WATCH_MILLISECONDS : POLL_MILLISECONDS;
  if (left / 1000000 + 1 < timeout) timeout = (int)(left / 1000000) + 1;
  log_state_wait(reader->state, seen, timeout);
  return true;
}

/* Where the log was cut to nothing, reading starts again. */
static void notice_truncation(struct reader *reader, struct log_file *file) {
  struct stat status;
  if (fstat(file->fd, &status) < 0 || status.st_size >= file->offset) return;
  file->offset = 0;
  reader->held = 0;
}

/* Goes on behind the last file, from file to file, until the end. */
static int follow(struct reader *reader, int links, struct log_file *file, struct failure *failure) {
  bool last_round = false;
  while (!reader->finished) {
    /* In this order: what was written before the end was told is read after it. */
    uint32_t seen = reader->state ? atomic_load(&reader->state->sequence) : 0;
    bool ended = told_to_end() || (reader->state && atomic_load(&reader->state->closed));
    off_t before = file->offset;
    struct log_file next = {.fd = -1};
    if (file->fd >= 0) notice_truncation(reader, file);
    int more = log_follower_next(links, reader->path, file->fd < 0 ? 0 : file->inode, &next);
    /* The file after it exists, so this one is complete and read for the last time. */
    if (file->fd >= 0 && read_file(reader, file, failure) < 0) return -1;
    if (more == 1) {
      log_file_close(file);
      *file = next;
      reader->held = 0;
      continue;
    }
    if (file->offset != before) continue;
    if (ended && last_round) return 0;
    last_round = ended;
    if (!ended && !wait_for_more(reader, seen)) return 0;
  }
  return 0;
}

/* True for a file that was written for the last time before all that is asked for; the kernel's clock for files is a bit late. */
static bool is_too_old(const struct reader *reader, const struct log_file *file) {
  struct stat status;
  if (reader->since == INT64_MIN || fstat(file->fd, &status) < 0) return false;
  return status.st_mtim.tv_sec + FILE_CLOCK_SECONDS < reader->since / 1000000000;
}

static int read_log(struct reader *reader, struct failure *failure) {
  char name[PATH_MAX], state_path[PATH_MAX];
  snprintf(state_path, sizeof state_path, "%s%s", reader->path, LOG_STATE_SUFFIX);
  if (reader->follow) reader->state = log_state_map(state_path, false);
  int links = reader->follow ? log_follower_make(reader->path, name) : -1;
  struct log_files files;
  int result = log_files_open(reader->path, &files, failure);
  log_follower_prune(links, &files);
  if (result == 0 && reader->tail >= 0) result = log_files_tail(&files, (uint64_t)reader->tail, failure);
  for (size_t i = 0; result == 0 && i < files.count && !reader->finished; i++) {
    if (i + 1 < files.count && is_too_old(reader, &files.files[i])) continue;
    result = read_file(reader, &files.files[i], failure);
    if (i + 1 < files.count) reader->held = 0;
  }
  struct log_file none = {.fd = -1};
  if (result == 0 && reader->follow) result = follow(reader, links, files.count > 0 ? &files.files[files.count - 1] : &none, failure);
  log_file_close(&none);
  log_files_close(&files);
  log_follower_remove(links, name);
  frames_flush(&reader->output);
  return result;
}

static int64_t parse_number(const char *text) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  return errno != 0 || *end != '\0' || end == text ? INT64_MIN : value;
}

static int parse_arguments(struct reader *reader, int argc, char **argv) {
  if (argc < 2) return -1;
  reader->path = argv[1];
  for (int i = 2; i < argc; i++) {
    const char *option = argv[i];
    int64_t *value = strcmp(option, "--since") == 0   ? &reader->since
                     : strcmp(option, "--until") == 0 ? &reader->until
                     : strcmp(option, "--tail") == 0  ? &reader->tail
                                                      : NULL;
    if (value) {
      if (++i >= argc || (*value = parse_number(argv[i])) == INT64_MIN) return -1;
    } else if (strcmp(option, "--stdout") == 0) {
      reader->wanted[STREAM_STDOUT] = true;
    } else if (strcmp(option, "--stderr") == 0) {
      reader->wanted[STREAM_STDERR] = true;
    } else if (strcmp(option, "--follow") == 0) {
      reader->follow = true;
    } else if (strcmp(option, "--timestamps") == 0) {
      reader->timestamps = true;
    } else if (strcmp(option, "--details") == 0) {
      reader->details = true;
    } else if (strcmp(option, "--raw") == 0) {
      reader->output.raw = true;
    } else if (strcmp(option, "--merge") == 0) {
      reader->output.merge = true;
    } else {
      return -1;
    }
  }
  return 0;
}

int applet_read_log(int argc, char **argv) {
  struct reader reader = {.since = INT64_MIN, .until = INT64_MAX, .tail = -1, .input_size = INPUT_SIZE};
  if (parse_arguments(&reader, argc, argv) < 0) {
    fprintf(stderr, "usage: shim read-log PATH [OPTION…]\n");
    return 64;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct failure failure = {0};
  reader.input = malloc(INPUT_SIZE + ENTRY_SLACK);
  int result = reader.input ? frames_open(&reader.output, &failure) : fail(&failure, ENOMEM, "read the log");
  if (result == 0) result = read_log(&reader, &failure);
  if (result < 0) fprintf(stderr, "%s\n", failure.message);
  frames_close(&reader.output);
  log_state_unmap(reader.state);
  free(reader.input);
  return result < 0 ? 1 : 0;
}
