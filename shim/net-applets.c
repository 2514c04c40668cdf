/*
 * `shim net-attach NAMESPACE HOST-NAME NAME BRIDGE MAC MTU HAIRPIN GATEWAY ADDRESS… [PARAMETER=VALUE…]` gives a running container one more
 * interface; HAIRPIN is 0 or 1, an empty GATEWAY means no default route, parameters are paths below /proc/sys. `shim net-detach HOST-NAME` takes it away. `shim net-lead NAMESPACE
 * NAME GATEWAY` sets the default route. `shim net-remove HOST-NAME…` removes interfaces together.
 * `shim net-bridge NAME ADDRESS MAC ALIAS MTU` makes a bridge, without an address where that is empty. What goes wrong is said on standard error.
 */
#include <stdio.h>
#include <string.h>

#include "net.h"

enum { NAMESPACE = 1, HOST_NAME, NAME, BRIDGE, MAC, MTU, HAIRPIN, GATEWAY, ADDRESSES };

static int say(const struct failure *failure) {
  fprintf(stderr, "%s\n", failure->message);
  return 1;
}

int applet_net_attach(int argc, char **argv) {
  if (argc <= ADDRESSES) return 64;
  int sysctls = ADDRESSES;
  while (sysctls < argc && !strchr(argv[sysctls], '=')) sysctls++;
  struct interface_plan interface = {.host_name = argv[HOST_NAME],
                                     .container_name = argv[NAME],
                                     .bridge = argv[BRIDGE],
                                     .mac_address = argv[MAC],
                                     .addresses = (const char **)(argv + ADDRESSES),
                                     .address_count = (size_t)(sysctls - ADDRESSES),
                                     .sysctls = (const char **)(argv + sysctls),
                                     .sysctl_count = (size_t)(argc - sysctls),
                                     .gateway = *argv[GATEWAY] ? argv[GATEWAY] : NULL,
                                     .mtu = (unsigned)strtoul(argv[MTU], NULL, 10),
                                     .hairpin = *argv[HAIRPIN] == '1'};
  struct failure failure = {0};
  return net_attach(argv[NAMESPACE], &interface, &failure) < 0 ? say(&failure) : 0;
}

int applet_net_remove(int argc, char **argv) {
  struct failure failure = {0};
  return net_remove(argv + 1, (size_t)(argc - 1), &failure) < 0 ? say(&failure) : 0;
}

int applet_net_bridge(int argc, char **argv) {
  if (argc != 6) return 64;
  struct bridge_plan plan = {
      .name = argv[1], .address = *argv[2] ? argv[2] : NULL, .mac_address = argv[3], .alias = argv[4], .mtu = (unsigned)strtoul(argv[5], NULL, 10)};
  struct failure failure = {0};
  return net_bridge(&plan, &failure) < 0 ? say(&failure) : 0;
}

int applet_net_lead(int argc, char **argv) {
  if (argc != 4) return 64;
  struct failure failure = {0};
  return net_lead(argv[1], argv[2], argv[3], &failure) < 0 ? say(&failure) : 0;
}

int applet_net_detach(int argc, char **argv) {
  if (argc != 2) return 64;
  struct failure failure = {0};
  return net_detach(argv[1], &failure) < 0 ? say(&failure) : 0;
}
