/*
 * The streams of one process with its attached clients: the container's first process, or one exec.
 *
 * Output flows from the process to the log and to every client that asked for it. A client that does not read holds the
 * process back (nothing more is read from the process until the client has taken what it was given), a client that is gone
 * holds nothing. After the process's exit its last output, at most what a pipe holds, is kept for each client.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include <sys/types.h>
#include <time.h>

#include "log.h"
#include "plan.h"
#include "pollset.h"
#include "protocol.h"

/* Bytes that wait for a descriptor to take them. */
struct backlog {
  char *data;
  size_t offset;
  size_t length; /* from offset */
};

struct client {
  struct client *next;
  int fd;
  unsigned flags;   /* PROTOCOL_ATTACH_… */
  bool input_ended; /* the peer has closed its writing half */
  bool gone;        /* takes no output any more */
  bool dead;        /* to be freed */
  struct backlog backlog;
};

struct session {
  struct session *next;
  char id[PROTOCOL_ID_SIZE + 1]; /* empty: the container */
  bool terminal;
  enum stdin_mode stdin_mode;
  int input;      /* the process's stdin or the pty's master; -1: closed */
  int outputs[2]; /* stdout and stderr; with a terminal the master and -1 */
  bool input_ends; /* close `input` once the backlog is written */
  struct backlog input_backlog;
  struct client *clients;
  struct log_sink *log;
  pid_t pid; /* 0: not started, -1: failed */
  bool exited;
  bool reported; /* the exit was told */
  int code;
  struct timespec exited_at;
  struct timespec drain_since; /* monotonic */
};

/* The pipes of a process: what the process gets and what stays here. -1 where there is none. */
struct process_stdio {
  int child[3];
  int null; /* stands for /dev/null; -1: the host's own. The caller's */
};

struct session *session_new(const char *id, bool terminal, enum stdin_mode stdin_mode);

/*
 * Makes the pipes: the shim's ends go into the session, the process's into `stdio` (close-on-exec; closed by stdio_close).
 * With a terminal, or `detached`, everything is /dev/null; only the input of an exec that has none is a pipe at its end, because a
 * runtime gives an exec's streams to its user, and /dev/null is everybody's.
 */
int session_open_stdio(struct session *session, bool detached, struct process_stdio *stdio, struct failure *failure);
void stdio_close(struct process_stdio *stdio);

/* Hands the pty's master over to the session. */
void session_set_terminal(struct session *session, int master);

/* Takes the descriptor. */
int session_add_client(struct session *session, int fd, unsigned flags);

/* Registers what the session waits for. Before `pid` is set no output is read. */
void session_poll(struct session *session, struct pollset *set);

/* True when no output can come any more. */
bool session_drained(const struct session *session);

/* Takes what lies in the pipes now, however slow the clients; not more than a pipe can hold. */
void session_take_rest(struct shim *shim, struct session *session);

/* Stops reading from the process, whatever it may still hold open. */
void session_close_streams(struct session *session);

/* Ends the clients that have got everything, frees dead ones. True when none is left. */
bool session_finish_clients(struct session *session);
void session_reap_clients(struct session *session);

int session_resize(struct session *session, unsigned short rows, unsigned short columns);
void session_free(struct session *session);

/* Writes as much of the backlog as the descriptor takes: 0, or -1 when the descriptor is of no use any more. */
int backlog_write(struct backlog *backlog, int fd);
int backlog_append(struct backlog *backlog, const void *data, size_t length);

#endif
