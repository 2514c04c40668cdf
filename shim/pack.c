/*
 * `shim pack --recipe [--expect HEX] LAYER` makes a layer's tar again, bit by bit, from the recipe on standard input and the tree in LAYER/diff.
 * --expect: a tar whose SHA-256 is another one is a failure, told behind its last byte.
 * `shim pack [--root] [--plain] [--live] [--exclude NAME]… [--write-recipe FD] [--latest SECONDS] TREE` writes a directory as a tar (a
 * live one may change meanwhile); overlay's whiteouts become `.wh.` entries again, unless --plain. --write-recipe: the recipe goes
 * to that descriptor, and to standard output, instead of the tar, a line with its SHA-256 and length and the bytes of the regular
 * files. --latest: what is newer gets that time, in the tree too. The tar goes to standard output. Exit codes: 0, 65 for a recipe that does not fit, 1.
 */
#include "pack.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "io.h"
#include "recipe.h"
#include "sha256.h"
#include "tree.h"

#define INPUT_SIZE (256 * 1024)

struct input {
  size_t start, end;
  unsigned char *buffer;
};

/* The next `length` bytes of the recipe (at most INPUT_SIZE), or NULL. */
static const unsigned char *take(struct input *input, size_t length, struct failure *failure) {
  if (length > INPUT_SIZE) {
    fail(failure, 0, "invalid recipe");
    return NULL;
  }
  if (input->end - input->start < length) {
    memmove(input->buffer, input->buffer + input->start, input->end - input->start);
    input->end -= input->start;
    input->start = 0;
    while (input->end < length) {
      ssize_t got = io_read(STDIN_FILENO, input->buffer + input->end, INPUT_SIZE - input->end);
      if (got <= 0) {
        fail(failure, got < 0 ? errno : 0, "read the recipe");
        return NULL;
      }
      input->end += (size_t)got;
    }
  }
  const unsigned char *data = input->buffer + input->start;
  input->start += length;
  return data;
}

static uint64_t number(const unsigned char *data, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; i--) value = value << 8 | data[i];
  return value;
}

struct rebuild {
  int diff, replaced; /* replaced: -1 where nothing was */
  struct input input;
  struct output output;
};

