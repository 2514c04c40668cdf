/* net_setup, from a network namespace of the test's own that plays the host. */
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "io.h"
#include "net-names.h"
#include "rtnetlink.h"

static const char *addresses[] = {"10.9.8.2/24"};
static const char *bridge_gateways[] = {"10.9.8.1"};
static const char *foreign_gateways[] = {"192.0.2.1"};

static struct interface_plan interface_of(const char *host_name, const char *bridge) {
  return (struct interface_plan){.host_name = host_name,
                                 .container_name = "eth0",
                                 .bridge = bridge,
                                 .mac_address = "02:42:0a:09:08:02",
                                 .addresses = addresses,
                                 .address_count = 1,
                                 .gateways = bridge_gateways,
                                 .gateway_count = 1,
                                 .mtu = 1400,
                                 .hairpin = true};
}

/* Runs `inside` in a child after net_setup; 0 or the child's exit status. */
static int in_container(const struct network_plan *plan, struct failure *failure, int (*inside)(void)) {
  int channel[2];
  if (pipe2(channel, O_CLOEXEC) < 0) return 99;
  pid_t pid = fork();
  if (pid == 0) {
    struct failure own = {0};
    if (net_setup(plan, &own) < 0) {
      io_write_all(channel[1], &own, sizeof own);
      _exit(98);
    }
    _exit(inside());
  }
  close(channel[1]);
  if (failure) io_read_full(channel[0], failure, sizeof *failure);
  close(channel[0]);
  int status;
  RETRY(waitpid(pid, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static int flags_of(const char *name) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {0};
  strcpy(request.ifr_name, name);
  int flags = ioctl(fd, SIOCGIFFLAGS, &request) < 0 ? -1 : (unsigned short)request.ifr_flags;
  close(fd);
  return flags;
}

/* The link's state of operation follows its carrier from a work queue of the kernel: up to five seconds for it. */
static int comes_up(const char *name) {
  const struct timespec millisecond = {.tv_nsec = 1000000};
  for (int tries = 0; tries < 5000; tries++, nanosleep(&millisecond, NULL)) {
    int flags = flags_of(name);
    if (flags >= 0 && (flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING)) return 1;
  }
  return 0;
}

static int bad;
#define EXPECT(condition) \
  if (!(condition)) printf("# inside, line %d: %s\n", __LINE__, #condition), fflush(stdout), bad = 1

static int look_at_bridged(void) {
  struct ifreq request = {0};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT(flags_of("lo") & IFF_UP);
  EXPECT(comes_up("eth0"));
  strcpy(request.ifr_name, "eth0");
  EXPECT(ioctl(fd, SIOCGIFADDR, &request) == 0);
  EXPECT(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr == inet_addr("10.9.8.2"));
  EXPECT(ioctl(fd, SIOCGIFBRDADDR, &request) == 0);
  EXPECT(((struct sockaddr_in *)&request.ifr_broadaddr)->sin_addr.s_addr == inet_addr("10.9.8.255"));
  EXPECT(ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu == 1400);
  EXPECT(ioctl(fd, SIOCGIFHWADDR, &request) == 0);
  EXPECT(memcmp(request.ifr_hwaddr.sa_data, "\x02\x42\x0a\x09\x08\x02", 6) == 0);
  /* The default route leads out. */
  struct sockaddr_in world = {.sin_family = AF_INET, .sin_port = 9, .sin_addr.s_addr = inet_addr("198.51.100.1")};
  EXPECT(connect(fd, (struct sockaddr *)&world, sizeof world) == 0);
  char disabled[8];
  if (io_read_text(AT_FDCWD, "/proc/sys/net/ipv6/conf/eth0/disable_ipv6", disabled, sizeof disabled) > 0) {
    EXPECT(disabled[0] == '1');
  }
  /* The gateway answers: a refusal of its closed port needs a way there and back. */
  int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in gateway = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.9.8.1")};
  EXPECT(connect(stream, (struct sockaddr *)&gateway, sizeof gateway) < 0 && errno == ECONNREFUSED);
  return bad;
}

static int look_at_both_families(void) {
  struct sockaddr_in6 world = {.sin6_family = AF_INET6, .sin6_port = 9}, gateway = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
  inet_pton(AF_INET6, "2001:db8::1", &world.sin6_addr);
  inet_pton(AF_INET6, "fd00:9::1", &gateway.sin6_addr);
  EXPECT(comes_up("eth0"));
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT(connect(fd, (struct sockaddr *)&world, sizeof world) == 0);
  /* Nobody waits for a detection of duplicates: both ends have their addresses at once. */
  int stream = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT(connect(stream, (struct sockaddr *)&gateway, sizeof gateway) < 0 && errno == ECONNREFUSED);
  return bad;
}

static int look_at_lonely(void) {
  EXPECT(flags_of("lo") & IFF_UP);
  EXPECT(flags_of("eth0") == -1);
  return bad;
}

static int look_at_nothing(void) { return 0; }

static void a_bridged_container_has_its_interface(struct check *check) {
  struct interface_plan interface = interface_of("vbtest", "br0");
  struct network_plan plan = {.kind = NETWORK_NEW, .interfaces = &interface, .interface_count = 1};
  struct failure failure = {0};
  CHECK(in_container(&plan, &failure, look_at_bridged) == 0);
  CHECK(failure.message[0] == '\0');
}

static void a_bridge_of_both_families_leads_both_out(struct check *check) {
  static const char *own[] = {"10.9.7.2/24", "fd00:9::2/64"}, *gateways[] = {"10.9.7.1", "fd00:9::1"};
  static char *const of_bridge[] = {"10.9.7.1/24", "fd00:9::1/64"};
  struct bridge_plan bridge = {.name = "br6", .mac_address = "02:42:0a:09:07:01", .alias = "", .mtu = 1400,
                               .addresses = of_bridge, .address_count = 2};
  struct failure failure = {0};
  CHECK(net_bridge(&bridge, &failure) == 0);
  CHECK(net_bridge(&bridge, &failure) == 0);
  struct interface_plan interface = interface_of("vb6", "br6");
  interface.addresses = own;
  interface.gateways = gateways;
  interface.address_count = interface.gateway_count = 2;
  struct network_plan plan = {.kind = NETWORK_NEW, .interfaces = &interface, .interface_count = 1};
  CHECK(in_container(&plan, &failure, look_at_both_families) == 0);
  CHECK(failure.message[0] == '\0');
  /* Where the bridge has no IPv6, the container has it all the same: the network is isolated. */
  bridge.address_count = 1;
  CHECK(net_bridge(&bridge, &failure) == 0);
  /* A name of its own: the kernel takes the other container's away from a work queue. */
  interface.host_name = "vb6b";
  CHECK(in_container(&plan, &failure, look_at_nothing) == 0);
}

static void without_interfaces_there_is_only_loopback(struct check *check) {
  struct network_plan plan = {.kind = NETWORK_NEW};
  CHECK(in_container(&plan, NULL, look_at_lonely) == 0);
}

static void host_and_join_make_nothing(struct check *check) {
  struct network_plan host = {.kind = NETWORK_HOST};
  CHECK(net_setup(&host, NULL) == 0);
  struct network_plan join = {.kind = NETWORK_JOIN, .join_path = "/proc/self/ns/net"};
  CHECK(net_setup(&join, NULL) == 0);
  struct failure failure = {0};
  join.join_path = "/proc/0/ns/net";
  CHECK(net_setup(&join, &failure) < 0 && failure.code == ENOENT);
  CHECK(flags_of("br0") >= 0);
}

static int look_at_parameter(void) {
  char value[8] = {0};
  int fd = open("/proc/sys/net/ipv4/conf/eth0/log_martians", O_RDONLY);
  EXPECT(fd >= 0 && read(fd, value, sizeof value - 1) > 0 && *value == '1');
  close(fd);
  return bad;
}

static void parameters_of_an_interface_are_written_inside(struct check *check) {
  const char *sysctls[] = {"net/ipv4/conf/eth0/log_martians=1"};
  struct interface_plan interface = interface_of("vbparam", "br0");
  interface.sysctls = sysctls;
  interface.sysctl_count = 1;
  struct network_plan plan = {.kind = NETWORK_NEW, .interfaces = &interface, .interface_count = 1};
  CHECK(in_container(&plan, NULL, look_at_parameter) == 0);
  struct failure failure = {0};
  static const char *evil[] = {"kernel/hostname=x", "net/../kernel/hostname=x", "net/ipv4/conf/eth0/log_martians", "net/nosuch=1"};
  for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
    sysctls[0] = evil[i];
    /* The one before may not be gone yet: a namespace is taken down aside. */
    char name[IFNAMSIZ];
    snprintf(name, sizeof name, "vbparam%zu", i);
    interface = interface_of(name, "br0");
    interface.sysctls = sysctls;
    interface.sysctl_count = 1;
    CHECK(in_container(&plan, &failure, look_at_nothing) == 98 && strstr(failure.message, evil[i]));
  }
}

/* A resolver that gives one answer, in a child; its pid. */
static pid_t answer_once(const char *path, const char *answer, int delay_ms) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  usleep((useconds_t)delay_ms * 1000);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink(path);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0) _exit(1);
  int client = accept(listener, NULL, NULL);
  char question[256] = {0};
  if (read(client, question, sizeof question - 1) <= 0) _exit(2);
  char expected[64];
  snprintf(expected, sizeof expected, "{\"open\":\"abc\",\"pid\":%d}\n", (int)getppid());
  if (strcmp(question, expected) != 0) _exit(3);
  if (write(client, answer, strlen(answer)) < 0) _exit(4);
  _exit(0);
}

