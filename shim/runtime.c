/* See runtime.h. */
#include "runtime.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "io.h"

/* From linux/mount.h, which cannot be included beside the C library's sys/mount.h. */
#define OPEN_TREE_CLONE_ 1
#define MOUNT_ATTR_RDONLY_ 1
struct mount_attributes {
  uint64_t set, clear, propagation, user_namespace;
};
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

int runtime_add(struct runtime_arguments *arguments, const char *argument) {
  const char **grown = realloc(arguments->list, (arguments->count + 2) * sizeof *grown);
  if (!grown) return -1;
  arguments->list = grown;
  grown[arguments->count++] = argument;
  grown[arguments->count] = NULL;
  return 0;
}

bool runtime_is_crun(const struct shim_plan *plan) {
  const char *name = strrchr(plan->runtime_path, '/');
  return strstr(name ? name + 1 : plan->runtime_path, "crun") != NULL;
}

int runtime_begin(struct runtime_arguments *arguments, const struct shim_plan *plan, const char *log) {
  *arguments = (struct runtime_arguments){0};
  int result = runtime_add(arguments, plan->runtime_path);
  for (size_t i = 0; i < plan->runtime_argument_count; i++) result |= runtime_add(arguments, plan->runtime_arguments[i]);
  const char *rest[] = {"--root", plan->runtime_root, "--log", log, "--log-format", "json"};
  /* crun's plain log is the message alone, and in JSON it would also write to the container's stderr in JSON. */
  size_t count = sizeof rest / sizeof *rest - (runtime_is_crun(plan) ? 2 : 0);
  for (size_t i = 0; i < count; i++) result |= runtime_add(arguments, rest[i]);
  return result;
}

static int open_read_only(const char *path) {
  int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE_ | O_CLOEXEC);
  if (fd < 0) return -1;
  struct mount_attributes attributes = {.set = MOUNT_ATTR_RDONLY_};
  if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return fd;
  close(fd);
  return -1;
}

/*
 * A service manager may have made the engine the last to be killed for want of memory, and its children inherit that. What it runs begins
 * at 0, which crun leaves as it finds it. Without the right to go down from a higher score the runtime is told that one.
 */
static void forget_oom_score(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, "0", 1);
  (void)written;
  close(fd);
}

void runtime_exec(const struct shim_plan *plan, struct runtime_arguments *arguments) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL); /* KILL and STOP refuse, which is as well */
  forget_oom_score();
  int clone = open_read_only(plan->runtime_path);
  /* A script cannot be run from a descriptor that closes on exec: then by its name. */
  if (clone >= 0) syscall(SYS_execveat, clone, "", arguments->list, environ, AT_EMPTY_PATH);
  execv(plan->runtime_path, (char *const *)arguments->list);
}
