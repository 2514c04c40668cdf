/* See files.h. */
#include "files.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "io.h"
#include "starter.h"

static int open_in(int root, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return (int)RETRY(syscall(SYS_openat2, root, path, &how, sizeof how));
}

static int enter_directory(int directory, struct failure *failure) {
  if (fchdir(directory) < 0 || chroot(".") < 0 || chdir("/") < 0) return fail(failure, errno, "enter the root");
  return 0;
}

/* ---- a running container ---- */

static bool is_kernel_view(const char *type) {
  static const char *const views[] = {"proc",      "sysfs",   "cgroup",     "cgroup2",  "devpts", "mqueue",
                                      "debugfs",   "tracefs", "securityfs", "bpf",      "pstore", "efivarfs",
                                      "configfs",  "fusectl", "binfmt_misc", "rpc_pipefs"};
  for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
    if (strcmp(views[i], type) == 0) return true;
  }
  return false;
}

/* Octal escapes of mountinfo (proc(5)) become bytes. */
static void unescape(char *text) {
  char *to = text;
  for (char *from = text; *from; from++) {
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
      *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
      from += 3;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
}

/* Takes away what only shows the kernel's state, and the runtime's /dev. Inner mounts come later in the list and go with outer ones. */
static int drop_kernel_views(int proc, struct failure *failure) {
  int fd = RETRY(openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC));
  FILE *mounts = fd < 0 ? NULL : fdopen(fd, "r");
  if (!mounts) {
    cleanup_fd(&fd);
    return fail(failure, errno, "open mountinfo");
  }
  char *line = NULL;
  size_t capacity = 0;
  int result = 0;
  while (result == 0 && getline(&line, &capacity, mounts) > 0) {
    char *separator = strstr(line, " - ");
    char *field = line, *end;
    for (int i = 0; field && i < 4; i++) field = strchr(field + 1, ' ');
    if (!separator || !field || !(end = strchr(++field, ' '))) continue;
    *end = '\0';
    char *type = separator + 3;
    type[strcspn(type, " ")] = '\0';
    unescape(field);
    if (!is_kernel_view(type) && strcmp(field, "/dev") != 0) continue;
    if (umount2(field, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
      result = fail(failure, errno, "leave out %s", field);
  }
  free(line);
  fclose(mounts);
  return result;
}

/* The root alone, a mount of its own without those on it. */
static int enter_own(struct failure *failure) {
  _cleanup_fd_ int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) return fail(failure, errno, "open the root");
  return enter_directory(tree, failure);
}

static int enter_running(const struct files_root *root, struct failure *failure) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d", root->pid);
  _cleanup_fd_ int process = RETRY(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (process < 0) return fail(failure, ESRCH, "process %d", root->pid);
  _cleanup_fd_ int proc = RETRY(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  _cleanup_fd_ int mounts = RETRY(openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC));
  _cleanup_fd_ int directory = RETRY(openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (proc < 0 || mounts < 0 || directory < 0) return fail(failure, ESRCH, "root of process %d", root->pid);
  if (setns(mounts, CLONE_NEWNS) < 0) return fail(failure, errno, "enter the mounts of process %d", root->pid);
  if (enter_directory(directory, failure) < 0) return -1;
  if (root->own_only) return enter_own(failure);
  /* The copy's descriptors are its own: nothing that happens to it is seen by the container. */
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(failure, errno, "make a mount namespace");
  return drop_kernel_views(proc, failure);
}

/* ---- a container that does not run ---- */

/* Makes what is missing of `path`, inside the root only: directories, and at its end a file for a file. */
static int make_target(int root, const char *path, bool is_directory, struct failure *failure) {
  char part[4096];
  if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part) return fail(failure, ENAMETOOLONG, "%s", path);
  _cleanup_fd_ int parent = open_in(root, "/", O_PATH | O_DIRECTORY);
  for (char *name = part; parent >= 0 && *name;) {
    while (*name == '/') name++;
    char *slash = strchr(name, '/');
    if (*name == '\0') break;
    if (slash) *slash = '\0';
    int made = slash || is_directory ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0755, 0);
    if (made < 0 && errno != EEXIST) return fail(failure, errno, "make %s", path);
    if (!slash) return 0;
    cleanup_fd(&parent);
    parent = open_in(root, part, O_PATH | O_DIRECTORY);
    *slash = '/';
    name = slash + 1;
  }
  return parent < 0 ? fail(failure, errno, "make %s", path) : 0;
}

