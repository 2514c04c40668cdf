/*
 * `shim files ROOT… OPERATION [PATH]`: the files of a container, running or not. ROOT is `--pid PID` of the first process of a
 * running one, or `--scratch DIRECTORY --lower LAYER… [--upper DIRECTORY --work DIRECTORY] [--mount FLAGS --source PATH --target
 * PATH [--subpath PATH]]…` (the top layer first; FLAGS are letters: r read-only, d with the mounts below). The operations:
 *
 *   stat PATH    "MODE SIZE SECONDS NANOSECONDS LENGTH\n" and the LENGTH bytes of where a link leads
 *   read PATH    the same, then a tar of the object, whose names begin with the last part of PATH
 *   write PATH   unpacks standard input into the directory; --owner UID:GID, --no-overwrite, --read-only-root, --within (links in
 *                it lead nowhere but into it)
 *   export       a tar of the root without what is mounted on it
 *
 * The process's root is the container's before it looks at PATH. Exit codes: 2 nothing at PATH, 3 PATH is no directory, 4 the root
 * is read-only, 5 a mount is, 6 the process is gone, 65 the archive's fault, 74 no space, 1 anything else with a sentence on standard
 * error.
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "files.h"
#include "io.h"
#include "pack.h"
#include "unpack.h"

enum { NOTHING = 2, NO_DIRECTORY = 3, ROOT_READ_ONLY = 4, MOUNT_READ_ONLY = 5, PROCESS_GONE = 6 };
#define LINK_LIMIT 255

/* As open(2) in the container's root, but through no magic link. */
static int open_path(const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_MAGICLINKS};
  return (int)RETRY(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

static int not_found(int code, struct failure *failure, const char *path) {
  if (code == ENOENT) {
    fail(failure, 0, "%s", path);
    return NOTHING;
  }
  fail(failure, 0, "lstat %s: %s", path, code == ENOTDIR ? "not a directory" : strerror(code));
  return 1;
}

/*
 * Where a link leads in the end, as far as there is something: every link on the way is followed, what does not exist is kept as it
 * stands. `pending` is what is still to walk.
 */
static int follow(const char *path, char result[PATH_MAX], struct failure *failure) {
  char pending[2 * PATH_MAX], target[PATH_MAX], rest[PATH_MAX];
  size_t used = 0;
  int links = 0;
  snprintf(pending, sizeof pending, "%s", path);
  result[0] = '\0';
  for (char *position = pending;;) {
    while (*position == '/') position++;
    if (*position == '\0') break;
    size_t length = strcspn(position, "/");
    if (length == 2 && memcmp(position, "..", 2) == 0) {
      while (used > 0 && result[--used] != '/') continue;
      result[used] = '\0';
    } else if (length != 1 || *position != '.') {
      if (used + length + 2 > PATH_MAX) return fail(failure, ENAMETOOLONG, "%s", path);
      result[used] = '/';
      memcpy(result + used + 1, position, length);
      result[used + 1 + length] = '\0';
      ssize_t got = readlink(result, target, sizeof target - 1);
      if (got < 0) {
        used += 1 + length;
      } else {
        if (++links > LINK_LIMIT) return fail(failure, 0, "evalSymlinksInScope: too many links in %s", path);
        target[got] = '\0';
        if (*target == '/') used = 0;
        result[used] = '\0';
        if ((size_t)snprintf(rest, sizeof rest, "%s", position + length) >= sizeof rest)
          return fail(failure, ENAMETOOLONG, "%s", path);
        snprintf(pending, sizeof pending, "%s%s", target, rest);
        position = pending;
        continue;
      }
    }
    position += length;
  }
  if (used == 0) strcpy(result, "/");
  return 0;
}

/* Says what is at `path`: 0 or an exit code. */
static int tell(const char *path, struct stat *status, struct failure *failure) {
  _cleanup_fd_ int fd = open_path(path, O_PATH | O_NOFOLLOW);
  char target[PATH_MAX] = "";
  if (fd < 0) return not_found(errno, failure, path);
  if (fstat(fd, status) < 0) return not_found(errno, failure, path);
  if (S_ISLNK(status->st_mode) && follow(path, target, failure) < 0) return 1;
  char text[PATH_MAX + 128];
  int length = snprintf(text, sizeof text, "%u %" PRId64 " %" PRId64 " %ld %zu\n%s", status->st_mode,
                        (int64_t)status->st_size, (int64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                        strlen(target), target);
  if (io_write_all(STDOUT_FILENO, text, (size_t)length) == 0) return 0;
  fail(failure, errno, "answer");
  return 1;
}

/* The last part of a path without slashes at its end; "/" for the root. */
static void base_name(const char *path, char name[NAME_MAX + 1]) {
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') end--;
  size_t begin = end;
  while (begin > 0 && path[begin - 1] != '/') begin--;
  snprintf(name, NAME_MAX + 1, "%.*s", end > 0 ? (int)(end - begin) : 1, end > 0 ? path + begin : "/");
}

static int read_path(const char *path, struct failure *failure) {
  struct stat status;
  int result = tell(path, &status, failure);
  if (result != 0) return result;
  char name[NAME_MAX + 1], parent[PATH_MAX];
  base_name(path, name);
  (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
  struct pack_options options = {.plain = true, .live = true, .with_root = true, .prefix = name};
  if (S_ISDIR(status.st_mode)) {
    _cleanup_fd_ int directory = open_path(path, O_RDONLY | O_DIRECTORY);
    if (directory < 0) return not_found(errno, failure, path);
    return pack_opened_tree(directory, &options, failure) < 0;
  }
  snprintf(parent, sizeof parent, "%.*s", (int)(strlen(path) - strlen(name)), path);
  _cleanup_fd_ int directory = open_path(*parent ? parent : ".", O_PATH | O_DIRECTORY);
  if (directory < 0) return not_found(errno, failure, path);
  return pack_single(directory, name, &options, failure) < 0;
}

struct write_options {
  struct unpack_options unpack;
  bool read_only_root;
  bool within;
};

/* A mount from elsewhere is never on the overlay's own device. */
static bool is_on_root(const struct stat *status) {
  struct stat root;
  return stat("/", &root) == 0 && root.st_dev == status->st_dev;
}

static int write_path(const char *path, struct write_options *options, struct failure *failure) {
  _cleanup_fd_ int directory = open_path(path, O_PATH);
  struct stat status;
  struct statvfs system;
  if (directory < 0 && errno == ENOTDIR) {
    fail(failure, 0, "not a directory");
    return 1;
  }
  if (directory < 0 || fstat(directory, &status) < 0) return not_found(errno, failure, path);
  if (!S_ISDIR(status.st_mode)) {
    fail(failure, 0, "extraction point is not a directory");
    return NO_DIRECTORY;
  }
  bool on_root = is_on_root(&status);
  if (fstatvfs(directory, &system) < 0) return not_found(errno, failure, path);
  if (on_root ? options->read_only_root || (system.f_flag & ST_RDONLY) : (system.f_flag & ST_RDONLY)) {
    fail(failure, 0, on_root ? "container rootfs is marked read-only" : "mounted volume is marked read-only");
    return on_root ? ROOT_READ_ONLY : MOUNT_READ_ONLY;
  }
  if (fchdir(directory) < 0) return not_found(errno, failure, path);
  if (options->within && chroot(".") < 0) {
    fail(failure, errno, "chroot %s", path);
    return 1;
  }
  options->unpack.destination = path;
  return unpack_here(&options->unpack, failure) < 0 ? unpack_exit_code(failure->code) : 0;
}

static int export_root(struct failure *failure) {
  struct pack_options options = {.plain = true, .live = true};
  (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
  return pack_tree("/", &options, failure) < 0;
}

struct request {
  struct files_root root;
  struct write_options write;
  const char *operation, *path;
};

/* False: not as the head of this file has it. */
static bool parse(int argc, char **argv, struct request *request) {
  static const struct option options[] = {
      {"pid", required_argument, NULL, 'p'},    {"scratch", required_argument, NULL, 'c'},
      {"lower", required_argument, NULL, 'l'},  {"upper", required_argument, NULL, 'u'},
      {"work", required_argument, NULL, 'w'},   {"mount", required_argument, NULL, 'm'},
      {"source", required_argument, NULL, 's'}, {"target", required_argument, NULL, 't'},
      {"owner", required_argument, NULL, 'o'},  {"no-overwrite", no_argument, NULL, 'n'},
      {"read-only-root", no_argument, NULL, 'r'}, {"subpath", required_argument, NULL, 'b'},
      {"within", no_argument, NULL, 'i'},       {0}};
  struct files_root *root = &request->root;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    struct files_mount *last = root->mount_count > 0 ? &root->mounts[root->mount_count - 1] : NULL;
    if (option == 'p') root->pid = (pid_t)atoi(optarg);
    else if (option == 'c') root->scratch = optarg;
    else if (option == 'l') root->lower[root->lower_count++] = optarg;
    else if (option == 'u') root->upper = optarg;
    else if (option == 'w') root->work = optarg;
    else if (option == 'm')
      root->mounts[root->mount_count++] =
          (struct files_mount){.read_only = strchr(optarg, 'r'), .recursive = strchr(optarg, 'd')};
    else if (option == 's' && last) last->source = optarg;
    else if (option == 't' && last) last->target = optarg;
    else if (option == 'b' && last) last->subpath = optarg;
    else if (option == 'o') {
      request->write.unpack.owned = sscanf(optarg, "%u:%u", &request->write.unpack.uid, &request->write.unpack.gid) == 2;
    } else if (option == 'n') request->write.unpack.no_overwrite = true;
    else if (option == 'r') request->write.read_only_root = true;
    else if (option == 'i') request->write.within = true;
    else return false;
  }
  for (size_t i = 0; i < root->mount_count; i++) {
    if (!root->mounts[i].source || !root->mounts[i].target) return false;
  }
  if (optind >= argc || !(root->pid > 0 || (root->scratch && root->lower_count > 0))) return false;
  request->operation = argv[optind++];
  request->path = optind < argc ? argv[optind] : "/";
  root->own_only = strcmp(request->operation, "export") == 0;
  return true;
}

static int run(struct request *request, struct failure *failure) {
  struct stat status;
  const char *operation = request->operation;
  (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  if (strlen(request->path) >= PATH_MAX) return not_found(ENAMETOOLONG, failure, request->path);
  if (files_enter(&request->root, failure) < 0) return failure->code == ESRCH ? PROCESS_GONE : 1;
  if (strcmp(operation, "stat") == 0) return tell(request->path, &status, failure);
  if (strcmp(operation, "read") == 0) return read_path(request->path, failure);
  if (strcmp(operation, "write") == 0) return write_path(request->path, &request->write, failure);
  if (strcmp(operation, "export") == 0) return export_root(failure);
  fail(failure, 0, "unknown operation %s", operation);
  return 64;
}

int applet_files(int argc, char **argv) {
  struct failure failure = {0};
  struct request request = {0};
  request.root.lower = calloc((size_t)argc, sizeof *request.root.lower);
  request.root.mounts = calloc((size_t)argc, sizeof *request.root.mounts);
  int result = 1;
  if (!request.root.lower || !request.root.mounts) fail(&failure, ENOMEM, "files");
  else if (parse(argc, argv, &request)) result = run(&request, &failure);
  else {
    fail(&failure, 0, "usage: shim files ROOT… stat|read|write|export [PATH]");
    result = 64;
  }
  free(request.root.lower);
  free(request.root.mounts);
  if (result != 0) fprintf(stderr, "%s\n", failure.message);
  return result;
}
