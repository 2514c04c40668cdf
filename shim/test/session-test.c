/* The pump between a process's pipes and its clients, without a process. */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "check.h"
#include "io.h"
#include "run.h"
#include "session.h"

#define ALL (PROTOCOL_ATTACH_STDIN | PROTOCOL_ATTACH_STDOUT | PROTOCOL_ATTACH_STDERR)

struct stage {
  struct shim *shim;
  struct session *session;
  struct process_stdio process; /* the process's ends */
};

static struct stage open_stage(enum stdin_mode stdin_mode) {
  struct stage stage = {.shim = calloc(1, sizeof *stage.shim), .session = session_new("", false, stdin_mode)};
  struct failure failure;
  stage.process.null = -1;
  if (!stage.shim || session_open_stdio(stage.session, false, &stage.process, &failure) < 0) abort();
  stage.shim->listener = stage.shim->signals = -1;
  stage.session->pid = 1;
  return stage;
}

static void close_stage(struct stage *stage) {
  stdio_close(&stage->process);
  session_free(stage->session);
  free(stage->shim->pollset.fds);
  free(stage->shim->pollset.slots);
  free(stage->shim);
}

/* Runs the loop until nothing happens any more. */
static void turn(struct stage *stage) {
  for (int i = 0; i < 64; i++) {
    session_poll(stage->session, &stage->shim->pollset);
    pollset_run(&stage->shim->pollset, stage->shim, 0);
    session_reap_clients(stage->session);
  }
}

/* A client; gives the engine's end. */
static int attach(struct stage *stage, unsigned flags) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) abort();
  session_add_client(stage->session, ends[0], flags);
  return ends[1];
}

static void say(int fd, const char *text) {
  if (io_write_all(fd, text, strlen(text)) < 0) abort();
}

static size_t hear(int fd, char *buffer, size_t size) {
  ssize_t length = recv(fd, buffer, size - 1, MSG_DONTWAIT);
  buffer[length < 0 ? 0 : length] = '\0';
  return length < 0 ? 0 : (size_t)length;
}

static void frames_by_stream(struct check *check) {
  struct stage stage = open_stage(STDIN_CLOSED);
  int both = attach(&stage, ALL), errors = attach(&stage, PROTOCOL_ATTACH_STDERR);
  char buffer[256];
  say(stage.process.child[1], "out");
  turn(&stage);
  say(stage.process.child[2], "oops");
  turn(&stage);
  CHECK(hear(both, buffer, sizeof buffer) == 8 + 3 + 8 + 4);
  CHECK(memcmp(buffer, "\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\4oops", 23) == 0);
  CHECK(hear(errors, buffer, sizeof buffer) == 12 && memcmp(buffer + 8, "oops", 4) == 0);
  close(both);
  close(errors);
  close_stage(&stage);
}

static void stuck_client_holds_the_process_back(struct check *check) {
  struct stage stage = open_stage(STDIN_CLOSED);
  int stuck = attach(&stage, ALL), other = attach(&stage, ALL);
  static char block[65536], sink[1 << 20];
  io_set_nonblocking(stage.process.child[1]);
  size_t accepted = 0, taken = 0;
  for (int i = 0; i < 200; i++) {
    ssize_t written = io_write(stage.process.child[1], block, sizeof block);
    if (written > 0) accepted += (size_t)written;
    turn(&stage);
    taken += hear(other, sink, sizeof sink);
  }
  CHECK(accepted < 4 << 20); /* of 12 MiB that were offered */
  size_t backlog = 0;
  for (struct client *client = stage.session->clients; client; client = client->next) backlog += client->backlog.length;
  CHECK(backlog > 0 && backlog < 256 * 1024);
  /* Gone is not stuck: the rest flows. */
  close(stuck);
  for (int i = 0; i < 200; i++) {
    ssize_t written = io_write(stage.process.child[1], block, sizeof block);
    if (written > 0) accepted += (size_t)written;
    turn(&stage);
    taken += hear(other, sink, sizeof sink);
  }
  CHECK(accepted > 8 << 20 && taken > 8 << 20);
  CHECK(stage.session->clients && !stage.session->clients->next);
  close(other);
  close_stage(&stage);
}

static void half_close_ends_stdin_once(struct check *check) {
  struct stage stage = open_stage(STDIN_ONCE);
  int client = attach(&stage, ALL);
  char buffer[64];
  say(client, "input");
  shutdown(client, SHUT_WR);
  turn(&stage);
  CHECK(io_read(stage.process.child[0], buffer, sizeof buffer) == 5 && memcmp(buffer, "input", 5) == 0);
  CHECK(io_read(stage.process.child[0], buffer, sizeof buffer) == 0);
  /* Its other half is open still. */
  say(stage.process.child[1], "answer");
  turn(&stage);
  CHECK(hear(client, buffer, sizeof buffer) == 14);
  close(client);
  close_stage(&stage);
}

static void open_stdin_stays_open(struct check *check) {
  struct stage stage = open_stage(STDIN_OPEN);
  char buffer[64];
  for (int i = 0; i < 2; i++) {
    int client = attach(&stage, PROTOCOL_ATTACH_STDIN);
    say(client, "x");
    close(client);
    turn(&stage);
  }
  CHECK(io_read(stage.process.child[0], buffer, sizeof buffer) == 2);
  CHECK(stage.session->input >= 0 && stage.session->clients == NULL);
  close_stage(&stage);
}

static void closed_reader_is_no_error(struct check *check) {
  struct stage stage = open_stage(STDIN_OPEN);
  int client = attach(&stage, ALL);
  close(stage.process.child[0]);
  stage.process.child[0] = -1;
  turn(&stage);
  CHECK(stage.session->input < 0);
  say(client, "nobody");
  say(stage.process.child[1], "alive");
  turn(&stage);
  char buffer[64];
  CHECK(hear(client, buffer, sizeof buffer) == 13);
  close(client);
  close_stage(&stage);
}

static void last_output_is_kept_for_a_slow_client(struct check *check) {
  struct stage stage = open_stage(STDIN_CLOSED);
  int client = attach(&stage, ALL);
  static char block[65536], sink[1 << 20];
  io_set_nonblocking(stage.process.child[1]);
  size_t offered = 0;
  for (int i = 0; i < 100; i++) {
    ssize_t written = io_write(stage.process.child[1], block, sizeof block);
    if (written > 0) offered += (size_t)written;
    turn(&stage);
  }
  stdio_close(&stage.process);
  stage.session->exited = true;
  turn(&stage);
  CHECK(session_drained(stage.session));
  CHECK(!session_finish_clients(stage.session));
  size_t payload = 0;
  while (!session_finish_clients(stage.session)) {
    payload += hear(client, sink, sizeof sink);
    turn(&stage);
  }
  for (size_t got; (got = hear(client, sink, sizeof sink)) > 0;) payload += got;
  CHECK(payload > offered && payload < offered + 8 * 300); /* the frames' heads */
  close(client);
  close_stage(&stage);
}

int main(void) {
  struct check check = {0};
  signal(SIGPIPE, SIG_IGN);
  RUN(&check, frames_by_stream);
  RUN(&check, stuck_client_holds_the_process_back);
  RUN(&check, half_close_ends_stdin_once);
  RUN(&check, open_stdin_stays_open);
  RUN(&check, closed_reader_is_no_error);
  RUN(&check, last_output_is_kept_for_a_slow_client);
  return check.failed_tests != 0;
}
