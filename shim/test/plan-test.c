/* What the engine writes into shim.conf is what the shim understands. */
#include <stdlib.h>

#include "check.h"
#include "plan.h"
#include "starter.h"

static const char *const minimal = "id c1\nruntime.path /bin/crun\nruntime.root /r\ncgroup /g/c1\nroot.bind /root\n";

/* Parses `minimal` followed by `more`; the text is kept in the plan. */
static int parse(const char *more, struct shim_plan *plan, struct failure *failure) {
  size_t length = strlen(minimal) + strlen(more);
  char *text = malloc(length + 1);
  snprintf(text, length + 1, "%s%s", minimal, more);
  if (plan_parse(text, length, plan, failure) < 0) {
    free(text);
    return -1;
  }
  plan->storage = text;
  return 0;
}

static void reads_everything(struct check *check) {
  struct shim_plan plan;
  struct failure failure;
  const char *text =
      "runtime.argument --debug\nruntime.argument --x\nterminal 1\nstdin once\nrows 24\ncolumns 80\nattachments 2\n"
      "log.json-file /l\nlog.max-size 1000\nlog.max-file 3\nlog.compress 1\n"
      "log.attribute a\nlog.attribute.value one\nlog.attribute b\nlog.attribute.value \n"
      "network new\n"
      "interface vb1\ninterface.name eth0\ninterface.bridge br\ninterface.mac 02:42:00:00:00:01\n"
      "interface.address 10.0.0.2/24\ninterface.address fd00::2/64\ninterface.gateway 10.0.0.1\ninterface.mtu 1500\n"
      "interface.hairpin 1\ninterface.sysctl net/ipv4/conf/eth0/log_martians=1\nresolver /run/names.sock\n"
      "interface vb2\ninterface.name eth1\n"
      "port udp\nport.host-address 0.0.0.0\nport.host-port 53\n"
      "port tcp\nport.host-address ::1\nport.host-port 80\nport.forward-address 10.0.0.2\nport.forward-port 8080\n";
  CHECK(parse(text, &plan, &failure) == 0);
  CHECK(strcmp(plan.id, "c1") == 0 && plan.root.kind == ROOT_BIND && strcmp(plan.root.source, "/root") == 0);
  CHECK(plan.runtime_argument_count == 2 && strcmp(plan.runtime_arguments[1], "--x") == 0);
  CHECK(plan.terminal && plan.stdin_mode == STDIN_ONCE && plan.rows == 24 && plan.columns == 80 && plan.attachments == 2);
  CHECK(plan.log.json_file && plan.log.max_size == 1000 && plan.log.max_file == 3 && plan.log.compress);
  CHECK(plan.log.attribute_count == 2 && strcmp(plan.log.attributes[0].value, "one") == 0);
  CHECK(strcmp(plan.log.attributes[1].key, "b") == 0 && strcmp(plan.log.attributes[1].value, "") == 0);
  CHECK(plan.network.kind == NETWORK_NEW && plan.network.interface_count == 2 && plan.network.port_count == 2);
  CHECK(plan.network.interfaces[0].address_count == 2 && plan.network.interfaces[0].hairpin);
  CHECK(strcmp(plan.network.interfaces[0].addresses[1], "fd00::2/64") == 0);
  CHECK(plan.network.interfaces[0].sysctl_count == 1 && plan.network.interfaces[1].sysctl_count == 0);
  CHECK(strcmp(plan.network.interfaces[0].sysctls[0], "net/ipv4/conf/eth0/log_martians=1") == 0);
  CHECK(strcmp(plan.network.resolver, "/run/names.sock") == 0);
  CHECK(strcmp(plan.network.interfaces[1].container_name, "eth1") == 0);
  CHECK(plan.network.ports[0].udp && plan.network.ports[0].forward_address == NULL);
  CHECK(!plan.network.ports[1].udp && plan.network.ports[1].forward_port == 8080);
  plan_free(&plan);
}

static void undoes_escapes(struct check *check) {
  struct shim_plan plan;
  struct failure failure;
  CHECK(parse("log.json-file /a\\nb\\\\n c\n", &plan, &failure) == 0);
  CHECK(strcmp(plan.log.path, "/a\nb\\n c") == 0);
  plan_free(&plan);
}

static void refuses_what_it_does_not_know(struct check *check) {
  static const char *const wrong[] = {
      "unknown 1\n",     "network elsewhere\n",     "rows 65536\n",      "rows x\n",        "port.host-port 1\n",
      "interface.mtu 1", "interface.name eth0\n",   "log.max-file 0\n",  "attachments -1\n", "nothing\n",
      "stdin maybe\n",   "log.attribute.value x\n", "log.max-size 9e9\n",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct shim_plan plan;
    struct failure failure = {0};
    CHECK(parse(wrong[i], &plan, &failure) < 0);
    CHECK(strstr(failure.message, "shim.conf") != NULL);
  }
  char text[] = "id c1\n";
  struct shim_plan plan;
  struct failure failure;
  CHECK(plan_parse(text, strlen(text), &plan, &failure) < 0);
}

static void shortens_overlay_options(struct check *check) {
  const char *lower[] = {"/var/lib/berth/layers/12/diff", "/var/lib/berth/layers/1/diff", "/var/lib/berth/layers/105/diff"};
  struct root_plan root = {.lower = lower, .lower_count = 3, .upper = "/u", .work = "/w", .is_volatile = true};
  struct failure failure;
  char *base = NULL, *options = NULL;
  CHECK(overlay_options(&root, &base, &options, &failure) == 0);
  CHECK(strcmp(base, "/var/lib/berth/layers/") == 0);
  CHECK(strcmp(options, "lowerdir=12/diff:1/diff:105/diff,upperdir=/u,workdir=/w,volatile") == 0);
  free(base);
  free(options);
}

static void escapes_separators_of_overlay(struct check *check) {
  const char *lower[] = {"/a:b/c,d\\e"};
  struct root_plan root = {.lower = lower, .lower_count = 1, .upper = "/u:1,2", .work = "/w"};
  struct failure failure;
  char *base = NULL, *options = NULL;
  CHECK(overlay_options(&root, &base, &options, &failure) == 0);
  CHECK(strcmp(base, "/a:b/") == 0);
  CHECK(strcmp(options, "lowerdir=c\\,d\\\\e,upperdir=/u:1\\,2,workdir=/w") == 0);
  free(base);
  free(options);
}

int main(void) {
  struct check check = {0};
  RUN(&check, reads_everything);
  RUN(&check, undoes_escapes);
  RUN(&check, refuses_what_it_does_not_know);
  RUN(&check, shortens_overlay_options);
  RUN(&check, escapes_separators_of_overlay);
  return check.failed_tests != 0;
}
