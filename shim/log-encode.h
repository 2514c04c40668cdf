/* Text as the string of a JSON entry, as Go's encoder of Docker's json-file driver writes it. */
#ifndef SHIM_LOG_ENCODE_H
#define SHIM_LOG_ENCODE_H

#include <stdint.h>

#include "shim.h"

/* One byte of text becomes at most so many; and so much room past the result may be overwritten. */
#define ENCODE_GROWTH 6
#define ENCODE_SLACK 16

/*
 * Escapes from `*in` to the first newline or to `end`, into `out`. `*in` becomes the newline's position or `end`. Gives the
 * end of what it wrote. Bytes that are not UTF-8 become U+FFFD, one for each.
 */
char *log_encode(const char **in, const char *end, char *out);

/* The length of the UTF-8 sequence at `text`, 0 where it is none (as Go's utf8.DecodeRune decides); at least one byte is there. */
size_t utf8_sequence(const unsigned char *text, const unsigned char *end);

/* The largest count of at most `length` bytes that does not cut a UTF-8 sequence in two. */
size_t utf8_whole(const char *text, size_t length);

/* Writes `2006-01-02T15:04:05` (UTC) and a NUL: 20 bytes. */
void log_format_second(int64_t second, char text[20]);

#endif
