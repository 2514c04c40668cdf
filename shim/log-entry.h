/* One line of a json-file log, taken apart. */
#ifndef SHIM_LOG_ENTRY_H
#define SHIM_LOG_ENTRY_H

#include <stdint.h>

#include "shim.h"

/* So much past the result of entry_text may be overwritten, and past a line be read. */
#define ENTRY_SLACK 16

struct log_entry {
  enum stream stream;
  const char *time; /* as it stands in the line */
  size_t time_length;
  const char *attributes; /* the members of `attrs`; empty: none */
  size_t attributes_length;
};

/*
 * Reads a line, which ends with the newline at `end`. The text is written to `*out`, which needs the line's length and
 * ENTRY_SLACK, and `*out` moved behind it. -1 for what is no entry.
 */
int entry_decode(const char *line, const char *end, char **out, struct log_entry *entry);

/* Unix nanoseconds of `2006-01-02T15:04:05.9Z`; INT64_MIN for anything else. */
int64_t entry_time(const struct log_entry *entry);

/* The time with all nine digits, and a space: 31 bytes. Gives the end. */
char *entry_format_time(const struct log_entry *entry, char *out);

/*
 * The attributes as Docker's `details` shows them: `key=value,…` sorted by key, each as in a URL's query. At most three times
 * attributes_length bytes. Gives the end.
 */
char *entry_format_attributes(const struct log_entry *entry, char *out);

#endif
