/* See log-encode.h. Every byte of output passes here: compiled for speed, where the rest of shim/ is compiled for size. */
#pragma GCC optimize("O3")
#include "log-encode.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "byte-scan.h"

/* What a byte becomes that is not written as it is: control characters, quotes, and what Go escapes for HTML's sake. */
static inline bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

static char *escape(unsigned char byte, char *out) {
  static const char digits[] = "0123456789abcdef";
  *out++ = '\\';
  switch (byte) {
    case '"':
    case '\\': *out++ = (char)byte; return out;
    case '\n': *out++ = 'n'; return out;
    case '\r': *out++ = 'r'; return out;
    default:
      memcpy(out, "u00", 3);
      out[3] = digits[byte >> 4];
      out[4] = digits[byte & 15];
      return out + 5;
  }
}

size_t utf8_sequence(const unsigned char *text, const unsigned char *end) {
  unsigned char first = text[0];
  size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || (size_t)(end - text) < length) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((text[i] & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && text[1] < 0xa0) return 0; /* longer than needed */
  if (first == 0xed && text[1] > 0x9f) return 0; /* half of a surrogate pair */
  if (first == 0xf0 && text[1] < 0x90) return 0;
  if (first == 0xf4 && text[1] > 0x8f) return 0; /* beyond U+10FFFF */
  return length;
}

size_t utf8_whole(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  for (size_t back = 1; back <= 3 && back <= length; back++) {
    unsigned char byte = bytes[length - back];
    if ((byte & 0xc0) == 0x80) continue;
    size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back && length > back ? length - back : length;
  }
  return length;
}

/* One sequence beyond ASCII. */
static char *encode_rune(const unsigned char **in, const unsigned char *end, char *out) {
  const unsigned char *text = *in;
  size_t length = utf8_sequence(text, end);
  if (length == 0) {
    memcpy(out, "\\ufffd", 6);
    *in = text + 1;
    return out + 6;
  }
  *in = text + length;
  if (length == 3 && text[0] == 0xe2 && text[1] == 0x80 && (text[2] & 0xfe) == 0xa8) { /* U+2028 and U+2029 */
    memcpy(out, text[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
    return out + 6;
  }
  memcpy(out, text, length);
  return out + length;
}

char *log_encode(const char **in, const char *end, char *out) {
  const unsigned char *text = (const unsigned char *)*in;
  const unsigned char *stop = (const unsigned char *)end;
  while (text < stop) {
    if (stop - text >= SCAN_WIDTH) {
      vector bytes = scan_load(text);
      /* As signed numbers, bytes beyond ASCII are below the space too. */
      vector special =
          (bytes < 0x20) | (bytes == '"') | (bytes == '\\') | (bytes == '<') | (bytes == '>') | (bytes == '&');
      memcpy(out, &bytes, sizeof bytes);
      int plain = scan_first(special);
      text += plain;
      out += plain;
      if (plain == SCAN_WIDTH) continue;
    } else if (is_plain(*text)) {
      *out++ = (char)*text++;
      continue;
    }
    if (*text == '\n') break;
    if (*text < 0x80) out = escape(*text++, out);
    else out = encode_rune(&text, stop, out);
  }
  *in = (const char *)text;
  return out;
}

void log_format_second(int64_t second, char text[20]) {
  time_t time = (time_t)second;
  struct tm parts;
  gmtime_r(&time, &parts);
  /* Modulo tells the compiler that nothing is longer than its place. */
  snprintf(text, 20, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
           (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100, (unsigned)parts.tm_min % 100,
           (unsigned)parts.tm_sec % 100);
}
