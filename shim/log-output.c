/* See log-output.h. */
#include "log-output.h"

#include <poll.h>
#include <string.h>

#include "io.h"

#define OUTPUT_SIZE (512 * 1024)
#define FRAME_HEADER 8

int frames_open(struct log_output *output, struct failure *failure) {
  output->buffer = malloc(OUTPUT_SIZE);
  output->size = OUTPUT_SIZE;
  output->used = 0;
  return output->buffer ? 0 : fail(failure, ENOMEM, "read the log");
}

void frames_close(struct log_output *output) { free(output->buffer); }

char *frames_reserve(struct log_output *output, size_t length) {
  if (length > output->size - output->used) {
    if (frames_flush(output) < 0) return NULL;
    if (length > output->size) {
      char *grown = realloc(output->buffer, length);
      if (!grown) return NULL;
      output->buffer = grown;
      output->size = length;
    }
  }
  return output->buffer + output->used;
}

static void write_header(char *header, enum stream stream, size_t length) {
  memset(header, 0, FRAME_HEADER);
  header[0] = (char)stream;
  for (int i = 0; i < 4; i++) header[4 + i] = (char)(length >> (24 - 8 * i));
}

/* True when the last frame in the buffer took the text in. */
static bool merge(struct log_output *output, enum stream stream, const char *text, size_t length) {
  if (!output->merge || output->used == 0 || output->buffer[output->last] != (char)stream) return false;
  memmove(output->buffer + output->used, text, length);
  output->used += length;
  write_header(output->buffer + output->last, stream, output->used - output->last - FRAME_HEADER);
  return true;
}

void frames_commit(struct log_output *output, enum stream stream, char *text, char *end) {
  size_t length = (size_t)(end - text);
  char *start = output->buffer + output->used;
  if (output->raw) {
    memmove(start, text, length);
    output->used += length;
  } else if (!merge(output, stream, text, length)) {
    output->last = output->used;
    write_header(start, stream, length);
    output->used += FRAME_HEADER + length;
  }
}

int frames_flush(struct log_output *output) {
  const char *position = output->buffer;
  size_t left = output->used;
  output->used = 0;
  while (left > 0) {
    ssize_t written = io_write(STDOUT_FILENO, position, left);
    if (written < 0 && errno != EAGAIN) return -1;
    if (written < 0) {
      struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
      RETRY(poll(&wait, 1, -1));
      continue;
    }
    position += written;
    left -= (size_t)written;
  }
  return 0;
}