static int bind(int root, const struct files_mount *item, struct failure *failure) {
  struct stat status;
  struct statfs system;
  char path[64], source[64];
  _cleanup_fd_ int top = RETRY(open(item->source, O_PATH | O_CLOEXEC));
  _cleanup_fd_ int from = top < 0 ? -1 : item->subpath ? open_in(top, item->subpath, O_PATH) : dup(top);
  if (from < 0 || fstat(from, &status) < 0) return errno == ENOENT ? 0 : fail(failure, errno, "%s", item->source);
  snprintf(source, sizeof source, "/proc/self/fd/%d", from);
  /* Links of a process's directory lead anywhere. */
  if (statfs(source, &system) == 0 && system.f_type == PROC_SUPER_MAGIC) return 0;
  int target = open_in(root, item->target, O_PATH);
  if (target < 0 && errno == ENOENT && make_target(root, item->target, S_ISDIR(status.st_mode), failure) == 0)
    target = open_in(root, item->target, O_PATH);
  if (target < 0) return fail(failure, errno, "open %s", item->target);
  snprintf(path, sizeof path, "/proc/self/fd/%d", target);
  int result = mount(source, path, NULL, MS_BIND | (item->recursive ? MS_REC : 0), NULL);
  if (result < 0) fail(failure, errno, "mount %s at %s", item->source, item->target);
  close(target);
  if (result < 0 || !item->read_only) return result;
  _cleanup_fd_ int mounted = open_in(root, item->target, O_PATH);
  snprintf(path, sizeof path, "/proc/self/fd/%d", mounted);
  if (mounted < 0 || mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
    return fail(failure, errno, "make %s read-only", item->target);
  return 0;
}

/*
 * Without an upper directory of its own the root gets one in memory: places to mount at can be made there, and the end of the
 * mount has nothing to write to the disk. The other way the mount is volatile for the same reason: the end of an overlay
 * waits for the whole disk else.
 */
static int enter_stopped(const struct files_root *root, struct failure *failure) {
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail(failure, errno, "make a mount namespace");
  if (mount("tmpfs", root->scratch, "tmpfs", 0, "size=16m,mode=0700") < 0)
    return fail(failure, errno, "mount a scratch directory");
  char here[4096], upper[4200], work[4200];
  if (chdir(root->scratch) < 0 || !getcwd(here, sizeof here)) return fail(failure, errno, "enter %s", root->scratch);
  snprintf(upper, sizeof upper, "%s/upper", here);
  snprintf(work, sizeof work, "%s/work", here);
  if (mkdir("upper", 0755) < 0 || mkdir("work", 0700) < 0 || mkdir("root", 0755) < 0)
    return fail(failure, errno, "make directories in %s", here);
  struct root_plan plan = {.kind = ROOT_OVERLAY,
                           .lower = root->lower,
                           .lower_count = root->lower_count,
                           .upper = root->upper ? root->upper : upper,
                           .work = root->upper ? root->work : work,
                           .is_volatile = root->upper != NULL};
  if (!root->upper) {
    /* What the topmost layer says of the root itself. */
    struct stat status;
    if (stat(root->lower[0], &status) == 0 && (chown("upper", status.st_uid, status.st_gid) < 0 ||
                                               chmod("upper", status.st_mode & 07777) < 0))
      return fail(failure, errno, "make directories in %s", here);
  }
  if (starter_mount_root(&plan, "root", failure) < 0) return -1;
  _cleanup_fd_ int directory = RETRY(open("root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return fail(failure, errno, "open the root");
  for (size_t i = 0; i < root->mount_count && !root->own_only; i++) {
    if (bind(directory, &root->mounts[i], failure) < 0) return -1;
  }
  return enter_directory(directory, failure);
}

int files_enter(const struct files_root *root, struct failure *failure) {
  return root->pid > 0 ? enter_running(root, failure) : enter_stopped(root, failure);
}
