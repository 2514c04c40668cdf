/* See launch.h. */
#include "launch.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cgroup.h"
#include "console.h"
#include "io.h"
#include "report.h"
#include "run.h"
#include "runtime.h"
#include "starter.h"

enum artefact { ARTEFACT_PID, ARTEFACT_CONSOLE, ARTEFACT_LOG };

/* Names of a launch's files below the container's directory. */
struct artefact_name {
  char text[40];
};

static struct artefact_name artefact(unsigned number, enum artefact kind) {
  static const char *const kinds[] = {"pid", "console.sock", "runtime.log"};
  struct artefact_name name;
  if (number == 0) snprintf(name.text, sizeof name.text, "%s", kinds[kind]);
  else snprintf(name.text, sizeof name.text, "exec-%u.%s", number, kinds[kind]);
  return name;
}

static void launch_free(struct launch *launch) {
  struct artefact_name console = artefact(launch->number, ARTEFACT_CONSOLE);
  if (launch->console >= 0) {
    close(launch->console);
    unlink(console.text);
  }
  if (launch->report >= 0) close(launch->report);
  if (launch->number != 0) {
    unlink(artefact(launch->number, ARTEFACT_PID).text);
    unlink(artefact(launch->number, ARTEFACT_LOG).text);
  }
  free(launch);
}

static _Noreturn void starter_failed(int report, unsigned stage, const char *message) {
  report_failure(report, stage, message);
  _exit(125);
}

/* What the child of fork() does: stdio, surroundings, runtime. `process` is the descriptor of an exec's JSON or -1. */
static _Noreturn void become_runtime(struct shim *shim, struct launch *launch, struct process_stdio *stdio, int report,
                                     int process) {
  unsigned stage = PROTOCOL_STAGE_SETUP;
  struct failure failure = {0};
  for (int i = 0; i < 3; i++) {
    if (dup2(stdio->child[i], i) < 0) starter_failed(report, stage, "set up the standard streams");
  }
  if (process < 0 && starter_prepare(&shim->plan, report, &stage, &failure) < 0) {
    starter_failed(report, stage, failure.message);
  }
  struct artefact_name pid = artefact(launch->number, ARTEFACT_PID);
  struct artefact_name console = artefact(launch->number, ARTEFACT_CONSOLE);
  struct artefact_name log = artefact(launch->number, ARTEFACT_LOG);
  char process_path[40];
  struct runtime_arguments arguments;
  int result = runtime_begin(&arguments, &shim->plan, log.text);
  result |= runtime_add(&arguments, process < 0 ? "run" : "exec");
  result |= runtime_add(&arguments, "--detach");
  result |= runtime_add(&arguments, "--pid-file") | runtime_add(&arguments, pid.text);
  if (process >= 0) {
    snprintf(process_path, sizeof process_path, "/proc/self/fd/%d", process);
    fcntl(process, F_SETFD, 0);
    result |= runtime_add(&arguments, "--process") | runtime_add(&arguments, process_path);
  }
  if (launch->console >= 0) result |= runtime_add(&arguments, "--console-socket") | runtime_add(&arguments, console.text);
  result |= runtime_add(&arguments, shim->plan.id);
  if (result < 0) starter_failed(report, PROTOCOL_STAGE_SETUP, "out of memory");
  runtime_exec(&shim->plan, &arguments);
  fail(&failure, errno, "fork/exec %s", shim->plan.runtime_path);
  starter_failed(report, PROTOCOL_STAGE_SETUP, failure.message);
}

/* As in linux/mount.h, which clashes with sys/mount.h of musl. */
#define OPEN_CLOEXEC 1
#define COMMAND_CREATE 6
/* The same on every architecture; musl before 1.2 does not name them all. */
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif

/* A null device that nobody else has, in a file system without a place. -1: the kernel has no such mounts. */
static int open_own_null(void) {
  _cleanup_fd_ int context = (int)syscall(SYS_fsopen, "tmpfs", OPEN_CLOEXEC);
  if (context < 0 || syscall(SYS_fsconfig, context, COMMAND_CREATE, NULL, NULL, 0) < 0) return -1;
  _cleanup_fd_ int mount = (int)syscall(SYS_fsmount, context, OPEN_CLOEXEC, 0);
  if (mount < 0 || mknodat(mount, "null", S_IFCHR | 0600, makedev(1, 3)) < 0) return -1;
  int null = RETRY(openat(mount, "null", O_RDWR | O_CLOEXEC));
  if (null >= 0) (void)fchmod(null, 0666);
  return null;
}

/*
 * The container's /dev/null: a runtime gives an exec's streams to the exec's user, which must not be done to the host's. One of its
 * own where there is none, or where it is the host's. Looked at before it is opened: the container may have put anything there.
 */
static int open_null_of(pid_t container) {
  char path[40];
  struct stat theirs, ours;
  snprintf(path, sizeof path, "/proc/%d/root/dev/null", (int)container);
  int place _cleanup_fd_ = RETRY(open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW));
  if (place < 0 || fstat(place, &theirs) < 0 || stat("/dev/null", &ours) < 0) return open_own_null();
  if (!S_ISCHR(theirs.st_mode) || theirs.st_rdev != makedev(1, 3)) return open_own_null();
  if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino) return open_own_null();
  snprintf(path, sizeof path, "/proc/self/fd/%d", place);
  return RETRY(open(path, O_RDWR | O_CLOEXEC));
}

