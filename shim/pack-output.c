#include <string.h>

#include "io.h"
#include "pack.h"
#include "recipe.h"
#include "sha256.h"
#include "windows.h"

#define BUFFER_SIZE (512 * 1024)
/* From this length on a file that is only hashed is worth a thread that maps it. */
#define LONG_FILE (16u << 20)

int output_begin(struct output *output, int fd, struct failure *failure) {
  *output = (struct output){.fd = fd, .buffer = malloc(BUFFER_SIZE)};
  return output->buffer ? 0 : fail(failure, ENOMEM, "pack");
}

int output_flush(struct output *output, struct failure *failure) {
  if (output->hash) sha256_add(output->hash, output->buffer, output->used);
  if (!output->mute && io_write_all(output->fd, output->buffer, output->used) < 0) return fail(failure, errno, "write the archive");
  output->used = 0;
  return 0;
}

int output_bytes(struct output *output, const void *data, size_t length, struct failure *failure) {
  const char *position = data;
  output->total += length;
  if (output->recipe && recipe_raw(output->recipe, data, length, failure) < 0) return -1;
  while (length > 0) {
    size_t part = BUFFER_SIZE - output->used;
    if (part > length) part = length;
    memcpy(output->buffer + output->used, position, part);
    output->used += part;
    position += part;
    length -= part;
    if (output->used == BUFFER_SIZE && output_flush(output, failure) < 0) return -1;
  }
  return 0;
}

static void hash_window(void *hash, const void *data, size_t length) { sha256_add(hash, data, length); }

int output_file(struct output *output, int file, uint64_t offset, uint64_t length, const char *name,
                struct failure *failure) {
  if (output->mute && output->hash && length >= LONG_FILE) {
    if (output_flush(output, failure) < 0) return -1;
    uint64_t done = windows_read(file, offset, length, hash_window, output->hash);
    output->total += done;
    offset += done;
    length -= done;
  }
  while (length > 0) {
    if (output->used == BUFFER_SIZE && output_flush(output, failure) < 0) return -1;
    size_t part = BUFFER_SIZE - output->used;
    if (part > length) part = (size_t)length;
    ssize_t got = RETRY(pread(file, output->buffer + output->used, part, (off_t)offset));
    if (got < 0) return fail(failure, errno, "read %s", name);
    if (got == 0 && !output->pads) return fail(failure, 0, "%s has become shorter", name);
    if (got == 0) {
      memset(output->buffer + output->used, 0, part);
      got = (ssize_t)part;
    }
    output->used += (size_t)got;
    output->total += (uint64_t)got;
    offset += (uint64_t)got;
    length -= (uint64_t)got;
  }
  return 0;
}

void output_free(struct output *output) {
  free(output->buffer);
  output->buffer = NULL;
}
