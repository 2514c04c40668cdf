/*
 * Reads `shim.conf`: lines of `key value`, in which a backslash stands before a backslash or (as `\n`) for a newline. A key of
 * a group (`interface`, `port`, `pin`, `sysctl`, `log.attribute`) begins a new member, keys with the group's prefix belong to the last one.
 */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io.h"

/* Makes room for one more member of an array that grows by powers of two. */
static void *grow(void *array, size_t count, size_t size) {
  if (count != 0 && (count & (count - 1)) != 0) return array;
  return realloc(array, (count == 0 ? 1 : count * 2) * size);
}

static int add_string(const char ***list, size_t *count, const char *value) {
  const char **grown = grow(*list, *count, sizeof *grown);
  if (!grown) return -1;
  *list = grown;
  grown[(*count)++] = value;
  return 0;
}

#define ADD_MEMBER(list, count)                               \
  ({                                                          \
    __typeof__(list) grown_ = grow(list, count, sizeof *list); \
    if (grown_) {                                             \
      list = grown_;                                          \
      memset(&list[count], 0, sizeof *list);                  \
      count++;                                                \
    }                                                         \
    grown_ ? 0 : -1;                                          \
  })

static int number(const char *value, int64_t minimum, int64_t maximum, int64_t *result) {
  char *end;
  errno = 0;
  long long parsed = strtoll(value, &end, 10);
  if (errno != 0 || end == value || *end != '\0' || parsed < minimum || parsed > maximum) return -1;
  *result = parsed;
  return 0;
}