static void the_resolver_is_waited_for_and_its_refusal_told(struct check *check) {
  char path[64];
  snprintf(path, sizeof path, "/tmp/names-test-%d", (int)getpid());
  static const struct {
    const char *answer;
    int delay_ms;
    const char *failure;
  } cases[] = {{"ok\n", 0, NULL}, {"ok\n", 200, NULL}, {"no such container\n", 0, "no such container"}, {"", 0, "it ended"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct failure failure = {0};
    unlink(path);
    pid_t pid = answer_once(path, cases[i].answer, cases[i].delay_ms);
    int result = names_open(path, "abc", &failure);
    CHECK((result == 0) == (cases[i].failure == NULL));
    if (cases[i].failure) CHECK(strstr(failure.message, cases[i].failure));
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  unlink(path);
}

static void mistakes_are_named_and_leave_nothing(struct check *check) {
  struct failure failure = {0};
  struct interface_plan interface = interface_of("vbgone", "nobridge");
  struct network_plan plan = {.kind = NETWORK_NEW, .interfaces = &interface, .interface_count = 1};
  CHECK(in_container(&plan, &failure, look_at_nothing) == 98 && strstr(failure.message, "nobridge"));
  interface = interface_of("vbmac", "br0");
  interface.mac_address = "02:42:zz";
  CHECK(in_container(&plan, &failure, look_at_nothing) == 98 && strstr(failure.message, "02:42:zz"));
  const char *wrong[] = {"10.9.8.2/33"};
  interface = interface_of("vbaddr", "br0");
  interface.addresses = wrong;
  CHECK(in_container(&plan, &failure, look_at_nothing) == 98 && strstr(failure.message, "10.9.8.2/33"));
  interface = interface_of("vbroute", "br0");
  interface.gateways = foreign_gateways;
  CHECK(in_container(&plan, &failure, look_at_nothing) == 98 && strstr(failure.message, "default route"));
  /* The kernel takes the pair away with the namespace, soon after the last process in it. */
  static const char *names[] = {"vbgone", "vbmac", "vbaddr", "vbroute", "vbtest"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bool gone = false;
    for (int tries = 0; tries < 2000 && !gone; tries++) {
      gone = flags_of(names[i]) == -1;
      if (!gone) usleep(1000);
    }
    CHECK(gone);
  }
}

int main(void) {
  struct check check = {0};
  if (unshare(CLONE_NEWNET) < 0) {
    perror("unshare");
    return 1;
  }
  int socket = rtnetlink_open(NULL);
  struct rtnetlink_batch batch = {0};
  struct ifinfomsg *bridge = rtnetlink_begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *bridge, "bridge");
  bridge->ifi_flags = bridge->ifi_change = IFF_UP;
  rtnetlink_text(&batch, IFLA_IFNAME, "br0");
  struct rtattr *info = rtnetlink_nest(&batch, IFLA_LINKINFO);
  rtnetlink_text(&batch, IFLA_INFO_KIND, "bridge");
  rtnetlink_end(&batch, info);
  struct failure failure = {0};
  if (rtnetlink_run(socket, &batch, &failure) < 0) {
    printf("# %s\n", failure.message);
    return 1;
  }
  struct ifaddrmsg *address = rtnetlink_begin(&batch, RTM_NEWADDR, NLM_F_CREATE, sizeof *address, "address");
  address->ifa_family = AF_INET;
  address->ifa_prefixlen = 24;
  address->ifa_index = (unsigned)rtnetlink_index(socket, "br0");
  in_addr_t value = inet_addr("10.9.8.1");
  rtnetlink_attribute(&batch, IFA_LOCAL, &value, sizeof value);
  if (rtnetlink_run(socket, &batch, &failure) < 0) return 1;
  close(socket);
  RUN(&check, a_bridged_container_has_its_interface);
  RUN(&check, a_bridge_of_both_families_leads_both_out);
  RUN(&check, without_interfaces_there_is_only_loopback);
  RUN(&check, host_and_join_make_nothing);
  RUN(&check, parameters_of_an_interface_are_written_inside);
  RUN(&check, the_resolver_is_waited_for_and_its_refusal_told);
  RUN(&check, mistakes_are_named_and_leave_nothing);
  return check.failed_tests != 0;
}
