/* See log.h. */
#include "log.h"

#include <stdio.h>
#include <time.h>

#include "io.h"
#include "log-encode.h"
#include "log-queue.h"

/* Docker's limit of one entry. */
#define PIECE 16384
/* Entries are collected up to here before they are written. */
#define BATCH (256 * 1024)

static const char entry_start[] = "{\"log\":\"";

/* 00 to 99: every entry ends with nine digits, and a division for each would cost more than its encoding. */
static const char digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* An unfinished line. */
struct rest {
  size_t length;
  char data[PIECE];
};

struct log_sink {
  const struct log_plan *plan;
  struct log_writer *writer; /* NULL: the queue has it */
  struct log_queue *queue;   /* NULL: entries are written here and now */
  char *buffer;              /* entries on their way there */
  size_t used;
  struct timespec last;
  char second_text[20];
  int64_t second; /* that second_text says */
  char *tails[3]; /* by stream: what stands between text and time */
  size_t tail_lengths[3];
  struct rest *rests; /* two: stdout, stderr */
};

/* The parts between text and time: `","stream":"stdout","attrs":{…},"time":"`. */
static int build_tail(struct log_sink *sink, enum stream stream) {
  const struct log_plan *plan = sink->plan;
  size_t room = 64 + ENCODE_SLACK;
  for (size_t i = 0; i < plan->attribute_count; i++) {
    room += 8 + ENCODE_GROWTH * (strlen(plan->attributes[i].key) + strlen(plan->attributes[i].value));
  }
  char *tail = malloc(room);
  if (!tail) return -1;
  char *out = tail + sprintf(tail, "\",\"stream\":\"%s\",", stream == STREAM_STDOUT ? "stdout" : "stderr");
  for (size_t i = 0; i < plan->attribute_count; i++) {
    const char *parts[2] = {plan->attributes[i].key, plan->attributes[i].value};
    out += sprintf(out, i == 0 ? "\"attrs\":{" : ",");
    for (int j = 0; j < 2; j++) {
      const char *end = parts[j] + strlen(parts[j]);
      *out++ = '"';
      while (parts[j] < end) {
        out = log_encode(&parts[j], end, out);
        if (parts[j] < end) { /* a newline */
          memcpy(out, "\\n", 2);
          out += 2;
          parts[j]++;
        }
      }
      *out++ = '"';
      if (j == 0) *out++ = ':';
    }
  }
  if (plan->attribute_count > 0) out += sprintf(out, "},");
  out += sprintf(out, "\"time\":\"");
  sink->tails[stream] = tail;
  sink->tail_lengths[stream] = (size_t)(out - tail);
  return 0;
}

static void release(struct log_sink *sink) {
  for (int i = 0; i < 3; i++) free(sink->tails[i]);
  free(sink->buffer);
  free(sink->rests);
  free(sink);
}

static size_t largest_entry(const struct log_sink *sink) {
  size_t tail = sink->tail_lengths[1] > sink->tail_lengths[2] ? sink->tail_lengths[1] : sink->tail_lengths[2];
  return sizeof entry_start + PIECE * ENCODE_GROWTH + tail + 64 + ENCODE_SLACK;
}

int log_open(const struct log_plan *plan, struct log_sink **result, struct failure *failure) {
  *result = NULL;
  if (!plan->json_file) return 0;
  struct log_sink *sink = calloc(1, sizeof *sink);
  if (!sink) return fail(failure, ENOMEM, "open the log");
  sink->plan = plan;
  sink->second = -1;
  bool built = build_tail(sink, STREAM_STDOUT) == 0 && build_tail(sink, STREAM_STDERR) == 0;
  /* Untouched pages cost nothing: a quiet container has none of this in memory. */
  sink->buffer = built ? malloc(BATCH + largest_entry(sink)) : NULL;
  sink->rests = calloc(2, sizeof *sink->rests);
  int code = sink->buffer && sink->rests ? 0 : fail(failure, ENOMEM, "open the log");
  if (code == 0) code = log_writer_open(plan, &sink->writer, failure);
  if (code == 0 && plan->buffer_size > 0) {
    code = log_queue_start(sink->writer, plan->buffer_size, &sink->queue, failure);
    if (code == 0) sink->writer = NULL;
    else log_writer_close(sink->writer);
  }
  if (code < 0) release(sink);
  else *result = sink;
  return code;
}

/* A time that is later than that of every entry before. */
static void next_time(struct log_sink *sink) {
  struct timespec *last = &sink->last;
  last->tv_nsec++;
  if (last->tv_nsec >= 1000000000) {
    last->tv_nsec = 0;
    last->tv_sec++;
  }
}

