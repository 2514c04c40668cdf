/* See log-entry.h. Every byte that `logs` reads passes here: compiled for speed. */
#pragma GCC optimize("O3")
#include "log-entry.h"

#include <string.h>

#include "byte-scan.h"

static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/* Four hexadecimal digits; -1: not. */
static int32_t hex4(const char *text, const char *end) {
  if (end - text < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

static char *put_rune(uint32_t rune, char *out) {
  if (rune < 0x80) {
    *out++ = (char)rune;
  } else if (rune < 0x800) {
    *out++ = (char)(0xc0 | rune >> 6);
    *out++ = (char)(0x80 | (rune & 63));
  } else if (rune < 0x10000) {
    *out++ = (char)(0xe0 | rune >> 12);
    *out++ = (char)(0x80 | (rune >> 6 & 63));
    *out++ = (char)(0x80 | (rune & 63));
  } else {
    *out++ = (char)(0xf0 | rune >> 18);
    *out++ = (char)(0x80 | (rune >> 12 & 63));
    *out++ = (char)(0x80 | (rune >> 6 & 63));
    *out++ = (char)(0x80 | (rune & 63));
  }
  return out;
}

/* `*in` stands behind `\u`. */
static char *unescape_unicode(const char **in, const char *end, char *out) {
  int32_t unit = hex4(*in, end);
  if (unit < 0) return NULL;
  *in += 4;
  uint32_t rune = (uint32_t)unit;
  if (rune >= 0xd800 && rune < 0xe000) {
    int32_t low = rune < 0xdc00 && end - *in >= 6 && (*in)[0] == '\\' && (*in)[1] == 'u' ? hex4(*in + 2, end) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
      rune = 0x10000 + ((rune - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
      *in += 6;
    } else {
      rune = 0xfffd;
    }
  }
  return put_rune(rune, out);
}

static char *unescape(const char **in, const char *end, char *out) {
  if (*in >= end) return NULL;
  char kind = *(*in)++;
  switch (kind) {
    case 'n': *out++ = '\n'; return out;
    case 'r': *out++ = '\r'; return out;
    case 't': *out++ = '\t'; return out;
    case 'b': *out++ = '\b'; return out;
    case 'f': *out++ = '\f'; return out;
    case '"':
    case '\\':
    case '/': *out++ = kind; return out;
    case 'u': return unescape_unicode(in, end, out);
    default: return NULL;
  }
}

/* A JSON string's inside: `*in` comes to stand behind the closing quote. NULL: it is none. */
static char *decode_string(const char **in, const char *end, char *out) {
  const char *text = *in;
  while (text < end) {
    vector bytes = scan_load(text);
    /* A control character is not allowed; the line's newline ends the scan at the latest. */
    vector special = (bytes == '"') | (bytes == '\\') | ((bytes >= 0) & (bytes < 0x20));
    memcpy(out, &bytes, sizeof bytes);
    int plain = scan_first(special);
    text += plain;
    out += plain;
    if (plain == SCAN_WIDTH) continue;
    if (text >= end) return NULL;
    if (*text == '"') {
      *in = text + 1;
      return out;
    }
    if (*text != '\\') return NULL;
    text++;
    out = unescape(&text, end, out);
    if (!out) return NULL;
  }
  return NULL;
}

static bool take(const char **in, const char *end, const char *expected, size_t length) {
  if ((size_t)(end - *in) < length || memcmp(*in, expected, length) != 0) return false;
  *in += length;
  return true;
}

#define TAKE(in, end, literal) take(in, end, literal, sizeof(literal) - 1)

/* Behind the opening brace of the attributes: the position of the closing one, or NULL. */
static const char *skip_attributes(const char *text, const char *end) {
  bool quoted = false;
  for (; text < end; text++) {
    if (quoted && *text == '\\') text++;
    else if (*text == '"') quoted = !quoted;
    else if (!quoted && *text == '}') return text;
  }
  return NULL;
}

int entry_decode(const char *line, const char *end, char **out, struct log_entry *entry) {
  if (!TAKE(&line, end, "{\"log\":\"")) return -1;
  char *text = decode_string(&line, end, *out);
  if (!text || !TAKE(&line, end, ",\"stream\":\"std")) return -1;
  if (TAKE(&line, end, "out\",")) entry->stream = STREAM_STDOUT;
  else if (TAKE(&line, end, "err\",")) entry->stream = STREAM_STDERR;
  else return -1;
  entry->attributes_length = 0;
  if (TAKE(&line, end, "\"attrs\":{")) {
    const char *close = skip_attributes(line, end);
    if (!close) return -1;
    entry->attributes = line;
    entry->attributes_length = (size_t)(close - line);
    line = close + 1;
    if (!TAKE(&line, end, ",")) return -1;
  }
  if (!TAKE(&line, end, "\"time\":\"")) return -1;
  entry->time = line;
  size_t left = (size_t)(end - line);
  if (left < 3 || end[-1] != '}' || end[-2] != '"') return -1;
  entry->time_length = left - 2;
  *out = text;
  return 0;
}

static int64_t number(const char *text, int length) {
  int64_t value = 0;
  for (int i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return INT64_MIN;
    value = value * 10 + text[i] - '0';
  }
  return value;
}

/* Days since 1970 in the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) year--;
  int64_t era = year / 400, of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t entry_time(const struct log_entry *entry) {
  const char *text = entry->time;
  size_t length = entry->time_length;
  if (length < 20 || length > 30 || text[length - 1] != 'Z') return INT64_MIN;
  int64_t year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
  int64_t hour = number(text + 11, 2), minute = number(text + 14, 2), second = number(text + 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return INT64_MIN;
  int64_t fraction = 0;
  if (length > 21) {
    fraction = number(text + 20, (int)length - 21);
    if (fraction < 0) return INT64_MIN;
    for (size_t digits = length - 21; digits < 9; digits++) fraction *= 10;
  }
  return (((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000000 + fraction;
}

char *entry_format_time(const struct log_entry *entry, char *out) {
  size_t length = entry->time_length;
  if (length < 20 || length > 30 || entry->time[length - 1] != 'Z') {
    memcpy(out, "0001-01-01T00:00:00", 19);
    length = 0;
  } else {
    memcpy(out, entry->time, 19);
  }
  size_t digits = length > 21 ? length - 21 : 0;
  out[19] = '.';
  memcpy(out + 20, entry->time + 20, digits);
  memset(out + 20 + digits, '0', 9 - digits);
  memcpy(out + 29, "Z ", 2);
  return out + 31;
}

static char *query_escape(const char *text, size_t length, char *out) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
                 byte == '_' || byte == '.' || byte == '~';
    if (plain) {
      *out++ = (char)byte;
    } else if (byte == ' ') {
      *out++ = '+';
    } else {
      *out++ = '%';
      *out++ = digits[byte >> 4];
      *out++ = digits[byte & 15];
    }
  }
  return out;
}

struct attribute {
  const char *key, *value;
  size_t key_length, value_length;
};

static int by_key(const void *left, const void *right) {
  const struct attribute *a = left, *b = right;
  size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
  int order = memcmp(a->key, b->key, shorter);
  return order != 0 ? order : a->key_length < b->key_length ? -1 : a->key_length > b->key_length;
}

char *entry_format_attributes(const struct log_entry *entry, char *out) {
  const char *in = entry->attributes, *end = in + entry->attributes_length;
  _cleanup_free_ struct attribute *attributes = calloc(entry->attributes_length / 5 + 1, sizeof *attributes);
  _cleanup_free_ char *text = malloc(entry->attributes_length + ENTRY_SLACK);
  if (!attributes || !text) return out;
  size_t count = 0;
  char *position = text;
  while (in < end) {
    struct attribute *attribute = &attributes[count];
    if (*in++ != '"') break;
    attribute->key = position;
    position = decode_string(&in, end, position);
    if (!position || !TAKE(&in, end, ":\"")) break;
    attribute->key_length = (size_t)(position - attribute->key);
    attribute->value = position;
    position = decode_string(&in, end, position);
    if (!position) break;
    attribute->value_length = (size_t)(position - attribute->value);
    count++;
    if (in < end && *in == ',') in++;
  }
  qsort(attributes, count, sizeof *attributes, by_key);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) *out++ = ',';
    out = query_escape(attributes[i].key, attributes[i].key_length, out);
    *out++ = '=';
    out = query_escape(attributes[i].value, attributes[i].value_length, out);
  }
  return out;
}
