/*
 * `shim run`: the working directory is the container's directory below the exec root, descriptor 3 listens at its shim.sock.
 *
 * Life: read shim.conf, hold the ports, fork the starter, serve. The shim ends when the exit is on disk and told, the kernel's
 * objects are removed and every attached client has got its output. It is the subreaper of everything that the container
 * leaves behind, needs no engine, and ignores the engine's death.
 */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "cgroup.h"
#include "cleanup.h"
#include "io.h"

#define LISTENER 3
/* How long output waits for the attached clients that were announced. */
#define ATTACHMENTS_MILLISECONDS 10000
/* How long what a process leaves behind may hold its output open before the exit is told all the same. */
#define LEFTOVERS_MILLISECONDS 10
#define CONTAINER_DRAIN_MILLISECONDS 500
#define EXEC_DRAIN_MILLISECONDS 2000
/* How long a shim without a container waits for the engine to come and hear why, or how a container ended that was quicker than it. */
#define TELL_MILLISECONDS 10000
/* Children that ended and are kept for a launch to claim. */
#define STRAYS_MOST 16384

struct session *shim_find(struct shim *shim, const char *id) {
  for (struct session *session = shim->sessions; session; session = session->next) {
    if (strcmp(session->id, id) == 0) return session;
  }
  return NULL;
}

static uint64_t nanoseconds(const struct timespec *time) {
  return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static void session_exited(struct session *session, int status) {
  session->exited = true;
  session->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  clock_gettime(CLOCK_REALTIME, &session->exited_at);
  clock_gettime(CLOCK_MONOTONIC, &session->drain_since);
}

/* True while the pid is a child's, be it a zombie. */
static bool is_child(pid_t pid) {
  siginfo_t info;
  return RETRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) == 0;
}

/* A process may end before its launch told the shim which one it is. A child of this pid is a later one than any stray. */
static void claim_stray(struct shim *shim, struct session *session) {
  if (is_child(session->pid)) return;
  for (size_t i = shim->stray_count; i-- > 0;) {
    if (shim->strays[i].pid != session->pid) continue;
    int status = shim->strays[i].status;
    shim->stray_count--;
    memmove(shim->strays + i, shim->strays + i + 1, (shim->stray_count - i) * sizeof *shim->strays);
    session_exited(session, status);
    return;
  }
}

static void tell_out_of_memory(struct shim *shim) {
  shim->out_of_memory = true;
  connections_notify(shim, PROTOCOL_OUT_OF_MEMORY, NULL, 0);
}

void shim_launched(struct shim *shim, struct session *session) {
  struct message message = {0};
  if (session == shim->container) {
    clock_gettime(CLOCK_REALTIME, &shim->started_at);
    for (struct connection *connection = shim->connections; connection; connection = connection->next) {
      if (connection->control) connection_greet(shim, connection);
    }
    if (oom_open(&shim->oom, shim->plan.cgroup_path)) tell_out_of_memory(shim);
  } else {
    message_id(&message, session->id);
    message_u32(&message, (uint32_t)session->pid);
    connections_notify(shim, PROTOCOL_EXEC_STARTED, message.data, message.length);
  }
  claim_stray(shim, session);
}

static void tell_cleaned(struct shim *shim) {
  shim->cleaned = true;
  connections_notify(shim, PROTOCOL_CLEANED, NULL, 0);
}

/*
 * The last to let go of an overlay waits until the whole disk of its upper directory is written, which can take seconds. That
 * would be the container's first process, before anybody is told of its exit: so the shim holds the root as well, and when
 * the exit is told lets a child have the wait.
 */
static void release_root(struct shim *shim) {
  if (shim->root < 0) {
    tell_cleaned(shim);
    return;
  }
  shim->releaser = fork();
  if (shim->releaser == 0) {
    if (shim->root > 0) syscall(SYS_close_range, 0, (unsigned)shim->root - 1, 0);
    syscall(SYS_close_range, (unsigned)shim->root + 1, ~0u, 0);
    _exit(0);
  }
  close(shim->root);
  shim->root = -1;
  if (shim->releaser < 0) tell_cleaned(shim); /* no memory for a child: this process has waited */
}

