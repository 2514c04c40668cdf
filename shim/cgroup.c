/* See cgroup.h. */
#include "cgroup.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>

#include "io.h"

#define MOUNTPOINT "/sys/fs/cgroup"
#define MAX_DEPTH 32

/* Calls `visit` with the cgroup's directory of each hierarchy; true when one call gave true. */
static bool for_each_hierarchy(const char *cgroup_path, bool (*visit)(int directory, const char *path)) {
  char path[4096];
  int top _cleanup_fd_ = RETRY(open(MOUNTPOINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (*cgroup_path == '/') cgroup_path++;
  if (top < 0 || *cgroup_path == '\0') return false;
  if (faccessat(top, "cgroup.controllers", F_OK, 0) == 0) return visit(top, cgroup_path);
  DIR *list = fdopendir(fcntl(top, F_DUPFD_CLOEXEC, 3));
  if (!list) return false;
  bool result = false;
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_name[0] == '.' || entry->d_type != DT_DIR) continue;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", entry->d_name, cgroup_path) >= sizeof path) continue;
    result |= visit(top, path);
  }
  closedir(list);
  return result;
}

static bool kill_in(int directory, const char *path) {
  char file[4200], text[4096];
  snprintf(file, sizeof file, "%s/cgroup.procs", path);
  bool found = false;
  if (io_read_text(directory, file, text, sizeof text) <= 0) return false;
  for (char *line = text, *rest; (rest = strchr(line, '\n')); line = rest + 1) {
    long pid = strtol(line, NULL, 10);
    if (pid > 1 && pid != getpid()) found |= kill((pid_t)pid, SIGKILL) == 0;
  }
  return found;
}

bool cgroup_kill(const char *cgroup_path) { return for_each_hierarchy(cgroup_path, kill_in); }

/*
 * A runtime that takes a plain directory for a hierarchy (a controller that is not mounted) leaves a plain file there; in a
 * real cgroup the file cannot be unlinked. True when that was it.
 */
static bool remove_look_alike(int directory, const char *path) {
  char file[4200];
  snprintf(file, sizeof file, "%s/cgroup.procs", path);
  return unlinkat(directory, file, 0) == 0 && unlinkat(directory, path, AT_REMOVEDIR) == 0;
}

/* Removes a tree of cgroups, whose only removable members are directories. True: it is still there. */
static bool remove_tree(int directory, const char *path, int depth) {
  if (unlinkat(directory, path, AT_REMOVEDIR) == 0 || errno == ENOENT) return false;
  if (errno != EBUSY && errno != ENOTEMPTY) return true;
  if (remove_look_alike(directory, path)) return false;
  int fd = RETRY(openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  if (!list) {
    if (fd >= 0) close(fd);
    return true;
  }
  for (struct dirent *entry; depth < MAX_DEPTH && (entry = readdir(list));) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') remove_tree(fd, entry->d_name, depth + 1);
  }
  closedir(list);
  return unlinkat(directory, path, AT_REMOVEDIR) < 0 && errno != ENOENT;
}

static bool remove_from(int directory, const char *path) { return remove_tree(directory, path, 0); }

bool cgroup_remove(const char *cgroup_path) { return !for_each_hierarchy(cgroup_path, remove_from); }

void cgroup_warm_up(void) {
  char text[4096], path[4200], pid[24];
  if (io_read_text(AT_FDCWD, "/proc/self/cgroup", text, sizeof text) <= 0) return;
  /* "0::/path" is the version 2 hierarchy, which is there in every layout but the oldest. */
  char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
  if (!line) return;
  line = strchr(line, '/');
  if (!line) return;
  line[strcspn(line, "\n")] = '\0';
  bool hybrid = access(MOUNTPOINT "/cgroup.controllers", F_OK) != 0;
  if ((size_t)snprintf(path, sizeof path, MOUNTPOINT "%s%s/cgroup.procs", hybrid ? "/unified" : "", line) >= sizeof path) return;
  int fd _cleanup_fd_ = RETRY(open(path, O_WRONLY | O_CLOEXEC));
  int length = snprintf(pid, sizeof pid, "%d", getpid());
  if (fd >= 0 && io_write(fd, pid, (size_t)length) < 0) return; /* only its duration matters */
}