static void read_clock(struct log_sink *sink) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const struct timespec *last = &sink->last;
  if (now.tv_sec > last->tv_sec || (now.tv_sec == last->tv_sec && now.tv_nsec > last->tv_nsec)) sink->last = now;
}

/* RFC 3339 with as many digits of the fraction as there are, as Go's RFC3339Nano. */
static char *append_time(struct log_sink *sink, char *out) {
  if (sink->second != sink->last.tv_sec) {
    sink->second = sink->last.tv_sec;
    log_format_second(sink->second, sink->second_text);
  }
  memcpy(out, sink->second_text, 19);
  out += 19;
  uint32_t rest = (uint32_t)sink->last.tv_nsec;
  if (rest != 0) {
    char *end = out + 10;
    *out = '.';
    for (char *pair = end - 2; pair > out; pair -= 2, rest /= 100) memcpy(pair, &digit_pairs[rest % 100 * 2], 2);
    out[1] = (char)('0' + rest);
    for (; end[-1] == '0'; end--) {
    }
    out = end;
  }
  *out++ = 'Z';
  return out;
}

/* Ends the entry whose text reaches to `out`. */
static char *finish_entry(struct log_sink *sink, enum stream stream, char *out) {
  memcpy(out, sink->tails[stream], sink->tail_lengths[stream]);
  out += sink->tail_lengths[stream];
  next_time(sink);
  out = append_time(sink, out);
  memcpy(out, "\"}\n", 3);
  return out + 3;
}

void log_flush(struct log_sink *sink) {
  if (!sink || sink->used == 0) return;
  if (sink->queue) log_queue_put(sink->queue, sink->buffer, sink->used);
  else log_writer_write(sink->writer, sink->buffer, sink->used);
  sink->used = 0;
}

/* One piece without a newline in it as an entry; `newline`: it ends a line. */
static void append_entry(struct log_sink *sink, enum stream stream, const char *text, size_t length, bool newline) {
  char *out = sink->buffer + sink->used;
  memcpy(out, entry_start, sizeof entry_start - 1);
  out = log_encode(&text, text + length, out + sizeof entry_start - 1);
  if (newline) {
    memcpy(out, "\\n", 2);
    out += 2;
  }
  out = finish_entry(sink, stream, out);
  sink->used = (size_t)(out - sink->buffer);
  if (sink->used >= BATCH) log_flush(sink);
}

/* Adds to the unfinished line until that is an entry: what was taken. */
static size_t continue_rest(struct log_sink *sink, enum stream stream, const char *data, size_t length) {
  struct rest *rest = &sink->rests[stream == STREAM_STDERR];
  size_t room = PIECE - rest->length;
  size_t take = length < room ? length : room;
  const char *newline = memchr(data, '\n', take);
  if (newline) take = (size_t)(newline - data);
  memcpy(rest->data + rest->length, data, take);
  rest->length += take;
  if (newline) {
    append_entry(sink, stream, rest->data, rest->length, true);
    rest->length = 0;
    return take + 1;
  }
  if (rest->length == PIECE) {
    size_t whole = utf8_whole(rest->data, PIECE);
    append_entry(sink, stream, rest->data, whole, false);
    memmove(rest->data, rest->data + whole, PIECE - whole);
    rest->length = PIECE - whole;
  }
  return take;
}

void log_write(struct log_sink *sink, enum stream stream, const char *data, size_t length) {
  if (!sink || length == 0) return;
  read_clock(sink);
  struct rest *rest = &sink->rests[stream == STREAM_STDERR];
  const char *end = data + length;
  while (data < end) {
    size_t left = (size_t)(end - data);
    const char *newline = rest->length > 0 ? NULL : memchr(data, '\n', left < PIECE ? left : PIECE);
    if (newline) { /* the common case: a whole line, straight from the reader's buffer */
      append_entry(sink, stream, data, (size_t)(newline - data), true);
      data = newline + 1;
    } else {
      data += continue_rest(sink, stream, data, left);
    }
  }
}

int log_truncate(struct log_sink *sink, struct failure *failure) {
  if (!sink) return fail(failure, 0, "the log driver keeps no file");
  sink->used = 0;
  if (sink->writer) return log_writer_truncate(sink->writer, failure);
  log_queue_truncate(sink->queue);
  return 0;
}

void log_close(struct log_sink *sink) {
  if (!sink) return;
  read_clock(sink);
  for (int i = 0; i < 2; i++) {
    if (sink->rests[i].length > 0) append_entry(sink, i == 0 ? STREAM_STDOUT : STREAM_STDERR, sink->rests[i].data, sink->rests[i].length, false);
  }
  log_flush(sink);
  if (sink->queue) log_queue_close(sink->queue);
  else log_writer_close(sink->writer);
  release(sink);
}
