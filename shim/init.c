/*
 * The first process of a container that was started with --init: runs the user's command as its child, passes signals on to
 * it, reaps the orphans that a pid namespace hands to its first process, and leaves as the command leaves.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "shim.h"

/* Never comes back: the command, or the exit code of a shell that could not run it. */
static void become_command(char **command, const sigset_t *mask) {
  /* A process group of its own, in the foreground where there is a terminal: ctrl-c reaches the command and its children. */
  if (setpgid(0, 0) == 0) {
    signal(SIGTTOU, SIG_IGN);
    if (tcsetpgrp(STDIN_FILENO, getpid()) < 0) errno = 0; /* no terminal, none needed */
    signal(SIGTTOU, SIG_DFL);
  }
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(command[0], command);
  int code = errno;
  fprintf(stderr, "init: %s: %s\n", command[0], strerror(code));
  _exit(code == ENOENT ? 127 : 126);
}

/* Reaps all that ended. Gives the exit code of `child`, or -1 while it lives. */
static int reap(pid_t child) {
  int result = -1, status;
  for (;;) {
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return result;
    if (pid == child) result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

int applet_init(int argc, char **argv) {
  char **command = argv + 1;
  if (argc > 1 && strcmp(argv[1], "--") == 0) command++;
  if (!*command) {
    fprintf(stderr, "usage: init [--] COMMAND [ARGUMENT…]\n");
    return 64;
  }
  sigset_t all, before;
  sigfillset(&all);
  /* Faults of our own must end us. */
  const int faults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  if (child < 0) {
    perror("init: fork");
    return 126;
  }
  if (child == 0) become_command(command, &before);
  for (;;) {
    int signal_number = sigwaitinfo(&all, NULL);
    if (signal_number < 0) continue; /* EINTR by a stop and continue */
    if (signal_number != SIGCHLD) {
      kill(child, signal_number);
      continue;
    }
    int code = reap(child);
    if (code >= 0) return code;
  }
}
