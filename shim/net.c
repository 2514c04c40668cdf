/* See net.h. All of it is a handful of netlink messages: two waits for the kernel per interface. */
#include "net.h"

#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>

#include "io.h"
#include "rtnetlink.h"
#include "tree.h"

struct address {
  unsigned char family;
  unsigned char prefix;
  size_t size;
  unsigned char bytes[16];
};

/* `172.17.0.2/16`, `172.17.0.1`, or the same in IPv6. */
static int parse_address(const char *text, struct address *address, struct failure *failure) {
  char host[INET6_ADDRSTRLEN];
  size_t length = strcspn(text, "/");
  if (length >= sizeof host) return fail(failure, 0, "invalid address %s", text);
  memcpy(host, text, length);
  host[length] = '\0';
  address->family = strchr(host, ':') ? AF_INET6 : AF_INET;
  address->size = address->family == AF_INET6 ? 16 : 4;
  address->prefix = (unsigned char)(address->size * 8);
  if (inet_pton(address->family, host, address->bytes) != 1) return fail(failure, 0, "invalid address %s", text);
  if (text[length] != '\0') {
    char *end;
    unsigned long prefix = strtoul(text + length + 1, &end, 10);
    if (*end != '\0' || end == text + length + 1 || prefix > address->prefix) {
      return fail(failure, 0, "invalid address %s", text);
    }
    address->prefix = (unsigned char)prefix;
  }
  return 0;
}

static int parse_mac(const char *text, unsigned char mac[6], struct failure *failure) {
  int used = 0;
  if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &used) != 6 ||
      text[used] != '\0') {
    return fail(failure, 0, "invalid MAC address %s", text);
  }
  return 0;
}

/* The veth pair in one message: host end up and in its bridge, the other end in the caller's namespace and still down. */
static int add_pair(struct rtnetlink_batch *batch, const struct interface_plan *interface, int bridge, struct failure *failure) {
  unsigned char mac[6];
  if (parse_mac(interface->mac_address, mac, failure) < 0) return -1;
  struct ifinfomsg *link =
      rtnetlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *link, "create the container's interface");
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  rtnetlink_text(batch, IFLA_IFNAME, interface->host_name);
  rtnetlink_u32(batch, IFLA_MTU, interface->mtu);
  rtnetlink_u32(batch, IFLA_MASTER, (uint32_t)bridge);
  struct rtattr *info = rtnetlink_nest(batch, IFLA_LINKINFO);
  rtnetlink_text(batch, IFLA_INFO_KIND, "veth");
  struct rtattr *data = rtnetlink_nest(batch, IFLA_INFO_DATA);
  struct rtattr *peer = rtnetlink_nest(batch, VETH_INFO_PEER);
  rtnetlink_raw(batch, sizeof(struct ifinfomsg));
  rtnetlink_text(batch, IFLA_IFNAME, interface->container_name);
  rtnetlink_u32(batch, IFLA_MTU, interface->mtu);
  rtnetlink_attribute(batch, IFLA_ADDRESS, mac, sizeof mac);
  rtnetlink_u32(batch, IFLA_NET_NS_PID, (uint32_t)getpid());
  rtnetlink_end(batch, peer);
  rtnetlink_end(batch, data);
  rtnetlink_end(batch, info);
  return 0;
}

/* What the host knows of a former owner of the address is replaced; the first packet then needs no ARP either. */
static int add_neighbours(struct rtnetlink_batch *batch, const struct interface_plan *interface, int bridge, int family,
                          struct failure *failure) {
  unsigned char mac[6];
  if (parse_mac(interface->mac_address, mac, failure) < 0) return -1;
  for (size_t i = 0; i < interface->address_count; i++) {
    struct address address;
    if (parse_address(interface->addresses[i], &address, failure) < 0) return -1;
    if (address.family != family) continue;
    struct ndmsg *neighbour =
        rtnetlink_begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof *neighbour, "announce the container's address");
    neighbour->ndm_family = address.family;
    neighbour->ndm_ifindex = bridge;
    neighbour->ndm_state = NUD_STALE;
    rtnetlink_attribute(batch, NDA_DST, address.bytes, address.size);
    rtnetlink_attribute(batch, NDA_LLADDR, mac, sizeof mac);
  }
  return 0;
}

/* Runs messages; `passed` is an error that is as good as success. */
static int run_one(int host, struct rtnetlink_batch *batch, int passed, struct failure *failure) {
  struct failure own = {0};
  if (rtnetlink_run(host, batch, &own) == 0 || own.code == passed) return 0;
  if (failure) *failure = own;
  return -1;
}

