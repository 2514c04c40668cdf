/* See cleanup.h. */
#include "cleanup.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "cgroup.h"
#include "io.h"

static void remove_state(const struct shim_plan *plan) {
  const char *name = strrchr(plan->runtime_path, '/');
  if (!strstr(name ? name + 1 : plan->runtime_path, "crun")) return;
  char path[4096];
  if ((size_t)snprintf(path, sizeof path, "%s/%s", plan->runtime_root, plan->id) >= sizeof path) return;
  DIR *list = opendir(path);
  if (!list) return;
  for (struct dirent *entry; (entry = readdir(list));) {
    if (entry->d_type != DT_DIR) unlinkat(dirfd(list), entry->d_name, 0);
  }
  closedir(list);
  rmdir(path);
}

void cleanup_after_exit(const struct shim_plan *plan) {
  /* The kernel lets go of a cgroup a moment after the last process was reaped. */
  for (int attempt = 0; attempt < 50 && !cgroup_remove(plan->cgroup_path); attempt++) {
    struct timespec pause = {.tv_nsec = 2000000};
    if (attempt > 0) cgroup_kill(plan->cgroup_path);
    nanosleep(&pause, NULL);
  }
  remove_state(plan);
}

int cleanup_write_exit(int code, bool out_of_memory, int64_t seconds, long nanoseconds) {
  char text[96];
  int length = snprintf(text, sizeof text, "%d %d %lld %ld\n", code, out_of_memory, (long long)seconds, nanoseconds);
  int fd _cleanup_fd_ = RETRY(open("exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd < 0 || io_write_all(fd, text, (size_t)length) < 0) return -1;
  return rename("exit.new", "exit");
}
