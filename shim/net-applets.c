/*
 * `shim net-attach NAMESPACE HOST-NAME NAME BRIDGE MAC MTU HAIRPIN GATEWAYS ADDRESS… [PARAMETER=VALUE…]` gives a running container one more
 * interface; HAIRPIN is 0 or 1, GATEWAYS are none to two with a comma between them, parameters are paths below /proc/sys. `shim net-detach HOST-NAME` takes it away. `shim net-lead NAMESPACE
 * NAME GATEWAY…` sets default routes. `shim net-remove HOST-NAME…` removes interfaces together.
 * `shim net-bridge NAME MAC ALIAS MTU [ADDRESS…]` makes a bridge. What goes wrong is said on standard error.
 */
#include <stdio.h>
#include <string.h>

#include "net.h"

enum { NAMESPACE = 1, HOST_NAME, NAME, BRIDGE, MAC, MTU, HAIRPIN, GATEWAYS, ADDRESSES };

static int say(const struct failure *failure) {
  fprintf(stderr, "%s\n", failure->message);
  return 1;
}

int applet_net_attach(int argc, char **argv) {
  if (argc <= ADDRESSES) return 64;
  int sysctls = ADDRESSES;
  while (sysctls < argc && !strchr(argv[sysctls], '=')) sysctls++;
  const char *gateways[2] = {argv[GATEWAYS], strchr(argv[GATEWAYS], ',')};
  if (gateways[1]) *(char *)gateways[1]++ = '\0';
  struct interface_plan interface = {.host_name = argv[HOST_NAME],
                                     .container_name = argv[NAME],
                                     .bridge = argv[BRIDGE],
                                     .mac_address = argv[MAC],
                                     .addresses = (const char **)(argv + ADDRESSES),
                                     .address_count = (size_t)(sysctls - ADDRESSES),
                                     .sysctls = (const char **)(argv + sysctls),
                                     .sysctl_count = (size_t)(argc - sysctls),
                                     .gateways = gateways,
                                     .gateway_count = !*gateways[0] ? 0 : gateways[1] ? 2 : 1,
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
  if (argc < 5) return 64;
  struct bridge_plan plan = {.name = argv[1],
                             .mac_address = argv[2],
                             .alias = argv[3],
                             .mtu = (unsigned)strtoul(argv[4], NULL, 10),
                             .addresses = argv + 5,
                             .address_count = (size_t)(argc - 5)};
  struct failure failure = {0};
  return net_bridge(&plan, &failure) < 0 ? say(&failure) : 0;
}

int applet_net_lead(int argc, char **argv) {
  if (argc < 4) return 64;
  struct failure failure = {0};
  for (int i = 3; i < argc; i++) {
    if (net_lead(argv[1], argv[2], argv[i], &failure) < 0) return say(&failure);
  }
  return 0;
}

int applet_net_detach(int argc, char **argv) {
  if (argc != 2) return 64;
  struct failure failure = {0};
  return net_detach(argv[1], &failure) < 0 ? say(&failure) : 0;
}