/* Forks. The session's streams and the launch are the shim's afterwards, or gone on failure. */
static int launch_start(struct shim *shim, struct session *session, bool detached, int process, struct failure *failure) {
  struct process_stdio stdio;
  struct launch *launch = calloc(1, sizeof *launch);
  if (!launch) return fail(failure, ENOMEM, "start the runtime");
  launch->session = session;
  launch->console = launch->report = -1;
  launch->number = process < 0 ? 0 : ++shim->launch_number;
  int ends[2] = {-1, -1};
  stdio.null = process < 0 ? -1 : open_null_of(shim->container->pid);
  int opened = session_open_stdio(session, detached, &stdio, failure);
  if (stdio.null >= 0) close(stdio.null);
  if (opened < 0) goto failed;
  if (session->terminal) {
    launch->console = console_listen(artefact(launch->number, ARTEFACT_CONSOLE).text, failure);
    if (launch->console < 0) goto failed_with_stdio;
  }
  if (report_open(ends, failure) < 0) goto failed_with_stdio;
  launch->report = ends[0];
  launch->runtime = fork();
  if (launch->runtime == 0) become_runtime(shim, launch, &stdio, ends[1], process);
  close(ends[1]);
  if (launch->runtime < 0) {
    fail(failure, errno, "start the runtime");
    goto failed_with_stdio;
  }
  stdio_close(&stdio);
  launch->next = shim->launches;
  shim->launches = launch;
  return 0;
failed_with_stdio:
  stdio_close(&stdio);
failed:
  launch_free(launch);
  return -1;
}

int launch_container(struct shim *shim, struct failure *failure) {
  return launch_start(shim, shim->container, false, -1, failure);
}

/* In a child, because it blocks, and this shim has streams to serve. */
static void warm_up_aside(void) {
  if (fork() != 0) return; /* without memory for it the exec is only slower */
  cgroup_warm_up();
  _exit(0);
}

int launch_exec(struct shim *shim, struct session *session, const char *process, size_t length, bool detached,
                struct failure *failure) {
  int memory _cleanup_fd_ = memfd_create("process.json", MFD_CLOEXEC);
  if (memory < 0 || io_write_all(memory, process, length) < 0) return fail(failure, errno, "write the exec's process");
  if (launch_start(shim, session, detached, memory, failure) < 0) return -1;
  warm_up_aside();
  return 0;
}

static void take_console(struct launch *launch) {
  int master = console_receive(launch->console);
  if (master < 0) return;
  session_set_terminal(launch->session, master);
  if (launch->rows > 0 || launch->columns > 0) session_resize(launch->session, launch->rows, launch->columns);
}

static void handle_console(struct shim *shim, void *object, void *part, short events) {
  (void)shim;
  (void)part;
  (void)events;
  take_console(object);
}

void launches_poll(struct shim *shim, struct pollset *set) {
  for (struct launch *launch = shim->launches; launch; launch = launch->next) {
    if (launch->console < 0 || launch->session->outputs[0] >= 0) continue;
    pollset_add(set, launch->console, POLLIN, (struct poll_slot){handle_console, launch, NULL});
  }
}

/* The last lines of the runtime's log. */
static void read_log(const struct launch *launch, char *text, size_t size) {
  int log _cleanup_fd_ = RETRY(open(artefact(launch->number, ARTEFACT_LOG).text, O_RDONLY | O_CLOEXEC));
  text[0] = '\0';
  if (log < 0) return;
  off_t end = lseek(log, 0, SEEK_END);
  lseek(log, end > (off_t)(size - 1) ? end - (off_t)(size - 1) : 0, SEEK_SET);
  ssize_t length = io_read_full(log, text, size - 1);
  text[length > 0 ? length : 0] = '\0';
}

static pid_t read_pid(const struct launch *launch) {
  char text[32];
  if (io_read_text(AT_FDCWD, artefact(launch->number, ARTEFACT_PID).text, text, sizeof text) <= 0) return -1;
  long pid = strtol(text, NULL, 10);
  return pid > 0 ? (pid_t)pid : -1;
}

bool launch_ended(struct shim *shim, pid_t pid, int status) {
  struct launch **link = &shim->launches;
  while (*link && (*link)->runtime != pid) link = &(*link)->next;
  struct launch *launch = *link;
  if (!launch) return false;
  *link = launch->next;
  struct session *session = launch->session;
  struct report report;
  report_read(launch->report, &report);
  if (report.root >= 0) shim->root = report.root;
  bool succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (succeeded && session->terminal && session->outputs[0] < 0) take_console(launch);
  pid_t process = succeeded ? read_pid(launch) : -1;
  if (process > 0) {
    session->pid = process;
    shim_launched(shim, session);
  } else {
    char text[8192];
    read_log(launch, text, sizeof text);
    if (report.failed) shim_launch_failed(shim, session, report.stage, report.text);
    else shim_launch_failed(shim, session, PROTOCOL_STAGE_RUNTIME, text);
  }
  launch_free(launch);
  return true;
}