bool shim_tell_refusal(struct shim *shim, struct connection *connection) {
  if (!shim->refusal) return false;
  connection_send(connection, PROTOCOL_FAILED, 0, shim->refusal->data, shim->refusal->length);
  if (shim->cleaned) connection_send(connection, PROTOCOL_CLEANED, 0, NULL, 0);
  shim->told = true;
  return true;
}

/* Tells the engine, now and whenever it comes, why there is no container. */
static void refuse_container(struct shim *shim, unsigned stage, const char *text) {
  shim->refusal = calloc(1, sizeof *shim->refusal);
  if (!shim->refusal) return; /* the engine sees that the shim is gone */
  message_u8(shim->refusal, stage);
  message_text(shim->refusal, text);
  shim->told = false; /* an engine that came before may have died since */
  for (struct connection *connection = shim->connections; connection; connection = connection->next) {
    if (connection->control) shim_tell_refusal(shim, connection);
  }
}

void shim_launch_failed(struct shim *shim, struct session *session, unsigned stage, const char *text) {
  struct message message = {0};
  session->pid = -1;
  session->exited = session->reported = true;
  session_close_streams(session);
  if (session == shim->container) {
    cgroup_kill(shim->plan.cgroup_path);
    cleanup_after_exit(&shim->plan);
    refuse_container(shim, stage, text);
    release_root(shim);
  } else {
    message_id(&message, session->id);
    message_text(&message, text);
    connections_notify(shim, PROTOCOL_EXEC_FAILED, message.data, message.length);
  }
}

/* There is room for as many as a hundred launches at once bring along; what is kept for nobody goes with the last launch. */
static void keep_stray(struct shim *shim, pid_t pid, int status) {
  if (!shim->launches) {
    free(shim->strays);
    shim->strays = NULL;
    shim->stray_count = shim->stray_room = 0;
    return;
  }
  if (shim->stray_count == shim->stray_room) {
    size_t room = shim->stray_room == 0 ? 64 : 2 * shim->stray_room;
    struct stray *strays = room <= STRAYS_MOST ? realloc(shim->strays, room * sizeof *strays) : NULL;
    if (strays) {
      shim->strays = strays;
      shim->stray_room = room;
    } else if (shim->stray_count > 0) {
      memmove(shim->strays, shim->strays + 1, --shim->stray_count * sizeof *shim->strays);
    } else {
      return;
    }
  }
  shim->strays[shim->stray_count++] = (struct stray){pid, status};
}

static void reap(struct shim *shim) {
  int status;
  for (pid_t pid; (pid = RETRY(waitpid(-1, &status, WNOHANG))) > 0;) {
    if (launch_ended(shim, pid, status)) continue;
    if (pid == shim->releaser) {
      tell_cleaned(shim);
      continue;
    }
    if (ports_forwarder_ended(shim->ports, pid)) continue;
    struct session *session = shim->sessions;
    while (session && (session->pid != pid || session->exited)) session = session->next;
    if (session) session_exited(session, status);
    else keep_stray(shim, pid, status);
  }
}

static void handle_signals(struct shim *shim, void *object, void *part, short events) {
  (void)object;
  (void)part;
  (void)events;
  struct signalfd_siginfo info;
  while (io_read(shim->signals, &info, sizeof info) > 0) {
  }
  reap(shim);
}

static void handle_oom(struct shim *shim, void *object, void *part, short events) {
  (void)object;
  (void)part;
  (void)events;
  if (oom_check(&shim->oom)) tell_out_of_memory(shim);
}

