/*
 * Conventions of shim/, shared by every file of it.
 *
 * - One static program, many applets: `shim run DIRECTORY` (the container's shim, shim/run.c) and helpers such as `unpack`,
 *   `pack`, `read-log`. An applet is a function `int applet_main(int argc, char **argv)` with argv[0] the applet's name; it is
 *   declared here and named once in the table of main.c. Its return value is the exit code.
 * - What can fail returns 0 or a descriptor (>= 0), and -1 with `struct failure` filled in by `fail(...)`. No errno is left
 *   for the caller to guess at.
 * - Descriptors are close-on-exec from birth (O_CLOEXEC, SOCK_CLOEXEC, pipe2). `_cleanup_fd_` closes one at the end of its scope.
 * - Every wrapper in io.h retries on EINTR; raw read/write/open/waitpid are not used elsewhere.
 * - No mutable globals; state travels in structs. SIGPIPE is ignored by main().
 * - One concern per file; a header says what its functions take, give and promise.
 */
#ifndef SHIM_SHIM_H
#define SHIM_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Applets; each is implemented in the file of its name, small ones in tree-applets.c and volume-applets.c. */
int applet_run(int argc, char **argv);
int applet_net_attach(int argc, char **argv);
int applet_net_detach(int argc, char **argv);
int applet_net_lead(int argc, char **argv);
int applet_net_bridge(int argc, char **argv);
int applet_net_remove(int argc, char **argv);
int applet_launch(int argc, char **argv);
int applet_init(int argc, char **argv);
int applet_clean(int argc, char **argv);
int applet_end_cgroup(int argc, char **argv);
int applet_unpack(int argc, char **argv);
int applet_pack(int argc, char **argv);
int applet_remove(int argc, char **argv);
int applet_sync(int argc, char **argv);
int applet_write_back(int argc, char **argv);
int applet_copy_up(int argc, char **argv);
int applet_files(int argc, char **argv);
int applet_mount(int argc, char **argv);
int applet_unmount(int argc, char **argv);
int applet_copy_tree(int argc, char **argv);
int applet_measure(int argc, char **argv);
int applet_read_log(int argc, char **argv);
int applet_source(int argc, char **argv);

/* Why something failed: `code` is an errno value (0 where none fits), `message` a sentence for the user. */
struct failure {
  int code;
  char message[1024];
};

/*
 * Fills `failure` (may be NULL) and gives -1. A code other than 0 appends ": " and the text of that errno.
 * Usage: return fail(failure, errno, "open %s", path);
 */
int fail(struct failure *failure, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline void cleanup_fd(int *fd) {
  if (*fd >= 0) close(*fd);
}
static inline void cleanup_free(void *pointer) { free(*(void **)pointer); }

#define _cleanup_fd_ __attribute__((cleanup(cleanup_fd)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))

/* The standard streams by their numbers in stdcopy frames. */
enum stream { STREAM_STDIN = 0, STREAM_STDOUT = 1, STREAM_STDERR = 2 };

#endif