static int make_pair(int host, const struct interface_plan *interface, struct failure *failure) {
  int bridge = rtnetlink_index(host, interface->bridge);
  if (bridge < 0) return fail(failure, errno, "find bridge %s", interface->bridge);
  struct rtnetlink_batch batch = {0};
  if (add_pair(&batch, interface, bridge, failure) < 0) return -1;
  if (add_neighbours(&batch, interface, bridge, AF_INET, failure) < 0) return -1;
  if (rtnetlink_run(host, &batch, failure) < 0) return -1;
  /* By itself: where the bridge has no IPv6 (the network is isolated), the host needs no neighbours there. */
  if (add_neighbours(&batch, interface, bridge, AF_INET6, failure) < 0) return -1;
  if (batch.count > 0 && run_one(host, &batch, EINVAL, failure) < 0) return -1;
  if (!interface->hairpin) return 0;

  int index = rtnetlink_index(host, interface->host_name);
  if (index < 0) return fail(failure, errno, "find interface %s", interface->host_name);
  struct ifinfomsg *port = rtnetlink_begin(&batch, RTM_SETLINK, 0, sizeof *port, "set hairpin mode");
  port->ifi_family = AF_BRIDGE;
  port->ifi_index = index;
  struct rtattr *options = rtnetlink_nest(&batch, IFLA_PROTINFO | NLA_F_NESTED);
  rtnetlink_attribute(&batch, IFLA_BRPORT_MODE, &(unsigned char){1}, 1);
  rtnetlink_end(&batch, options);
  return rtnetlink_run(host, &batch, failure);
}

static void set_up(struct rtnetlink_batch *batch, int index, const char *what) {
  struct ifinfomsg *link = rtnetlink_begin(batch, RTM_NEWLINK, 0, sizeof *link, what);
  link->ifi_index = index;
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
}

static void add_address(struct rtnetlink_batch *batch, int index, const struct address *address) {
  struct ifaddrmsg *message =
      rtnetlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *message, "set the container's address");
  message->ifa_family = address->family;
  message->ifa_prefixlen = address->prefix;
  message->ifa_index = (uint32_t)index;
  /* Addresses come from our own pool: nobody else has them, so IPv6 need not look. */
  if (address->family == AF_INET6) message->ifa_flags = IFA_F_NODAD;
  rtnetlink_attribute(batch, IFA_LOCAL, address->bytes, address->size);
  rtnetlink_attribute(batch, IFA_ADDRESS, address->bytes, address->size);
  if (address->family == AF_INET && address->prefix < 31) {
    unsigned char broadcast[4];
    for (unsigned i = 0; i < 4; i++) {
      unsigned kept = address->prefix > i * 8 ? address->prefix - i * 8 : 0;
      broadcast[i] = address->bytes[i] | (unsigned char)(kept >= 8 ? 0 : 0xff >> kept);
    }
    rtnetlink_attribute(batch, IFA_BROADCAST, broadcast, sizeof broadcast);
  }
}

static void add_default_route(struct rtnetlink_batch *batch, int index, const struct address *gateway) {
  struct rtmsg *route =
      rtnetlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *route, "set the container's default route");
  route->rtm_family = gateway->family;
  route->rtm_table = RT_TABLE_MAIN;
  route->rtm_protocol = RTPROT_BOOT;
  route->rtm_scope = RT_SCOPE_UNIVERSE;
  route->rtm_type = RTN_UNICAST;
  rtnetlink_attribute(batch, RTA_GATEWAY, gateway->bytes, gateway->size);
  rtnetlink_u32(batch, RTA_OIF, (uint32_t)index);
}

/* A network without IPv6 gives no link-local address either, as Docker's. A kernel without IPv6 has no such file. */
static void disable_ipv6(const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
  _cleanup_fd_ int fd = RETRY(open(path, O_WRONLY | O_CLOEXEC));
  if (fd < 0 || io_write(fd, "1", 1) < 0) return;
}

/* Parameters of the interface, in the namespace that this process is in. */
static int write_parameters(const struct interface_plan *interface, struct failure *failure) {
  if (interface->sysctl_count == 0) return 0;
  _cleanup_fd_ int root = RETRY(open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root < 0) return fail(failure, errno, "open /proc/sys/net");
  for (size_t i = 0; i < interface->sysctl_count; i++) {
    const char *text = interface->sysctls[i], *equals = strchr(text, '=');
    char path[256];
    if (!equals || strncmp(text, "net/", 4) != 0 || (size_t)(equals - text) >= sizeof path) {
      return fail(failure, EINVAL, "kernel parameter %s", text);
    }
    size_t length = (size_t)(equals - text) - 4;
    memcpy(path, text + 4, length);
    path[length] = '\0';
    _cleanup_fd_ int file = tree_open(root, path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || io_write_all(file, equals + 1, strlen(equals + 1)) < 0) {
      return fail(failure, errno, "set kernel parameter %s", text);
    }
  }
  return 0;
}

