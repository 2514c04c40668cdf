/*
 * `shim launch`: one for each engine, so that starting a container costs the engine one write. Spawning a program would stop
 * the engine's only thread until the kernel has found time to run the child; this process forks in a tenth of a millisecond,
 * and its child is the shim without another exec.
 *
 * Reads one container directory a line from stdin, answers each with one line, in order: empty when the shim listens at its
 * shim.sock, or what went wrong. A line `warm` says that a start is near, and is not answered (cgroup_warm_up). Ends with its
 * stdin; the shims go on.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cgroup.h"
#include "io.h"
#include "shim.h"

#define LISTENER 3
#define BACKLOG 128

/* Listens at ./shim.sock: the descriptor, or -1 with errno. The name is short whatever the directory's is. */
static int listen_here(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shim.sock"};
  if (unlink(address.sun_path) < 0 && errno != ENOENT) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int code = errno;
  close(fd);
  errno = code;
  return -1;
}

static _Noreturn void become_shim(int listener, char **argv) {
  int null = RETRY(open("/dev/null", O_RDWR | O_CLOEXEC));
  signal(SIGCHLD, SIG_DFL);
  for (int i = 0; i < 3; i++) dup2(null, i);
  if (listener != LISTENER) dup2(listener, LISTENER);
  /* What ps shows. */
  size_t size = strlen(argv[0]);
  memset(argv[0], 0, size);
  memcpy(argv[0], "run", size < 3 ? size : 3);
  char *arguments[] = {argv[0], NULL};
  exit(applet_run(1, arguments));
}

/* Gives 0 or an errno. */
static int launch(const char *directory, char **argv) {
  if (chdir(directory) < 0) return errno;
  int listener _cleanup_fd_ = listen_here();
  if (listener < 0) return errno;
  pid_t pid = fork();
  if (pid == 0) become_shim(listener, argv);
  if (pid < 0) return errno;
  if (chdir("/") < 0) return errno;
  return 0;
}

/* In a child, because it blocks. Without memory for it the start is only slower. */
static void warm_up(void) {
  if (fork() != 0) return;
  cgroup_warm_up();
  _exit(0);
}

/* Answers every whole line of the buffer; gives the length of what is left. */
static size_t serve_lines(char *buffer, size_t length, char **argv) {
  char *line = buffer;
  for (char *end; (end = memchr(line, '\n', length - (size_t)(line - buffer))); line = end + 1) {
    *end = '\0';
    if (strcmp(line, "warm") == 0) {
      warm_up();
      continue;
    }
    char answer[128];
    int code = launch(line, argv);
    int size = snprintf(answer, sizeof answer, "%s\n", code == 0 ? "" : strerror(code));
    if (io_write_all(STDOUT_FILENO, answer, (size_t)size) < 0) exit(1); /* the engine is gone */
  }
  size_t left = length - (size_t)(line - buffer);
  memmove(buffer, line, left);
  return left;
}

int applet_launch(int argc, char **argv) {
  char buffer[8192];
  size_t length = 0;
  (void)argc;
  signal(SIGCHLD, SIG_IGN); /* the kernel reaps the shims */
  for (;;) {
    ssize_t got = io_read(STDIN_FILENO, buffer + length, sizeof buffer - length);
    if (got <= 0) return 0;
    length = serve_lines(buffer, length + (size_t)got, argv);
    if (length == sizeof buffer) return 1; /* no path is as long as that */
  }
}
