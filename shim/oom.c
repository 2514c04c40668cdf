/* See oom.h. */
#include "oom.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "io.h"

static int open_below(const char *hierarchy, const char *cgroup_path, const char *file, int flags) {
  char path[4096];
  if ((size_t)snprintf(path, sizeof path, "%s%s/%s", hierarchy, cgroup_path, file) >= sizeof path) return -1;
  return RETRY(open(path, flags | O_CLOEXEC));
}

static void open_v1(struct oom_watch *watch, const char *cgroup_path) {
  watch->control = open_below("/sys/fs/cgroup/memory", cgroup_path, "memory.oom_control", O_RDONLY);
  if (watch->control < 0) return;
  int registry _cleanup_fd_ = open_below("/sys/fs/cgroup/memory", cgroup_path, "cgroup.event_control", O_WRONLY);
  watch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  watch->events = POLLIN;
  char line[64];
  int length = snprintf(line, sizeof line, "%d %d", watch->fd, watch->control);
  if (registry < 0 || watch->fd < 0 || io_write(registry, line, (size_t)length) < 0) {
    if (watch->fd >= 0) close(watch->fd);
    watch->fd = -1;
  }
}

bool oom_open(struct oom_watch *watch, const char *cgroup_path) {
  *watch = (struct oom_watch){.fd = -1, .control = -1};
  watch->control = open_below("/sys/fs/cgroup", cgroup_path, "memory.events", O_RDONLY);
  if (watch->control < 0) {
    open_v1(watch, cgroup_path);
  } else {
    watch->v2 = true;
    watch->fd = watch->control;
    watch->events = POLLPRI;
  }
  return oom_check(watch);
}

bool oom_check(struct oom_watch *watch) {
  if (watch->control < 0) return false;
  if (!watch->v2 && watch->fd >= 0) {
    uint64_t count;
    if (io_read(watch->fd, &count, sizeof count) < 0) count = 0; /* EAGAIN: nothing new, the counter below decides */
  }
  char text[512];
  ssize_t length = RETRY(pread(watch->control, text, sizeof text - 1, 0));
  if (length < 0) return false;
  text[length] = '\0';
  const char *kills = strstr(text, "oom_kill ");
  uint64_t now = kills ? strtoull(kills + strlen("oom_kill "), NULL, 10) : 0;
  bool more = now > watch->seen;
  watch->seen = now;
  return more;
}

void oom_close(struct oom_watch *watch) {
  if (watch->fd >= 0 && !watch->v2) close(watch->fd);
  if (watch->control >= 0) close(watch->control);
  watch->fd = watch->control = -1;
}