/* The container's side: addresses, up, default route. */
static int configure(int inside, const struct interface_plan *interface, struct failure *failure) {
  int index = rtnetlink_index(inside, interface->container_name);
  if (index < 0) return fail(failure, errno, "find interface %s", interface->container_name);
  struct rtnetlink_batch batch = {0};
  bool ipv6 = false;
  for (size_t i = 0; i < interface->address_count; i++) {
    struct address address;
    if (parse_address(interface->addresses[i], &address, failure) < 0) return -1;
    ipv6 |= address.family == AF_INET6;
    add_address(&batch, index, &address);
  }
  if (!ipv6) disable_ipv6(interface->container_name);
  set_up(&batch, index, "set the container's interface up");
  for (size_t i = 0; i < interface->gateway_count; i++) {
    struct address gateway;
    if (parse_address(interface->gateways[i], &gateway, failure) < 0) return -1;
    add_default_route(&batch, index, &gateway);
  }
  return rtnetlink_run(inside, &batch, failure) < 0 ? -1 : write_parameters(interface, failure);
}

/* The other end goes with it. One that is gone already is no error. */
static int net_detach_from(int host, const char *host_name, struct failure *failure) {
  struct rtnetlink_batch batch = {0};
  rtnetlink_begin(&batch, RTM_DELLINK, 0, sizeof(struct ifinfomsg), "remove the container's interface");
  rtnetlink_text(&batch, IFLA_IFNAME, host_name);
  struct failure own = {0};
  if (rtnetlink_run(host, &batch, &own) == 0 || own.code == ENODEV) return 0;
  if (failure) *failure = own;
  return -1;
}

static int make_namespace(const struct network_plan *plan, struct failure *failure) {
  _cleanup_fd_ int host = plan->interface_count > 0 ? rtnetlink_open(failure) : -1;
  if (plan->interface_count > 0 && host < 0) return -1;
  if (unshare(CLONE_NEWNET) < 0) return fail(failure, errno, "make a network namespace");
  _cleanup_fd_ int inside = rtnetlink_open(failure);
  if (inside < 0) return -1;
  struct rtnetlink_batch loopback = {0};
  set_up(&loopback, 1, "set the loopback interface up"); /* always the first interface of a namespace */
  if (rtnetlink_run(inside, &loopback, failure) < 0) return -1;
  for (size_t i = 0; i < plan->interface_count; i++) {
    if (make_pair(host, &plan->interfaces[i], failure) < 0) return -1;
    if (configure(inside, &plan->interfaces[i], failure) < 0) return -1;
  }
  return 0;
}

int net_attach(const char *namespace_path, const struct interface_plan *interface, struct failure *failure) {
  _cleanup_fd_ int host = rtnetlink_open(failure);
  if (host < 0) return -1;
  struct network_plan join = {.kind = NETWORK_JOIN, .join_path = namespace_path};
  if (net_setup(&join, failure) < 0) return -1;
  _cleanup_fd_ int inside = rtnetlink_open(failure);
  if (inside < 0) return -1;
  if (make_pair(host, interface, failure) < 0) return -1;
  if (configure(inside, interface, failure) == 0) return 0;
  net_detach_from(host, interface->host_name, NULL);
  return -1;
}

int net_lead(const char *namespace_path, const char *name, const char *gateway_text, struct failure *failure) {
  struct network_plan join = {.kind = NETWORK_JOIN, .join_path = namespace_path};
  struct address gateway;
  if (parse_address(gateway_text, &gateway, failure) < 0 || net_setup(&join, failure) < 0) return -1;
  _cleanup_fd_ int inside = rtnetlink_open(failure);
  if (inside < 0) return -1;
  int index = rtnetlink_index(inside, name);
  if (index < 0) return fail(failure, errno, "find interface %s", name);
  struct rtnetlink_batch batch = {0};
  add_default_route(&batch, index, &gateway);
  batch.message->nlmsg_flags &= (uint16_t)~NLM_F_EXCL;
  batch.message->nlmsg_flags |= NLM_F_REPLACE;
  return rtnetlink_run(inside, &batch, failure);
}

/* Writes a switch of the bridge. A kernel without IPv6 does not have them all. */
static void set_switch(const char *bridge, const char *name, bool on) {
  char path[96];
  snprintf(path, sizeof path, "/proc/sys/net/ipv%c/conf/%s/%s", *name, bridge, name + 2);
  _cleanup_fd_ int fd = RETRY(open(path, O_WRONLY | O_CLOEXEC));
  if (fd < 0 || io_write(fd, on ? "1" : "0", 1) < 0) return;
}