/* Undoes the escapes in place. */
static void unescape(char *text) {
  char *to = strchr(text, '\\');
  if (!to) return;
  for (const char *from = to; *from; from++) {
    if (*from == '\\' && from[1]) {
      from++;
      *to++ = *from == 'n' ? '\n' : *from;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
}

static int parse_interface(struct network_plan *network, const char *key, char *value) {
  int64_t parsed;
  if (*key == '\0') {
    if (ADD_MEMBER(network->interfaces, network->interface_count) < 0) return -1;
    network->interfaces[network->interface_count - 1].host_name = value;
    return 0;
  }
  if (network->interface_count == 0) return -1;
  struct interface_plan *interface = &network->interfaces[network->interface_count - 1];
  if (strcmp(key, ".name") == 0) interface->container_name = value;
  else if (strcmp(key, ".bridge") == 0) interface->bridge = value;
  else if (strcmp(key, ".mac") == 0) interface->mac_address = value;
  else if (strcmp(key, ".address") == 0) return add_string(&interface->addresses, &interface->address_count, value);
  else if (strcmp(key, ".sysctl") == 0) return add_string(&interface->sysctls, &interface->sysctl_count, value);
  else if (strcmp(key, ".gateway") == 0) return add_string(&interface->gateways, &interface->gateway_count, value);
  else if (strcmp(key, ".hairpin") == 0) interface->hairpin = *value == '1';
  else if (strcmp(key, ".mtu") == 0 && number(value, 68, 65535, &parsed) == 0) interface->mtu = (unsigned)parsed;
  else return -1;
  return 0;
}

static int parse_port(struct network_plan *network, const char *key, char *value) {
  int64_t parsed;
  if (*key == '\0') {
    if (ADD_MEMBER(network->ports, network->port_count) < 0) return -1;
    network->ports[network->port_count - 1].udp = strcmp(value, "udp") == 0;
    return 0;
  }
  if (network->port_count == 0) return -1;
  struct port_hold *port = &network->ports[network->port_count - 1];
  if (strcmp(key, ".host-address") == 0) port->host_address = value;
  else if (strcmp(key, ".forward-address") == 0) port->forward_address = value;
  else if (strcmp(key, ".userspace") == 0) port->userspace = *value == '1';
  else if (strcmp(key, ".host-port") == 0 && number(value, 0, 65535, &parsed) == 0) port->host_port = (uint16_t)parsed;
  else if (strcmp(key, ".forward-port") == 0 && number(value, 1, 65535, &parsed) == 0) port->forward_port = (uint16_t)parsed;
  else return -1;
  return 0;
}

static int parse_sysctl(struct network_plan *network, const char *key, char *value) {
  if (*key == '\0') {
    if (ADD_MEMBER(network->sysctls, network->sysctl_count) < 0) return -1;
    network->sysctls[network->sysctl_count - 1] = (struct sysctl_plan){.path = value, .value = ""};
    return 0;
  }
  if (network->sysctl_count == 0 || strcmp(key, ".value") != 0) return -1;
  network->sysctls[network->sysctl_count - 1].value = value;
  return 0;
}

static int parse_pin(struct shim_plan *plan, const char *key, char *value) {
  if (*key == '\0') {
    if (ADD_MEMBER(plan->pins, plan->pin_count) < 0) return -1;
    plan->pins[plan->pin_count - 1].name = value;
    return 0;
  }
  if (plan->pin_count == 0) return -1;
  struct pin_plan *pin = &plan->pins[plan->pin_count - 1];
  if (strcmp(key, ".root") == 0) pin->root = value;
  else if (strcmp(key, ".path") == 0) pin->path = value;
  else if (strcmp(key, ".process") == 0) pin->process = value;
  else return -1;
  return 0;
}

static int parse_log(struct log_plan *log, const char *key, char *value) {
  int64_t parsed;
  if (strcmp(key, "json-file") == 0) {
    log->json_file = true;
    log->path = value;
  } else if (strcmp(key, "max-size") == 0 && number(value, -1, INT64_MAX, &parsed) == 0) {
    log->max_size = parsed;
  } else if (strcmp(key, "max-file") == 0 && number(value, 1, 1000000, &parsed) == 0) {
    log->max_file = (unsigned)parsed;
  } else if (strcmp(key, "buffer-size") == 0 && number(value, 1, INT32_MAX, &parsed) == 0) {
    log->buffer_size = (size_t)parsed;
  } else if (strcmp(key, "compress") == 0) {
    log->compress = *value == '1';
  } else if (strcmp(key, "attribute") == 0) {
    if (ADD_MEMBER(log->attributes, log->attribute_count) < 0) return -1;
    log->attributes[log->attribute_count - 1] = (struct log_attribute){.key = value, .value = ""};
  } else if (strcmp(key, "attribute.value") == 0 && log->attribute_count > 0) {
    log->attributes[log->attribute_count - 1].value = value;
  } else {
    return -1;
  }
  return 0;
}

static int parse_root(struct root_plan *root, const char *key, char *value) {
  if (strcmp(key, "bind") == 0) {
    root->kind = ROOT_BIND;
    root->source = value;
  } else if (strcmp(key, "lower") == 0) {
    return add_string(&root->lower, &root->lower_count, value);
  } else if (strcmp(key, "upper") == 0) {
    root->upper = value;
  } else if (strcmp(key, "work") == 0) {
    root->work = value;
  } else if (strcmp(key, "volatile") == 0) {
    root->is_volatile = *value == '1';
  } else {
    return -1;
  }
  return 0;
}

static int parse_network(struct network_plan *network, char *value) {
  if (strcmp(value, "host") == 0) {
    network->kind = NETWORK_HOST;
  } else if (strcmp(value, "new") == 0) {
    network->kind = NETWORK_NEW;
  } else if (strncmp(value, "join ", 5) == 0) {
    network->kind = NETWORK_JOIN;
    network->join_path = value + 5;
  } else {
    return -1;
  }
  return 0;
}

static int parse_line(struct shim_plan *plan, const char *key, char *value) {
  int64_t parsed;
  if (strncmp(key, "root.", 5) == 0) return parse_root(&plan->root, key + 5, value);
  if (strncmp(key, "log.", 4) == 0) return parse_log(&plan->log, key + 4, value);
  if (strncmp(key, "interface", 9) == 0) return parse_interface(&plan->network, key + 9, value);
  if (strncmp(key, "port", 4) == 0) return parse_port(&plan->network, key + 4, value);
  if (strncmp(key, "pin", 3) == 0) return parse_pin(plan, key + 3, value);
  if (strncmp(key, "sysctl", 6) == 0) return parse_sysctl(&plan->network, key + 6, value);
  if (strcmp(key, "resolver") == 0) {
    plan->network.resolver = value;
    return 0;
  }
  if (strcmp(key, "network") == 0) return parse_network(&plan->network, value);
  if (strcmp(key, "runtime.argument") == 0) {
    return add_string(&plan->runtime_arguments, &plan->runtime_argument_count, value);
  }
  if (strcmp(key, "id") == 0) plan->id = value;
  else if (strcmp(key, "runtime.path") == 0) plan->runtime_path = value;
  else if (strcmp(key, "runtime.root") == 0) plan->runtime_root = value;
  else if (strcmp(key, "cgroup") == 0) plan->cgroup_path = value;
  else if (strcmp(key, "terminal") == 0) plan->terminal = *value == '1';
  else if (strcmp(key, "stdin") == 0 && strcmp(value, "closed") == 0) plan->stdin_mode = STDIN_CLOSED;
  else if (strcmp(key, "stdin") == 0 && strcmp(value, "open") == 0) plan->stdin_mode = STDIN_OPEN;
  else if (strcmp(key, "stdin") == 0 && strcmp(value, "once") == 0) plan->stdin_mode = STDIN_ONCE;
  else if (strcmp(key, "rows") == 0 && number(value, 0, 65535, &parsed) == 0) plan->rows = (unsigned short)parsed;
  else if (strcmp(key, "columns") == 0 && number(value, 0, 65535, &parsed) == 0) plan->columns = (unsigned short)parsed;
  else if (strcmp(key, "attachments") == 0 && number(value, 0, 1000, &parsed) == 0) plan->attachments = (unsigned)parsed;
  else return -1;
  return 0;
}

int plan_parse(char *text, size_t length, struct shim_plan *plan, struct failure *failure) {
  memset(plan, 0, sizeof *plan);
  plan->log.max_size = -1;
  plan->log.max_file = 1;
  for (char *line = text, *end = text + length; line < end;) {
    char *newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline) {
      plan_free(plan);
      return fail(failure, EINVAL, "shim.conf: the last line has no end");
    }
    *newline = '\0';
    char *space = strchr(line, ' ');
    if (space) {
      *space = '\0';
      unescape(space + 1);
    }
    if (!space || parse_line(plan, line, space + 1) < 0) {
      int result = fail(failure, EINVAL, "shim.conf: %s", line);
      plan_free(plan);
      return result;
    }
    line = newline + 1;
  }
  bool has_root = plan->root.kind == ROOT_BIND || (plan->root.lower_count > 0 && plan->root.upper && plan->root.work);
  if (!plan->id || !plan->runtime_path || !plan->runtime_root || !plan->cgroup_path || !has_root) {
    plan_free(plan);
    return fail(failure, EINVAL, "shim.conf: id, runtime, cgroup or root is missing");
  }
  for (size_t i = 0; i < plan->pin_count; i++) {
    if (plan->pins[i].root && plan->pins[i].path) continue;
    plan_free(plan);
    return fail(failure, EINVAL, "shim.conf: a pin without root or path");
  }
  return 0;
}

int plan_read(int directory, const char *name, struct shim_plan *plan, struct failure *failure) {
  int fd _cleanup_fd_ = RETRY(openat(directory, name, O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) return fail(failure, errno, "open %s", name);
  char *text = malloc((size_t)status.st_size + 1);
  if (!text) return fail(failure, ENOMEM, "read %s", name);
  ssize_t length = io_read_full(fd, text, (size_t)status.st_size);
  if (length < 0) {
    int code = errno;
    free(text);
    return fail(failure, code, "read %s", name);
  }
  text[length] = '\0';
  if (plan_parse(text, (size_t)length, plan, failure) < 0) {
    free(text);
    return -1;
  }
  plan->storage = text;
  return 0;
}

void plan_free(struct shim_plan *plan) {
  for (size_t i = 0; i < plan->network.interface_count; i++) {
    free(plan->network.interfaces[i].addresses);
    free(plan->network.interfaces[i].gateways);
    free(plan->network.interfaces[i].sysctls);
  }
  free(plan->network.interfaces);
  free(plan->network.ports);
  free(plan->pins);
  free(plan->network.sysctls);
  free(plan->log.attributes);
  free(plan->root.lower);
  free(plan->runtime_arguments);
  free(plan->storage);
  memset(plan, 0, sizeof *plan);
}
