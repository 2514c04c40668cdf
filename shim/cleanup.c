/* See cleanup.h. */
#include "cleanup.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "cgroup.h"
#include "io.h"
#include "runtime.h"

/* Seconds. */
#define RUNTIME_PATIENCE 10

/* Runs `RUNTIME delete --force`, which kills what is left, and waits for it. */
static void runtime_delete(const struct shim_plan *plan) {
  struct runtime_arguments arguments;
  int result = runtime_begin(&arguments, plan, "/dev/null");
  const char *rest[] = {"delete", "--force", plan->id};
  for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) result |= runtime_add(&arguments, rest[i]);
  pid_t pid = result < 0 ? -1 : fork();
  if (pid == 0) {
    /* A runtime that hangs ends by this: the clean-up goes on without it. */
    alarm(RUNTIME_PATIENCE);
    int null = RETRY(open("/dev/null", O_RDWR));
    for (int i = 0; i < 3; i++) dup2(null, i);
    runtime_exec(plan, &arguments);
    _exit(127);
  }
  free(arguments.list);
  if (pid > 0) (void)RETRY(waitpid(pid, NULL, 0));
}

/* The runtime's directory of this container; true: it exists. */
static bool state_path(const struct shim_plan *plan, char *path, size_t size) {
  return (size_t)snprintf(path, size, "%s/%s", plan->runtime_root, plan->id) < size && access(path, F_OK) == 0;
}

static void remove_state(const struct shim_plan *plan) {
  char path[4096];
  if (!state_path(plan, path, sizeof path)) return;
  DIR *list = runtime_is_crun(plan) ? opendir(path) : NULL;
  if (list) {
    for (struct dirent *entry; (entry = readdir(list));) {
      if (entry->d_type != DT_DIR) unlinkat(dirfd(list), entry->d_name, 0);
    }
    closedir(list);
    if (rmdir(path) == 0) return;
  }
  runtime_delete(plan);
}

static bool end_cgroup(const char *cgroup_path) {
  /* The kernel lets go of a cgroup a moment after the last process was reaped. */
  bool removed = cgroup_remove(cgroup_path);
  for (int attempt = 0; attempt < 100 && !removed; attempt++) {
    struct timespec pause = {.tv_nsec = 2000000};
    cgroup_kill(cgroup_path);
    nanosleep(&pause, NULL);
    removed = cgroup_remove(cgroup_path);
  }
  return removed;
}

void cleanup_after_exit(const struct shim_plan *plan) {
  end_cgroup(plan->cgroup_path);
  remove_state(plan);
}

/* `shim end-cgroup PATH`: of a container whose directory says nothing any more. Ends its processes and removes the cgroup. */
int applet_end_cgroup(int argc, char **argv) { return argc == 2 ? !end_cgroup(argv[1]) : 64; }

/* `shim clean`: the working directory is the container's, its shim was killed. Ends what still runs and removes what is left. */
int applet_clean(int argc, char **argv) {
  (void)argc;
  (void)argv;
  struct shim_plan plan;
  struct failure failure;
  char path[4096];
  if (plan_read(AT_FDCWD, "shim.conf", &plan, &failure) < 0) return 1;
  if (state_path(&plan, path, sizeof path)) runtime_delete(&plan);
  cgroup_kill(plan.cgroup_path);
  cleanup_after_exit(&plan);
  plan_free(&plan);
  return 0;
}

int cleanup_write_exit(int code, bool out_of_memory, int64_t seconds, long nanoseconds) {
  char text[96];
  int length = snprintf(text, sizeof text, "%d %d %lld %ld\n", code, out_of_memory, (long long)seconds, nanoseconds);
  int fd _cleanup_fd_ = RETRY(open("exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd < 0 || io_write_all(fd, text, (size_t)length) < 0) return -1;
  return rename("exit.new", "exit");
}