static int64_t milliseconds_since(const struct timespec *since) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return ((int64_t)now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

void shim_attachments_arrived(struct shim *shim) {
  shim->attachments = 0;
  /* The output of a process that has ended meanwhile begins to flow only now. */
  clock_gettime(CLOCK_MONOTONIC, &shim->container->drain_since);
}

/* Milliseconds until something is due for an exited process whose output is still held open; -1: nothing is. */
static int drain_left(const struct shim *shim, const struct session *session) {
  if (!session->exited || session->reported || session_drained(session)) return -1;
  if (session == shim->container && shim->attachments > 0) return -1;
  int64_t limit = EXEC_DRAIN_MILLISECONDS;
  if (session == shim->container) limit = shim->leftovers_killed ? CONTAINER_DRAIN_MILLISECONDS : LEFTOVERS_MILLISECONDS;
  int64_t passed = milliseconds_since(&session->drain_since);
  return passed >= limit ? 0 : (int)(limit - passed);
}

void shim_exit_message(const struct shim *shim, struct message *message) {
  message_u32(message, (uint32_t)shim->container->code);
  message_u8(message, shim->out_of_memory);
  message_u64(message, nanoseconds(&shim->container->exited_at));
}

/* The container is gone and its output read: the exit goes to disk and to the engine, then the kernel's objects go. */
static void report_container(struct shim *shim) {
  struct session *session = shim->container;
  struct message message = {0};
  session_take_rest(shim, session);
  session_close_streams(session);
  log_close(shim->log);
  shim->log = session->log = NULL;
  if (oom_check(&shim->oom) && !shim->out_of_memory) tell_out_of_memory(shim);
  oom_close(&shim->oom);
  cleanup_write_exit(session->code, shim->out_of_memory, session->exited_at.tv_sec, session->exited_at.tv_nsec);
  ports_release(shim->ports); /* whoever hears of the exit may have the ports */
  shim->ports = NULL;
  shim_exit_message(shim, &message);
  connections_notify(shim, PROTOCOL_EXITED, message.data, message.length);
  session->reported = true;
  session_finish_clients(session);
  cleanup_after_exit(&shim->plan);
  reap(shim); /* what was killed for it is a child of this subreaper by now */
  release_root(shim);
}

static void report_exec(struct shim *shim, struct session *session) {
  struct message message = {0};
  message_id(&message, session->id);
  message_u32(&message, (uint32_t)session->code);
  message_u64(&message, nanoseconds(&session->exited_at));
  connections_notify(shim, PROTOCOL_EXEC_EXITED, message.data, message.length);
  session->reported = true;
}

/* An exited process has said everything, or what it left behind has held its output for long enough. */
static bool session_over(const struct session *session, int64_t limit) {
  return session->exited && (session_drained(session) || milliseconds_since(&session->drain_since) >= limit);
}

/* Milliseconds for which the engine may still come to hear of the start; 0: it has come, or is dead. */
static int telling_left(const struct shim *shim) {
  if (shim->told) return 0;
  int64_t left = TELL_MILLISECONDS - milliseconds_since(&shim->begun_at);
  return left > 0 ? (int)left : 0;
}

/* True when the container's part is finished. */
static bool settle_container(struct shim *shim) {
  struct session *container = shim->container;
  session_reap_clients(container);
  bool complete = shim->attachments == 0 || session_drained(container);
  if (!container->reported && complete && session_over(container, CONTAINER_DRAIN_MILLISECONDS)) {
    report_container(shim);
  } else if (!shim->leftovers_killed && drain_left(shim, container) == 0) {
    /* Output is still open: processes have survived, because the container had no pid namespace of its own. */
    shim->leftovers_killed = true;
    cgroup_kill(shim->plan.cgroup_path);
  }
  return container->reported && session_finish_clients(container) && shim->cleaned && telling_left(shim) == 0;
}

/* True when nothing is left of the exec. Background processes of it may go on writing: to nobody. */
static bool settle_exec(struct shim *shim, struct session *session) {
  session_reap_clients(session);
  bool told = session->reported || session_over(session, EXEC_DRAIN_MILLISECONDS) || (session->exited && shim->container->reported);
  if (!told || !session_finish_clients(session)) return false;
  if (!session->reported) report_exec(shim, session);
  return session_drained(session) || shim->container->reported;
}

/* Brings every session as far as it can go; frees the execs that are done. True when nothing is left to do. */
static bool settle(struct shim *shim) {
  bool finished = settle_container(shim);
  for (struct session **link = &shim->container->next; *link;) {
    struct session *session = *link;
    if (settle_exec(shim, session)) {
      *link = session->next;
      session_free(session);
    } else {
      finished = false;
      link = &session->next;
    }
  }
  return finished && !shim->launches;
}

/* Milliseconds that clients may still take to come; -1: all are here, or the engine that announced them has died. */
static int attachments_left(struct shim *shim) {
  if (shim->attachments == 0) return -1;
  int64_t left = ATTACHMENTS_MILLISECONDS - milliseconds_since(&shim->begun_at);
  if (left > 0) return (int)left;
  shim_attachments_arrived(shim);
  return -1;
}

static void serve(struct shim *shim) {
  while (!settle(shim)) {
    struct pollset *set = &shim->pollset;
    int timeout = attachments_left(shim), telling = telling_left(shim);
    if (telling > 0 && (timeout < 0 || telling < timeout)) timeout = telling;
    connections_poll(shim, set);
    launches_poll(shim, set);
    pollset_add(set, shim->signals, POLLIN, (struct poll_slot){handle_signals, NULL, NULL});
    if (shim->oom.fd >= 0) pollset_add(set, shim->oom.fd, shim->oom.events, (struct poll_slot){handle_oom, NULL, NULL});
    for (struct session *session = shim->sessions; session; session = session->next) {
      if (session != shim->container || shim->attachments == 0) session_poll(session, set);
      int left = drain_left(shim, session);
      if (left >= 0 && (timeout < 0 || left < timeout)) timeout = left;
    }
    log_flush(shim->log);
    pollset_run(set, shim, timeout);
    connections_reap(shim);
  }
}

/* Whoever stops the engine's service or presses Ctrl-C does not mean the containers. runtime_exec undoes this. */
static void ignore_polite_requests(void) {
  static const int requests[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) signal(requests[i], SIG_IGN);
}

static int set_up(struct shim *shim, struct failure *failure) {
  sigset_t children;
  ignore_polite_requests();
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &children, NULL) < 0) return fail(failure, errno, "block SIGCHLD");
  shim->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (shim->signals < 0) return fail(failure, errno, "make a signalfd");
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return fail(failure, errno, "become a subreaper");
  if (plan_read(AT_FDCWD, "shim.conf", &shim->plan, failure) < 0) return -1;
  shim->attachments = shim->plan.attachments;
  clock_gettime(CLOCK_MONOTONIC, &shim->begun_at);
  shim->container = shim->sessions = session_new("", shim->plan.terminal, shim->plan.stdin_mode);
  return shim->container ? 0 : fail(failure, ENOMEM, "start");
}

