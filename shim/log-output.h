/* Entries on their way to the reader's standard output: stdcopy frames, or raw bytes. */
#ifndef SHIM_LOG_OUTPUT_H
#define SHIM_LOG_OUTPUT_H

#include "log-entry.h"

struct log_output {
  char *buffer;
  size_t size;
  size_t used;
  bool raw;   /* no frames */
  bool merge; /* neighbours of one stream in one frame */
  size_t last; /* with `merge`: where the last frame stands; meaningless while `used` is 0 */
};

int frames_open(struct log_output *output, struct failure *failure);
void frames_close(struct log_output *output);

/* A place for at least `length` bytes: NULL where there is no memory for it, or the reader is gone. */
char *frames_reserve(struct log_output *output, size_t length);

/* Says that `[text, end)`, written to the reserved place, belongs to `stream`; `text` stands 8 bytes behind its start. */
void frames_commit(struct log_output *output, enum stream stream, char *text, char *end);

/* 0, or -1 when nobody reads any more. */
int frames_flush(struct log_output *output);

#endif
