/*
 * One run of the OCI runtime: `run --detach` for the container, `exec --detach` for an exec. The runtime leaves, the process
 * stays as a child of the shim, which is its subreaper.
 */
#ifndef SHIM_LAUNCH_H
#define SHIM_LAUNCH_H

#include <sys/types.h>

#include "plan.h"
#include "session.h"

struct shim;

struct launch {
  struct launch *next;
  struct session *session;
  pid_t runtime;       /* the starter, then the runtime */
  int report;          /* from the starter, see report.h */
  int console;         /* listens for the pty's master; -1 */
  unsigned number;     /* names the files: 0 for the container */
  unsigned short rows, columns;
};

/* Forks the starter of the container. */
int launch_container(struct shim *shim, struct failure *failure);

/* Starts an exec; `process` is the OCI process object as JSON. The session is the shim's already. */
int launch_exec(struct shim *shim, struct session *session, const char *process, size_t length, bool detached,
                struct failure *failure);

/* Registers the console sockets. */
void launches_poll(struct shim *shim, struct pollset *set);

/* A child ended. True when it was a runtime; its session is started or failed then. */
bool launch_ended(struct shim *shim, pid_t pid, int status);

#endif
