/* See ports.h: binding and holding. Forwarding is in ports-forward.c. */
#include "ports.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "io.h"
#include "ports-forward.h"

struct ports {
  size_t count;
  size_t forwarded;
  struct held_port *held;
  pid_t forwarder; /* 0: none runs */
};

/* A bound socket outlasts the limit that it was made under: the container inherits the old one. */
static void raise_file_limit(size_t count, struct rlimit *before) {
  if (getrlimit(RLIMIT_NOFILE, before) < 0) return;
  rlim_t needed = count + 64;
  if (before->rlim_cur == RLIM_INFINITY || before->rlim_cur >= needed) return;
  struct rlimit wanted = {.rlim_cur = needed, .rlim_max = before->rlim_max < needed ? needed : before->rlim_max};
  setrlimit(RLIMIT_NOFILE, &wanted); /* where that fails socket() says so */
}

static int parse_endpoint(const char *host, uint16_t port, struct endpoint *endpoint) {
  memset(endpoint, 0, sizeof *endpoint);
  if (strchr(host, ':')) {
    endpoint->length = sizeof endpoint->v6;
    endpoint->v6.sin6_family = AF_INET6;
    endpoint->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, host, &endpoint->v6.sin6_addr) == 1 ? 0 : -1;
  }
  endpoint->length = sizeof endpoint->v4;
  endpoint->v4.sin_family = AF_INET;
  endpoint->v4.sin_port = htons(port);
  return inet_pton(AF_INET, host, &endpoint->v4.sin_addr) == 1 ? 0 : -1;
}

/* One attempt: the bound (with `listening` also listening) socket, or -1 with errno. */
static int try_bind(const struct port_hold *hold, const struct endpoint *endpoint, bool listening) {
  int family = endpoint->any.sa_family;
  int fd = socket(family, (hold->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int on = 1;
  bool fine = true;
  if (family == AF_INET6) fine = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
  /* Beside a listener SO_REUSEADDR lets nobody in, and it sees past the remains of earlier connections (TIME_WAIT). */
  if (fine && listening) fine = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
  if (fine && hold->udp && hold->userspace) {
    fine = family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0
                              : setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
  }
  if (fine) fine = bind(fd, &endpoint->any, endpoint->length) == 0;
  if (fine && listening) fine = listen(fd, SOMAXCONN) == 0;
  if (fine) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static int refuse(const struct port_hold *hold, int code, struct failure *failure) {
  const char *why = code == EADDRINUSE      ? "address already in use"
                    : code == EADDRNOTAVAIL ? "cannot assign requested address"
                    : code == EACCES        ? "permission denied"
                                            : strerror(code);
  const char *open = strchr(hold->host_address, ':') ? "[" : "", *shut = *open ? "]" : "";
  fail(failure, 0, "failed to bind host port for %s%s%s:%u:%s:%u/%s: %s", open, hold->host_address, shut,
       (unsigned)hold->host_port, hold->forward_address, (unsigned)hold->forward_port, hold->udp ? "udp" : "tcp", why);
  if (failure) failure->code = code;
  return -1;
}

/* Gives 1 when `held` is filled, 0 when the host has no IPv6 for `[::]`. */
static int hold_port(const struct port_hold *hold, struct held_port *held, struct failure *failure) {
  struct endpoint host;
  if (!hold->host_address || !hold->forward_address) return fail(failure, 0, "a published port has no address");
  if (parse_endpoint(hold->host_address, hold->host_port, &host) < 0) {
    return fail(failure, 0, "invalid host address %s", hold->host_address);
  }
  if (parse_endpoint(hold->forward_address, hold->forward_port, &held->target) < 0) {
    return fail(failure, 0, "invalid address %s", hold->forward_address);
  }
  held->udp = hold->udp;
  held->forwarded = hold->userspace;
  held->fd = try_bind(hold, &host, hold->userspace && !hold->udp);
  if (held->fd < 0 && errno == EADDRINUSE && !hold->userspace && !hold->udp) {
    /* Only the remains of closed connections? Then a listener may have the port, and a listener must serve. */
    held->fd = try_bind(hold, &host, true);
    held->forwarded = true;
  }
  if (held->fd >= 0) return 1;
  if (errno == EAFNOSUPPORT && host.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&host.v6.sin6_addr)) return 0;
  return refuse(hold, errno, failure);
}

int ports_hold(const struct network_plan *plan, struct ports **ports, struct failure *failure) {
  *ports = NULL;
  if (plan->kind != NETWORK_NEW || plan->port_count == 0) return 0;
  struct ports *made = calloc(1, sizeof *made);
  if (made) made->held = calloc(plan->port_count, sizeof *made->held);
  if (!made || !made->held) {
    free(made);
    return fail(failure, ENOMEM, "hold published ports");
  }
  struct rlimit before;
  raise_file_limit(plan->port_count, &before);
  int result = 0;
  for (size_t i = 0; i < plan->port_count && result >= 0; i++) {
    struct held_port *held = &made->held[made->count];
    result = hold_port(&plan->ports[i], held, failure);
    if (result != 1) continue;
    made->count++;
    made->forwarded += held->forwarded;
  }
  setrlimit(RLIMIT_NOFILE, &before);
  if (result < 0) {
    ports_release(made);
    return -1;
  }
  *ports = made;
  return 0;
}

bool ports_need_forwarder(const struct ports *ports) { return ports && ports->forwarded > 0; }

/* Strangers speak to this process, and all that it needs is open: it keeps no way to anything else. */
static void give_up_rights(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  /* A directory without anything in it that can be opened. */
  if (chroot("/proc/self/fdinfo") == 0 && chdir("/") < 0) _exit(1);
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_FSIZE, &none);
  setrlimit(RLIMIT_NPROC, &none);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct empty[_LINUX_CAPABILITY_U32S_3] = {0};
  syscall(SYS_capset, &header, empty);
}

static _Noreturn void forward(struct ports *ports) {
  /* Two sockets and four pipe ends a connection. */
  struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  give_up_rights();
  forward_ports(ports->held, ports->count);
}

void ports_start_forwarder(struct ports *ports) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    forward(ports);
  }
  ports->forwarder = pid < 0 ? 0 : pid;
}

bool ports_forwarder_ended(struct ports *ports, pid_t pid) {
  if (!ports || ports->forwarder != pid) return false;
  ports->forwarder = 0;
  return true;
}

void ports_release(struct ports *ports) {
  if (!ports) return;
  if (ports->forwarder > 0) { /* it has the sockets too */
    kill(ports->forwarder, SIGKILL);
    (void)RETRY(waitpid(ports->forwarder, NULL, 0));
  }
  for (size_t i = 0; i < ports->count; i++) close(ports->held[i].fd);
  free(ports->held);
  free(ports);
}
