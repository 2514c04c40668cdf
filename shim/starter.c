/* See starter.h. */
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "io.h"
#include "net.h"
#include "net-names.h"
#include "pins.h"
#include "protocol.h"
#include "report.h"
#include "tree.h"

/* Length of the directory, with its slash, that all lower directories share. */
static size_t common_directory(const struct root_plan *root) {
  const char *first = root->lower[0];
  size_t length = strlen(first);
  for (size_t i = 1; i < root->lower_count; i++) {
    size_t same = 0;
    while (same < length && root->lower[i][same] == first[same]) same++;
    length = same;
  }
  while (length > 0 && first[length - 1] != '/') length--;
  return length;
}

/* Copies a path, with a backslash before what overlayfs or the option parser would take for a separator. */
static char *put_escaped(char *to, const char *path, bool is_lower) {
  for (; *path; path++) {
    if (*path == '\\' || *path == ',' || (is_lower && *path == ':')) *to++ = '\\';
    *to++ = *path;
  }
  return to;
}

int overlay_options(const struct root_plan *root, char **base, char **options, struct failure *failure) {
  size_t prefix = common_directory(root);
  size_t size = 64 + 2 * (strlen(root->upper) + strlen(root->work));
  for (size_t i = 0; i < root->lower_count; i++) size += 2 * strlen(root->lower[i]) + 2;
  *base = prefix == 0 ? strdup("/") : strndup(root->lower[0], prefix);
  *options = malloc(size);
  if (!*base || !*options) return fail(failure, ENOMEM, "mount the root");
  char *to = stpcpy(*options, "lowerdir=");
  for (size_t i = 0; i < root->lower_count; i++) {
    if (i > 0) *to++ = ':';
    to = put_escaped(to, root->lower[i] + prefix, true);
  }
  to = put_escaped(stpcpy(to, ",upperdir="), root->upper, false);
  to = put_escaped(stpcpy(to, ",workdir="), root->work, false);
  strcpy(to, root->is_volatile ? ",volatile" : "");
  return 0;
}

/* A volatile upper directory refuses its next mount until this mark is gone. */
static void forget_volatile(const char *work) {
  char path[4096];
  if ((size_t)snprintf(path, sizeof path, "%s/work/incompat/volatile/dirty", work) >= sizeof path) return;
  if (unlink(path) < 0 && errno != ENOENT) return; /* the usual case: there is none */
  *strrchr(path, '/') = '\0';
  if (rmdir(path) < 0) return;
  *strrchr(path, '/') = '\0';
  rmdir(path);
}

static int mount_overlay(const struct root_plan *root, const char *target, struct failure *failure) {
  char *base _cleanup_free_ = NULL;
  char *options _cleanup_free_ = NULL;
  if (overlay_options(root, &base, &options, failure) < 0) return -1;
  if (strlen(options) >= 4096) return fail(failure, E2BIG, "mount the root: too many layers");
  int here _cleanup_fd_ = RETRY(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int there _cleanup_fd_ = RETRY(open(target, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (here < 0 || there < 0 || chdir(base) < 0) return fail(failure, errno, "mount the root");
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", there);
  int result = mount("overlay", path, "overlay", 0, options);
  if (result < 0 && errno == EINVAL && root->is_volatile) {
    forget_volatile(root->work);
    result = mount("overlay", path, "overlay", 0, options);
  }
  int code = errno;
  if (fchdir(here) < 0) return fail(failure, errno, "return to the container's directory");
  return result < 0 ? fail(failure, code, "mount the root (overlay at %s)", target) : 0;
}

int starter_mount_root(const struct root_plan *root, const char *target, struct failure *failure) {
  if (root->kind == ROOT_OVERLAY) {
    if (!root->is_volatile) forget_volatile(root->work);
    return mount_overlay(root, target, failure);
  }
  if (mount(root->source, target, NULL, MS_BIND | MS_REC, NULL) < 0) return fail(failure, errno, "mount %s", root->source);
  return 0;
}

/*
 * Makes the mount that holds the current directory a slave in this namespace: what is mounted below does not spread to the
 * host, what the host mounts still comes. Other mounts keep their propagation, which shared volumes need.
 */
static int stop_propagation(struct failure *failure) {
  char path[4096];
  if (!getcwd(path, sizeof path)) return fail(failure, errno, "get the working directory");
  for (;;) {
    if (mount(NULL, path, NULL, MS_SLAVE, NULL) == 0) return 0;
    if (errno != EINVAL || path[1] == '\0') return fail(failure, errno, "stop the propagation of mounts in %s", path);
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
  }
}

/*
 * Kernel parameters of the network namespace that this process is in. The runtime is not asked to write them, because runc
 * takes a namespace that it is in already for the host's.
 */
static int write_sysctls(const struct network_plan *network, struct failure *failure) {
  if (network->sysctl_count == 0) return 0;
  _cleanup_fd_ int root = RETRY(open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root < 0) return fail(failure, errno, "open /proc/sys");
  for (size_t i = 0; i < network->sysctl_count; i++) {
    const struct sysctl_plan *sysctl = &network->sysctls[i];
    _cleanup_fd_ int file = tree_open(root, sysctl->path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || io_write_all(file, sysctl->value, strlen(sysctl->value)) < 0)
      return fail(failure, errno, "write %s to /proc/sys/%s", sysctl->value, sysctl->path);
  }
  return 0;
}

int starter_prepare(const struct shim_plan *plan, int report, unsigned *stage, struct failure *failure) {
  *stage = PROTOCOL_STAGE_SETUP;
  if (unshare(CLONE_NEWNS) < 0) return fail(failure, errno, "make a mount namespace");
  if (stop_propagation(failure) < 0) return -1;
  if (mkdir("rootfs", 0755) < 0 && errno != EEXIST) return fail(failure, errno, "create rootfs");
  if (starter_mount_root(&plan->root, "rootfs", failure) < 0) return -1;
  if (plan->root.kind == ROOT_OVERLAY && !plan->root.is_volatile) {
    int root _cleanup_fd_ = RETRY(open("rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root >= 0) report_root(report, root);
  }
  if (pins_mount(plan, failure) < 0) return -1;
  *stage = PROTOCOL_STAGE_NETWORK;
  if (net_setup(&plan->network, failure) < 0) return -1;
  if (plan->network.resolver && names_open(plan->network.resolver, plan->id, failure) < 0) return -1;
  return write_sysctls(&plan->network, failure);
}
