#include "recipe.h"

#include <string.h>

#include "io.h"
#include "tar.h"

#define BUFFER_SIZE (256 * 1024)
#define RUN_HEADER 5

static int flush(struct recipe *recipe, struct failure *failure) {
  if (io_write_all(recipe->fd, recipe->buffer, recipe->used) < 0) return fail(failure, errno, "write the recipe");
  recipe->used = 0;
  return 0;
}

static void put32(unsigned char *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

static void put64(unsigned char *at, uint64_t value) {
  for (int i = 0; i < 8; i++) at[i] = (unsigned char)(value >> (8 * i));
}

/* Writes the length of the open run, which stays in the buffer as a finished record. */
static void close_run(struct recipe *recipe) {
  if (recipe->run == 0) return;
  put32(recipe->buffer + recipe->used - recipe->run - 4, (uint32_t)recipe->run);
  recipe->run = 0;
}

static int append(struct recipe *recipe, const void *data, size_t length, struct failure *failure) {
  if (recipe->used + length > BUFFER_SIZE && flush(recipe, failure) < 0) return -1;
  memcpy(recipe->buffer + recipe->used, data, length);
  recipe->used += length;
  return 0;
}

int recipe_begin(struct recipe *recipe, int fd, struct failure *failure) {
  *recipe = (struct recipe){.fd = fd};
  if (fd < 0) return 0;
  recipe->buffer = malloc(BUFFER_SIZE);
  if (!recipe->buffer) return fail(failure, errno, "recipe");
  return append(recipe, RECIPE_MAGIC, 8, failure);
}

int recipe_raw(struct recipe *recipe, const void *data, size_t length, struct failure *failure) {
  if (!recipe || recipe->fd < 0) return 0;
  const char *position = data;
  recipe->total += length;
  while (length > 0) {
    if (recipe->run == RECIPE_RUN) close_run(recipe);
    if (recipe->run == 0) {
      /* A run never crosses a flush: make room for all of it first. */
      if (recipe->used + RUN_HEADER + RECIPE_RUN > BUFFER_SIZE && flush(recipe, failure) < 0) return -1;
      recipe->buffer[recipe->used] = 'R';
      recipe->used += RUN_HEADER;
    }
    size_t part = RECIPE_RUN - recipe->run;
    if (part > length) part = length;
    memcpy(recipe->buffer + recipe->used, position, part);
    recipe->used += part;
    recipe->run += part;
    position += part;
    length -= part;
  }
  return 0;
}

int recipe_file(struct recipe *recipe, const char *path, const struct tar_segment *segments, size_t count,
                struct failure *failure) {
  recipe->files++;
  if (recipe->fd < 0) return 0;
  close_run(recipe);
  unsigned char head[9] = {'F'};
  size_t length = strlen(path);
  put32(head + 1, recipe->files - 1);
  put32(head + 5, (uint32_t)length);
  unsigned char number[16];
  put32(number, (uint32_t)count);
  if (append(recipe, head, sizeof head, failure) < 0 || append(recipe, path, length, failure) < 0 ||
      append(recipe, number, 4, failure) < 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    put64(number, (uint64_t)segments[i].offset);
    put64(number + 8, (uint64_t)segments[i].length);
    recipe->total += (uint64_t)segments[i].length;
    if (append(recipe, number, 16, failure) < 0) return -1;
  }
  return 0;
}

int recipe_end(struct recipe *recipe, struct failure *failure) {
  if (recipe->fd < 0) return 0;
  close_run(recipe);
  unsigned char end[9] = {'E'};
  put64(end + 1, recipe->total);
  return append(recipe, end, sizeof end, failure) < 0 ? -1 : flush(recipe, failure);
}

void recipe_free(struct recipe *recipe) {
  free(recipe->buffer);
  recipe->buffer = NULL;
}
