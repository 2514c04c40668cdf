/* Held and forwarded ports, in a network namespace of the test's own. */
#include "ports.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "check.h"
#include "io.h"
#include "rtnetlink.h"

static int bound(const char *host, uint16_t port, int type, bool reuse, bool listening) {
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  bool is_v6 = strchr(host, ':') != NULL;
  int fd = socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
  int on = reuse;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  inet_pton(is_v6 ? AF_INET6 : AF_INET, host, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
  struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
  if (bind(fd, address, is_v6 ? sizeof v6 : sizeof v4) == 0 && (!listening || listen(fd, 64) == 0)) return fd;
  close(fd);
  return -1;
}

static int connected(const char *host, uint16_t port, int type) {
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  bool is_v6 = strchr(host, ':') != NULL;
  int fd = socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
  inet_pton(is_v6 ? AF_INET6 : AF_INET, host, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
  struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
  if (RETRY(connect(fd, address, is_v6 ? sizeof v6 : sizeof v4)) == 0) return fd;
  close(fd);
  return -1;
}

static struct port_hold hold(const char *host, uint16_t port, bool udp, bool userspace) {
  return (struct port_hold){.udp = udp,
                            .host_address = host,
                            .host_port = port,
                            .forward_address = "127.0.0.1",
                            .forward_port = (uint16_t)(port + 1000),
                            .userspace = userspace};
}

static int take(struct port_hold *holds, size_t count, struct ports **ports, struct failure *failure) {
  struct network_plan plan = {.kind = NETWORK_NEW, .ports = holds, .port_count = count};
  return ports_hold(&plan, ports, failure);
}

static void held_ports_are_taken(struct check *check) {
  struct port_hold holds[] = {hold("0.0.0.0", 8080, false, false), hold("::", 8080, false, true), hold("127.0.0.1", 8053, true, false)};
  struct ports *ports;
  struct failure failure = {0};
  CHECK(take(holds, 3, &ports, &failure) == 0 && ports);
  if (!ports) return;
  CHECK(ports_need_forwarder(ports));
  for (int reuse = 0; reuse < 2; reuse++) {
    CHECK(bound("0.0.0.0", 8080, SOCK_STREAM, reuse, true) < 0);
    CHECK(bound("127.0.0.1", 8080, SOCK_STREAM, reuse, true) < 0);
    CHECK(bound("::", 8080, SOCK_STREAM, reuse, true) < 0);
    CHECK(bound("127.0.0.1", 8053, SOCK_DGRAM, reuse, false) < 0);
  }
  ports_release(ports);
  int free_again = bound("0.0.0.0", 8080, SOCK_STREAM, false, true);
  CHECK(free_again >= 0);
  close(free_again);
}

static void a_taken_port_is_refused_by_name_and_leaves_nothing(struct check *check) {
  int other = bound("127.0.0.1", 8090, SOCK_STREAM, true, true);
  struct port_hold holds[] = {hold("0.0.0.0", 8089, false, false), hold("0.0.0.0", 8090, false, false)};
  struct ports *ports;
  struct failure failure = {0};
  CHECK(take(holds, 2, &ports, &failure) < 0 && !ports);
  CHECK(failure.code == EADDRINUSE);
  CHECK(strcmp(failure.message, "failed to bind host port for 0.0.0.0:8090:127.0.0.1:9090/tcp: address already in use") == 0);
  close(other);
  CHECK(take(holds, 2, &ports, &failure) == 0);
  ports_release(ports);
  struct port_hold foreign = hold("192.0.2.77", 8091, false, false);
  CHECK(take(&foreign, 1, &ports, &failure) < 0);
  CHECK(strstr(failure.message, ": cannot assign requested address") != NULL);
}

static void no_ports_are_no_holder(struct check *check) {
  struct ports *ports = (struct ports *)1;
  CHECK(take(NULL, 0, &ports, NULL) == 0 && !ports);
  ports_release(ports);
}

/* The side that closes first keeps the port in TIME_WAIT. */
static void remains_of_closed_connections_do_not_hinder(struct check *check) {
  int server = bound("0.0.0.0", 8100, SOCK_STREAM, true, true);
  int client = connected("127.0.0.1", 8100, SOCK_STREAM);
  int accepted = accept(server, NULL, NULL);
  close(accepted);
  char byte;
  CHECK(io_read(client, &byte, 1) == 0);
  close(client);
  close(server);
  CHECK(bound("0.0.0.0", 8100, SOCK_STREAM, false, true) < 0);
  struct port_hold wanted = hold("0.0.0.0", 8100, false, false);
  struct ports *ports;
  CHECK(take(&wanted, 1, &ports, NULL) == 0 && ports);
  if (!ports) return;
  CHECK(ports_need_forwarder(ports));
  CHECK(bound("0.0.0.0", 8100, SOCK_STREAM, true, true) < 0);
  ports_release(ports);
}

#define BULK (8 << 20)

/* Sends BULK bytes, ends its half, and expects them back from a server that answers after the end. */
static void tcp_is_forwarded_with_half_close(struct check *check) {
  struct port_hold wanted = hold("::1", 8110, false, true);
  struct ports *ports;
  CHECK(take(&wanted, 1, &ports, NULL) == 0);
  ports_start_forwarder(ports); /* first, so that it holds none of the sockets below */
  int server = bound("127.0.0.1", 9110, SOCK_STREAM, true, true);
  pid_t echo = fork();
  if (echo == 0) {
    int fd = accept(server, NULL, NULL);
    char *data = malloc(BULK);
    if (fd < 0 || !data || io_read_full(fd, data, BULK) != BULK) _exit(1);
    char extra;
    if (io_read(fd, &extra, 1) != 0) _exit(2);
    _exit(io_write_all(fd, data, BULK) < 0);
  }
  int client = connected("::1", 8110, SOCK_STREAM);
  CHECK(client >= 0);
  unsigned char *data = malloc(BULK), *answer = malloc(BULK);
  for (size_t i = 0; i < BULK; i++) data[i] = (unsigned char)(i * 2654435761u >> 13);
  CHECK(io_write_all(client, data, BULK) == 0);
  shutdown(client, SHUT_WR);
  CHECK(io_read_full(client, answer, BULK) == BULK);
  CHECK(memcmp(data, answer, BULK) == 0);
  CHECK(io_read(client, answer, 1) == 0);
  int status = -1;
  RETRY(waitpid(echo, &status, 0));
  CHECK(status == 0);
  close(client);
  close(server);
  client = connected("::1", 8110, SOCK_STREAM); /* nobody behind it: reset, not silence */
  struct pollfd waiting = {.fd = client, .events = POLLIN};
  CHECK(poll(&waiting, 1, 5000) == 1);
  CHECK(io_read(client, answer, 1) < 0 && errno == ECONNRESET);
  close(client);
  free(data);
  free(answer);
  ports_release(ports);
  int free_again = bound("::1", 8110, SOCK_STREAM, true, true);
  CHECK(free_again >= 0);
  close(free_again);
}

static void udp_clients_get_their_own_answers(struct check *check) {
  int server = bound("127.0.0.1", 9120, SOCK_DGRAM, false, false);
  struct port_hold wanted = hold("::", 8120, true, true);
  struct ports *ports;
  CHECK(take(&wanted, 1, &ports, NULL) == 0);
  ports_start_forwarder(ports);
  int clients[20];
  for (int i = 0; i < 20; i++) {
    clients[i] = connected("::1", 8120, SOCK_DGRAM);
    CHECK(send(clients[i], &(char){(char)i}, 1, 0) == 1);
  }
  struct sockaddr_in peers[20];
  for (int i = 0; i < 20; i++) {
    char byte = -1;
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    CHECK(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&peer, &length) == 1);
    if (byte >= 0 && byte < 20) peers[(int)byte] = peer;
  }
  for (int i = 19; i >= 0; i--) {
    char byte = (char)(100 + i);
    CHECK(sendto(server, &byte, 1, 0, (struct sockaddr *)&peers[i], sizeof peers[i]) == 1);
  }
  for (int i = 0; i < 20; i++) {
    struct pollfd waiting = {.fd = clients[i], .events = POLLIN};
    char byte = 0;
    CHECK(poll(&waiting, 1, 5000) == 1 && recv(clients[i], &byte, 1, 0) == 1 && byte == (char)(100 + i));
    close(clients[i]);
  }
  close(server);
  ports_release(ports);
}

static void thousands_of_ports_fit_under_a_low_limit(struct check *check) {
  enum { MANY = 3000 };
  struct port_hold *holds = calloc(MANY, sizeof *holds);
  for (unsigned i = 0; i < MANY; i++) holds[i] = hold("0.0.0.0", (uint16_t)(20000 + i), false, false);
  struct ports *ports;
  struct failure failure = {0};
  CHECK(take(holds, MANY, &ports, &failure) == 0);
  ports_release(ports);
  free(holds);
}

int main(void) {
  struct check check = {0};
  signal(SIGPIPE, SIG_IGN);
  if (unshare(CLONE_NEWNET) < 0) {
    perror("unshare");
    return 1;
  }
  int socket = rtnetlink_open(NULL);
  struct rtnetlink_batch batch = {0};
  struct ifinfomsg *link = rtnetlink_begin(&batch, RTM_NEWLINK, 0, sizeof *link, "loopback");
  link->ifi_index = 1;
  link->ifi_flags = link->ifi_change = 1;
  if (rtnetlink_run(socket, &batch, NULL) < 0) return 1;
  close(socket);
  RUN(&check, held_ports_are_taken);
  RUN(&check, a_taken_port_is_refused_by_name_and_leaves_nothing);
  RUN(&check, no_ports_are_no_holder);
  RUN(&check, remains_of_closed_connections_do_not_hinder);
  RUN(&check, tcp_is_forwarded_with_half_close);
  RUN(&check, udp_clients_get_their_own_answers);
  RUN(&check, thousands_of_ports_fit_under_a_low_limit);
  return check.failed_tests != 0;
}