/* Nothing was started: stays until the engine, whose connections wait in the listener's queue, has heard why. */
static int refuse(struct shim *shim, unsigned stage, const char *text) {
  if (!shim->container) shim->container = shim->sessions = session_new("", false, STDIN_CLOSED);
  if (!shim->container) return 1;
  refuse_container(shim, stage, text);
  clock_gettime(CLOCK_MONOTONIC, &shim->begun_at);
  for (int left; (left = telling_left(shim)) > 0;) {
    connections_poll(shim, &shim->pollset);
    pollset_run(&shim->pollset, shim, left);
    connections_reap(shim);
  }
  return 1;
}

int applet_run(int argc, char **argv) {
  (void)argv;
  if (argc != 1 || fcntl(LISTENER, F_SETFD, FD_CLOEXEC) < 0) return 64;
  syscall(SYS_close_range, LISTENER + 1, ~0u, 0);
  setsid(); /* fails where the engine has done it already */
  struct shim *shim = calloc(1, sizeof *shim);
  if (!shim) return 1;
  struct failure failure = {0};
  shim->listener = LISTENER;
  io_set_nonblocking(LISTENER);
  shim->oom.fd = shim->oom.control = shim->root = -1;
  if (set_up(shim, &failure) < 0) return refuse(shim, PROTOCOL_STAGE_SETUP, failure.message);
  if (ports_hold(&shim->plan.network, &shim->ports, &failure) < 0) return refuse(shim, PROTOCOL_STAGE_NETWORK, failure.message);
  if (launch_container(shim, &failure) < 0) return refuse(shim, PROTOCOL_STAGE_SETUP, failure.message);
  shim->launches->rows = shim->plan.rows;
  shim->launches->columns = shim->plan.columns;
  if (ports_need_forwarder(shim->ports)) ports_start_forwarder(shim->ports);
  if (log_open(&shim->plan.log, &shim->log, &failure) < 0) shim->log = NULL; /* the container matters more than its log */
  cgroup_warm_up();
  shim->container->log = shim->log;
  serve(shim);
  return 0;
}
