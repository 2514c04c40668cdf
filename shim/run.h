/* The state of a container's shim and what its parts ask of each other. */
#ifndef SHIM_RUN_H
#define SHIM_RUN_H

#include "connection.h"
#include "launch.h"
#include "oom.h"
#include "plan.h"
#include "pollset.h"
#include "ports.h"
#include "session.h"

/* Children that ended before their launch told their pid. */
struct stray {
  pid_t pid;
  int status;
};

struct shim {
  struct shim_plan plan;
  struct pollset pollset;
  struct log_sink *log;
  struct ports *ports;
  struct session *container; /* first in `sessions` */
  struct session *sessions;
  struct connection *connections;
  struct launch *launches;
  struct oom_watch oom;
  int listener;
  int signals;              /* signalfd of SIGCHLD */
  unsigned attachments;     /* clients that are still on their way */
  unsigned launch_number;
  struct timespec begun_at; /* monotonic */
  struct timespec started_at;
  bool leftovers_killed;
  bool cleaned;             /* CLEANED was told */
  int root;                 /* holds the container's root until the exit was told; -1 */
  pid_t releaser;           /* lets go of the root; 0: nobody has to */
  bool out_of_memory;
  struct message *refusal;  /* the payload of FAILED; NULL: the container was started, or may still be */
  bool told;                /* an engine came and heard how the start went, or will as it goes on */
  struct stray *strays;     /* the oldest first; as many as have ended since the first of the launches under way began */
  size_t stray_count, stray_room;
  char buffer[65536]; /* scratch of one handler */
};

/* The container, or the exec of this id; NULL: none. */
struct session *shim_find(struct shim *shim, const char *id);

/* All announced clients are there, or will never come: output may flow. */
void shim_attachments_arrived(struct shim *shim);

/* Sends FAILED where the container could not be started. True: it was sent. */
bool shim_tell_refusal(struct shim *shim, struct connection *connection);

/* The payload of EXITED. */
void shim_exit_message(const struct shim *shim, struct message *message);

/* Called by launch.c when the runtime has ended. */
void shim_launched(struct shim *shim, struct session *session);
void shim_launch_failed(struct shim *shim, struct session *session, unsigned stage, const char *message);

#endif
