/*
 * The container's log in Docker's json-file format: one JSON object a line, `log`, `stream`, optional `attrs`, `time`
 * (RFC 3339, nanoseconds). Pieces of a line longer than 16 KiB become entries of their own without the final newline, as
 * Docker splits them; an unfinished line is kept per stream (bounded) until its newline or log_close.
 */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include "plan.h"

struct log_sink; /* opaque */

/* Opens (appends to) the log. Driver none gives NULL in *sink, which every function here accepts. */
int log_open(const struct log_plan *plan, struct log_sink **sink, struct failure *failure);

/*
 * Takes output of one stream. Complete entries may be collected in a bounded buffer; log_flush writes them out.
 * A write error (disk full) loses the entries it hit, never the container: the next write tries again.
 */
void log_write(struct log_sink *sink, enum stream stream, const char *data, size_t length);

/* Everything that is a complete entry reaches the file. Called by the event loop before it sleeps. */
void log_flush(struct log_sink *sink);

/* Cuts the current file to nothing and removes rotated ones. */
int log_truncate(struct log_sink *sink, struct failure *failure);

/* Writes unfinished lines as they are, flushes and closes. */
void log_close(struct log_sink *sink);

#endif
