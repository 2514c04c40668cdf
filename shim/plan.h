/*
 * What a shim is told to do: the parsed form of `DIRECTORY/shim.conf`, written by src/supervisor/shim-config.ts.
 * All strings live as long as the plan. A missing string is NULL.
 */
#ifndef SHIM_PLAN_H
#define SHIM_PLAN_H

#include "shim.h"

/* One interface of a new network namespace: a veth pair whose host end is a port of `bridge`. */
struct interface_plan {
  const char *host_name;      /* at most 15 characters */
  const char *container_name; /* eth0 */
  const char *bridge;
  const char *mac_address;    /* 02:42:… */
  const char **addresses;     /* with prefix length; IPv4 or IPv6 */
  size_t address_count;
  const char **gateways;      /* of default routes, one a family at most */
  size_t gateway_count;
  unsigned mtu;
  bool hairpin;
  const char **sysctls;       /* parameters of the interface: net/ipv4/conf/eth0/log_martians=1 */
  size_t sysctl_count;
};

/* A published host port, kept bound while the container lives. */
struct port_hold {
  bool udp; /* otherwise tcp */
  const char *host_address;
  uint16_t host_port;
  const char *forward_address; /* of the container */
  uint16_t forward_port;
  bool userspace;              /* forwarded by us; otherwise only held, the firewall forwards */
};

/* A kernel parameter of the new or joined network namespace. */
struct sysctl_plan {
  const char *path; /* below /proc/sys, for example net/ipv4/ip_forward */
  const char *value;
};

enum network_kind { NETWORK_HOST, NETWORK_JOIN, NETWORK_NEW };

struct network_plan {
  enum network_kind kind;
  const char *join_path; /* NETWORK_JOIN: for example /proc/PID/ns/net */
  struct interface_plan *interfaces;
  size_t interface_count;
  struct port_hold *ports;
  size_t port_count;
  struct sysctl_plan *sysctls;
  size_t sysctl_count;
  const char *resolver; /* socket of the process that answers names inside; NULL: nobody does */
};

/* A pair for the log's `attrs`. */
struct log_attribute {
  const char *key;
  const char *value;
};

struct log_plan {
  bool json_file;    /* false: driver none */
  const char *path;
  int64_t max_size;  /* bytes; -1: never rotated */
  unsigned max_file; /* files kept, the current one included */
  bool compress;
  size_t buffer_size; /* entries that wait for the disk, in bytes; 0: the container waits for it */
  struct log_attribute *attributes;
  size_t attribute_count;
};

enum root_kind { ROOT_OVERLAY, ROOT_BIND };

struct root_plan {
  enum root_kind kind;
  const char **lower; /* the top layer first */
  size_t lower_count;
  const char *upper;
  const char *work;
  bool is_volatile;
  const char *source; /* ROOT_BIND */
};

enum stdin_mode { STDIN_CLOSED, STDIN_OPEN, STDIN_ONCE };

/* Something that the runtime finds mounted below the container's directory; see pins.h. */
struct pin_plan {
  const char *name;    /* relative to the container's directory */
  const char *root;    /* directory that the path cannot leave */
  const char *path;    /* inside of it */
  const char *process; /* pid in whose mount namespace the root is; NULL: the host's */
};

struct shim_plan {
  const char *id;
  const char *runtime_path;
  const char *runtime_root;
  const char **runtime_arguments;
  size_t runtime_argument_count;
  struct root_plan root;
  bool terminal;
  enum stdin_mode stdin_mode;
  unsigned short rows, columns; /* 0: not given */
  struct log_plan log;
  struct network_plan network;
  struct pin_plan *pins;
  size_t pin_count;
  const char *cgroup_path;  /* /berth/<id> */
  unsigned attachments;     /* attach clients that are on their way */
  char *storage;            /* the file's bytes; owned */
};

/* Reads the configuration file. On success the plan is released by plan_free. */
int plan_read(int directory, const char *name, struct shim_plan *plan, struct failure *failure);
/* Parses `length` bytes of `text`, which is changed in place and must outlive the plan. */
int plan_parse(char *text, size_t length, struct shim_plan *plan, struct failure *failure);
void plan_free(struct shim_plan *plan);

#endif
