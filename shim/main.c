/* Picks the applet. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "shim.h"

struct applet {
  const char *name;
  int (*main)(int argc, char **argv);
};

/* One line per applet; declared in shim.h. */
static const struct applet applets[] = {
    {"run", applet_run},
    {"net-attach", applet_net_attach},
    {"net-detach", applet_net_detach},
    {"net-lead", applet_net_lead},
    {"net-bridge", applet_net_bridge},
    {"net-remove", applet_net_remove},
    {"launch", applet_launch},
    {"init", applet_init},
    {"clean", applet_clean},
    {"end-cgroup", applet_end_cgroup},
    {"unpack", applet_unpack},
    {"pack", applet_pack},
    {"remove", applet_remove},
    {"sync", applet_sync},
    {"write-back", applet_write_back},
    {"copy-up", applet_copy_up},
    {"files", applet_files},
    {"mount", applet_mount},
    {"unmount", applet_unmount},
    {"copy-tree", applet_copy_tree},
    {"measure", applet_measure},
    {"read-log", applet_read_log},
    {"source", applet_source},
};

int fail(struct failure *failure, int code, const char *format, ...) {
  if (!failure) return -1;
  failure->code = code;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(failure->message, sizeof failure->message, format, arguments);
  va_end(arguments);
  if (code != 0 && length >= 0 && (size_t)length < sizeof failure->message) {
    snprintf(failure->message + length, sizeof failure->message - (size_t)length, ": %s", strerror(code));
  }
  return -1;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  /* The engine answers before others; what it starts, containers above all, has no such privilege. */
  if (getpriority(PRIO_PROCESS, 0) < 0) (void)setpriority(PRIO_PROCESS, 0, 0);
  /* Mounted into a container under the name that Docker gives its init. */
  const char *name = strrchr(argv[0], '/');
  if (strcmp(name ? name + 1 : argv[0], "docker-init") == 0) return applet_init(argc, argv);
  if (argc >= 2) {
    for (size_t i = 0; i < sizeof applets / sizeof *applets; i++) {
      if (strcmp(applets[i].name, argv[1]) == 0) return applets[i].main(argc - 1, argv + 1);
    }
  }
  fprintf(stderr, "usage: shim APPLET [ARGUMENT…]; applets:");
  for (size_t i = 0; i < sizeof applets / sizeof *applets; i++) fprintf(stderr, " %s", applets[i].name);
  fputc('\n', stderr);
  return 64;
}