/* The file that holds the contents of F record `index`. */
static int open_contents(struct rebuild *rebuild, uint32_t index, const char *path, struct failure *failure) {
  if (rebuild->replaced >= 0) {
    char name[16];
    snprintf(name, sizeof name, "%u", index);
    int fd = RETRY(openat(rebuild->replaced, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (fd >= 0 || errno != ENOENT) return fd >= 0 ? fd : fail(failure, errno, "open replaced/%s", name);
  }
  int fd = tree_open(rebuild->diff, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  return fd >= 0 ? fd : fail(failure, errno, "open %s", path);
}

static int file_record(struct rebuild *rebuild, struct failure *failure) {
  const unsigned char *head = take(&rebuild->input, 8, failure);
  if (!head) return -1;
  uint32_t index = (uint32_t)number(head, 4), length = (uint32_t)number(head + 4, 4);
  char path[PATH_MAX];
  if (length >= sizeof path) return fail(failure, 0, "invalid recipe");
  const unsigned char *name = take(&rebuild->input, length, failure);
  if (!name) return -1;
  memcpy(path, name, length);
  path[length] = '\0';
  _cleanup_fd_ int fd = open_contents(rebuild, index, path, failure);
  if (fd < 0) return -1;
  const unsigned char *count = take(&rebuild->input, 4, failure);
  if (!count) return -1;
  for (uint32_t left = (uint32_t)number(count, 4); left > 0; left--) {
    const unsigned char *segment = take(&rebuild->input, 16, failure);
    if (!segment) return -1;
    if (output_file(&rebuild->output, fd, number(segment, 8), number(segment + 8, 8), path, failure) < 0) return -1;
  }
  return 0;
}

static int rebuild_tar(struct rebuild *rebuild, struct failure *failure) {
  const unsigned char *data = take(&rebuild->input, 8, failure);
  if (!data) return -1;
  if (memcmp(data, RECIPE_MAGIC, 8) != 0) return fail(failure, 0, "invalid recipe");
  for (;;) {
    if (!(data = take(&rebuild->input, 1, failure))) return -1;
    switch (*data) {
      case 'R': {
        if (!(data = take(&rebuild->input, 4, failure))) return -1;
        size_t length = (size_t)number(data, 4);
        if (!(data = take(&rebuild->input, length, failure))) return -1;
        if (output_bytes(&rebuild->output, data, length, failure) < 0) return -1;
        break;
      }
      case 'F':
        if (file_record(rebuild, failure) < 0) return -1;
        break;
      case 'E':
        if (!(data = take(&rebuild->input, 8, failure))) return -1;
        if (number(data, 8) != rebuild->output.total) return fail(failure, 0, "the layer does not fit its recipe");
        return output_flush(&rebuild->output, failure);
      default:
        return fail(failure, 0, "invalid recipe");
    }
  }
}

static int check_digest(struct sha256 *hash, const char *expected, struct failure *failure) {
  unsigned char digest[SHA256_LENGTH];
  char text[2 * SHA256_LENGTH + 1];
  sha256_end(hash, digest);
  for (int i = 0; i < SHA256_LENGTH; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return strcmp(text, expected) == 0 ? 0 : fail(failure, 0, "its content is sha256:%s", text);
}

/* `expected`: the tar's SHA-256 in hexadecimal; NULL: whatever it is. */
static int pack_recipe(const char *layer, const char *expected, struct failure *failure) {
  struct rebuild rebuild = {.diff = -1, .replaced = -1};
  struct sha256 hash;
  _cleanup_fd_ int directory = RETRY(open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return fail(failure, errno, "open %s", layer);
  rebuild.diff = RETRY(openat(directory, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (rebuild.diff < 0) return fail(failure, errno, "open %s/diff", layer);
  rebuild.replaced = RETRY(openat(directory, "replaced", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  rebuild.input.buffer = malloc(INPUT_SIZE);
  int result = rebuild.input.buffer ? output_begin(&rebuild.output, STDOUT_FILENO, failure)
                                    : fail(failure, ENOMEM, "pack");
  if (expected) {
    sha256_begin(&hash);
    rebuild.output.hash = &hash;
  }
  if (result == 0) result = rebuild_tar(&rebuild, failure);
  if (result == 0 && expected) result = check_digest(&hash, expected, failure);
  free(rebuild.input.buffer);
  output_free(&rebuild.output);
  cleanup_fd(&rebuild.diff);
  cleanup_fd(&rebuild.replaced);
  return result;
}

int applet_pack(int argc, char **argv) {
  static const struct option options[] = {{"recipe", no_argument, NULL, 'r'},
                                          {"expect", required_argument, NULL, 'e'},
                                          {"root", no_argument, NULL, 'o'},
                                          {"plain", no_argument, NULL, 'p'},
                                          {"live", no_argument, NULL, 'l'},
                                          {"exclude", required_argument, NULL, 'x'},
                                          {"write-recipe", required_argument, NULL, 'w'},
                                          {"latest", required_argument, NULL, 't'},
                                          {0}};
  bool recipe = false;
  const char *expected = NULL;
  struct pack_options pack = {0};
  pack.excluded = calloc((size_t)argc, sizeof *pack.excluded);
  if (!pack.excluded) return 1;
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'r') recipe = true;
    else if (option == 'e') expected = optarg;
    else if (option == 'o') pack.with_root = true;
    else if (option == 'p') pack.plain = true;
    else if (option == 'l') pack.live = true;
    else if (option == 'x') pack.excluded[pack.excluded_count++] = optarg;
    else if (option == 'w') pack.recipe_fd = atoi(optarg);
    else if (option == 't') {
      pack.clamps = true;
      pack.latest = strtoll(optarg, NULL, 10);
    }
    else break;
  }
  struct failure failure = {0};
  int result = 64;
  if (option == -1 && optind == argc - 1) {
    (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
    result = recipe ? pack_recipe(argv[optind], expected, &failure) : pack_tree(argv[optind], &pack, &failure);
  } else {
    fail(&failure, 0, "usage: shim pack --recipe [--expect HEX] LAYER | [--root] [--plain] [--live] [--exclude NAME]… TREE");
  }
  free(pack.excluded);
  if (result == 0) return 0;
  fprintf(stderr, "%s\n", failure.message);
  return result == 64 ? 64 : failure.code == 0 ? 65 : 1;
}