int net_bridge(const struct bridge_plan *plan, struct failure *failure) {
  unsigned char mac[6];
  struct address addresses[2];
  bool ipv6 = false;
  if (parse_mac(plan->mac_address, mac, failure) < 0) return -1;
  if (plan->address_count > sizeof addresses / sizeof *addresses) return fail(failure, E2BIG, "addresses of the bridge");
  for (size_t i = 0; i < plan->address_count; i++) {
    if (parse_address(plan->addresses[i], &addresses[i], failure) < 0) return -1;
    ipv6 |= addresses[i].family == AF_INET6;
  }
  _cleanup_fd_ int host = rtnetlink_open(failure);
  if (host < 0) return -1;
  struct rtnetlink_batch batch = {0};
  rtnetlink_begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg), "create the bridge");
  rtnetlink_text(&batch, IFLA_IFNAME, plan->name);
  rtnetlink_attribute(&batch, IFLA_ADDRESS, mac, sizeof mac);
  struct rtattr *info = rtnetlink_nest(&batch, IFLA_LINKINFO);
  rtnetlink_text(&batch, IFLA_INFO_KIND, "bridge");
  rtnetlink_end(&batch, info);
  if (run_one(host, &batch, EEXIST, failure) < 0) return -1;
  int index = rtnetlink_index(host, plan->name);
  if (index < 0) return fail(failure, errno, "find bridge %s", plan->name);
  set_switch(plan->name, "4/route_localnet", true);
  set_switch(plan->name, "6/disable_ipv6", !ipv6);
  if (ipv6) set_switch(plan->name, "6/accept_ra", false); /* a container is no router of the host */
  for (size_t i = 0; i < plan->address_count; i++) {
    add_address(&batch, index, &addresses[i]);
    if (run_one(host, &batch, EEXIST, failure) < 0) return -1;
  }
  set_up(&batch, index, "set the bridge up");
  rtnetlink_u32(&batch, IFLA_MTU, plan->mtu);
  rtnetlink_attribute(&batch, IFLA_IFALIAS, plan->alias, strlen(plan->alias));
  return rtnetlink_run(host, &batch, failure);
}

/* Far from the numbers that people give their groups. */
#define DOOMED_GROUP 0x42657274

int net_remove(char *const *names, size_t count, struct failure *failure) {
  _cleanup_fd_ int host = rtnetlink_open(failure);
  if (host < 0) return -1;
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    struct rtnetlink_batch batch = {0};
    rtnetlink_begin(&batch, RTM_NEWLINK, 0, sizeof(struct ifinfomsg), "mark an interface");
    rtnetlink_text(&batch, IFLA_IFNAME, names[i]);
    rtnetlink_u32(&batch, IFLA_GROUP, DOOMED_GROUP);
    struct failure own = {0};
    if (rtnetlink_run(host, &batch, &own) == 0) {
      found++;
    } else if (own.code != ENODEV) {
      if (failure) *failure = own;
      return -1;
    }
  }
  if (found == 0) return 0;
  struct rtnetlink_batch batch = {0};
  rtnetlink_begin(&batch, RTM_DELLINK, 0, sizeof(struct ifinfomsg), "remove interfaces");
  rtnetlink_u32(&batch, IFLA_GROUP, DOOMED_GROUP);
  struct failure own = {0};
  /* Another engine may have taken its own and ours away in one go. */
  if (rtnetlink_run(host, &batch, &own) == 0 || own.code == ENODEV) return 0;
  if (failure) *failure = own;
  return -1;
}

int net_detach(const char *host_name, struct failure *failure) {
  _cleanup_fd_ int host = rtnetlink_open(failure);
  return host < 0 ? -1 : net_detach_from(host, host_name, failure);
}

int net_setup(const struct network_plan *plan, struct failure *failure) {
  switch (plan->kind) {
    case NETWORK_HOST:
      return 0;
    case NETWORK_JOIN: {
      _cleanup_fd_ int fd = RETRY(open(plan->join_path, O_RDONLY | O_CLOEXEC));
      if (fd < 0) return fail(failure, errno, "open network namespace %s", plan->join_path);
      return setns(fd, CLONE_NEWNET) < 0 ? fail(failure, errno, "join network namespace %s", plan->join_path) : 0;
    }
    case NETWORK_NEW:
      return make_namespace(plan, failure);
  }
  return fail(failure, EINVAL, "unknown network kind");
}
