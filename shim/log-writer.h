/* The file half of a container's log: encoded entries in, files and their rotation out. One thread at a time. */
#ifndef SHIM_LOG_WRITER_H
#define SHIM_LOG_WRITER_H

#include "plan.h"

struct log_writer; /* opaque */

/* Opens the current file, cuts off what a crash left of a last entry, tells readers that the log goes on. `plan` must outlive it. */
int log_writer_open(const struct log_plan *plan, struct log_writer **writer, struct failure *failure);

/*
 * Writes whole entries, each with its newline; starts the next file before an entry that finds the current one full. What the
 * disk does not take is lost, and the log says so itself once there is room again.
 */
void log_writer_write(struct log_writer *writer, const char *entries, size_t length);

/* Entries that were lost on their way here. */
void log_writer_lost(struct log_writer *writer, uint64_t entries, const char *reason);

/* Cuts the current file to nothing and removes rotated ones. */
int log_writer_truncate(struct log_writer *writer, struct failure *failure);

/* Tells readers that nothing more comes, and frees everything. */
void log_writer_close(struct log_writer *writer);

/* How many entries there are in these bytes. */
uint64_t log_count_entries(const char *entries, size_t length);

#endif
