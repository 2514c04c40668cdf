/* The container's log: what is written, how it is rotated, what a reader and a follower get. */
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "check.h"
#include "io.h"
#include "log-encode.h"
#include "log-entry.h"
#include "log-rotate.h"
#include "log-state.h"
#include "log.h"

struct place {
  char directory[64];
  char path[96];
  struct log_plan plan;
};

static struct place place_make(int64_t max_size, unsigned max_file) {
  struct place place = {.directory = "/tmp/log-test-XXXXXX"};
  if (!mkdtemp(place.directory)) abort();
  snprintf(place.path, sizeof place.path, "%s/x-json.log", place.directory);
  place.plan = (struct log_plan){.json_file = true, .max_size = max_size, .max_file = max_file};
  return place;
}

static void place_remove(struct place *place) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", place->directory);
  if (system(command) != 0) abort();
}

static struct log_sink *open_log(struct place *place) {
  place->plan.path = place->path;
  struct log_sink *sink;
  struct failure failure;
  if (log_open(&place->plan, &sink, &failure) < 0) {
    printf("# %s\n", failure.message);
    abort();
  }
  return sink;
}

static char *slurp(const char *path, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  char *text = malloc(64 << 20);
  ssize_t got = fd < 0 ? 0 : io_read_full(fd, text, (64 << 20) - 1);
  if (fd >= 0) close(fd);
  text[got < 0 ? 0 : got] = '\0';
  if (length) *length = (size_t)got;
  return text;
}

/* A queue's thread may still be ending when its log is closed, and a child of two threads may find the allocator locked for ever. */
static void wait_for_the_last_thread(void) {
  const struct timespec millisecond = {.tv_nsec = 1000000};
  struct stat tasks;
  /* Every task is a directory and so a link to its parent. */
  while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) nanosleep(&millisecond, NULL);
}

/* Runs the reader with these arguments; its output, to be freed. */
static char *read_log(const struct place *place, char **arguments, size_t *length) {
  char output[128];
  snprintf(output, sizeof output, "%s/output", place->directory);
  wait_for_the_last_thread();
  pid_t pid = fork();
  if (pid == 0) {
    char *argv[16] = {"read-log", (char *)place->path};
    int argc = 2;
    for (; *arguments; arguments++) argv[argc++] = *arguments;
    int fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    exit(applet_read_log(argc, argv));
  }
  int status;
  RETRY(waitpid(pid, &status, 0));
  if (status != 0) printf("# reader ended with %d\n", status);
  return slurp(output, length);
}

#define READ(place, length, ...) read_log(place, (char *[]){__VA_ARGS__, NULL}, length)

static void entries_have_dockers_format(struct check *check) {
  struct place place = place_make(-1, 1);
  struct log_attribute attributes[] = {{"a\"b", "x\ny"}, {"tag", "<t>"}};
  place.plan.attributes = attributes;
  place.plan.attribute_count = 2;
  struct log_sink *sink = open_log(&place);
  const char text[] = "plain\ttab \"quoted\" back\\slash <&> \x7f \xc3\xa9 \xe2\x80\xa8 \xff\xfe bad\r\n";
  log_write(sink, STREAM_STDOUT, text, sizeof text - 1);
  log_write(sink, STREAM_STDERR, "unfinished", 10);
  log_close(sink);
  char *log = slurp(place.path, NULL);
  const char first[] =
      "{\"log\":\"plain\\u0009tab \\\"quoted\\\" back\\\\slash \\u003c\\u0026\\u003e \x7f \xc3\xa9 \\u2028 \\ufffd\\ufffd bad\\r\\n\","
      "\"stream\":\"stdout\",\"attrs\":{\"a\\\"b\":\"x\\ny\",\"tag\":\"\\u003ct\\u003e\"},\"time\":\"20";
  CHECK(strncmp(log, first, sizeof first - 1) == 0);
  CHECK(strstr(log, "{\"log\":\"unfinished\",\"stream\":\"stderr\",\"attrs\":") != NULL);
  CHECK(strlen(log) > 3 && strcmp(log + strlen(log) - 4, "Z\"}\n") == 0);
  free(log);
  place_remove(&place);
}

static void long_lines_are_cut_as_docker_cuts_them(struct check *check) {
  struct place place = place_make(-1, 1);
  struct log_sink *sink = open_log(&place);
  char *line = malloc(40001);
  memset(line, 'x', 40000);
  line[40000] = '\n';
  for (int i = 0; i < 40001; i += 1000) log_write(sink, STREAM_STDOUT, line + i, i + 1000 > 40001 ? (size_t)(40001 - i) : 1000);
  /* A sequence is not cut in two: 16383 bytes and then an é. */
  memcpy(line + 16383, "\xc3\xa9\n", 3);
  log_write(sink, STREAM_STDOUT, line, 16386);
  log_close(sink);
  char *log = slurp(place.path, NULL);
  size_t lengths[8] = {0}, count = 0;
  for (char *entry = log; *entry && count < 8; entry = strchr(entry, '\n') + 1) lengths[count++] = (size_t)(strstr(entry, "\",\"stream") - entry) - 8;
  CHECK(count == 5);
  CHECK(lengths[0] == 16384 && lengths[1] == 16384 && lengths[2] == 40000 - 2 * 16384 + 2);
  CHECK(lengths[3] == 16383 && lengths[4] == 4);
  CHECK(strstr(log, "fffd") == NULL);
  free(log);
  free(line);
  place_remove(&place);
}

static void every_entry_has_a_later_time(struct check *check) {
  struct place place = place_make(-1, 1);
  struct log_sink *sink = open_log(&place);
  for (int i = 0; i < 100; i++) log_write(sink, STREAM_STDOUT, "a\nb\nc\nd\n", 8);
  log_close(sink);
  char *log = slurp(place.path, NULL);
  int64_t last = 0;
  int count = 0;
  for (char *line = log; *line; count++) {
    char *end = strchr(line, '\n');
    char text[256], *out = text;
    struct log_entry entry;
    CHECK(entry_decode(line, end, &out, &entry) == 0);
    int64_t time = entry_time(&entry);
    CHECK(time > last);
    last = time;
    line = end + 1;
  }
  CHECK(count == 400);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  CHECK(last / 1000000000 >= now.tv_sec - 60 && last / 1000000000 <= now.tv_sec);
  free(log);
  place_remove(&place);
}

static void files_are_rotated(struct check *check) {
  struct place place = place_make(1000, 3);
  struct log_sink *sink = open_log(&place);
  char line[64];
  for (int i = 0; i < 100; i++) {
    int length = snprintf(line, sizeof line, "line %03d\n", i);
    log_write(sink, STREAM_STDOUT, line, (size_t)length);
  }
  log_close(sink);
  struct stat status;
  char name[128];
  CHECK(stat(place.path, &status) == 0 && status.st_size < 1200);
  for (int i = 1; i <= 2; i++) {
    snprintf(name, sizeof name, "%s.%d", place.path, i);
    CHECK(stat(name, &status) == 0 && status.st_size >= 1000 && status.st_size < 1100);
  }
  snprintf(name, sizeof name, "%s.3", place.path);
  CHECK(stat(name, &status) < 0);
  size_t length;
  char *text = READ(&place, &length, "--stdout", "--raw");
  CHECK(length > 0 && strstr(text, "line 099\n") != NULL && strstr(text, "line 000\n") == NULL);
  int first = atoi(text + 5);
  char *position = text;
  for (int i = first; i < 100; i++, position += 9) {
    snprintf(line, sizeof line, "line %03d\n", i);
    CHECK(strncmp(position, line, 9) == 0);
  }
  CHECK(*position == '\0');
  free(text);
  place_remove(&place);
}

static void tail_counts_over_rotated_files(struct check *check) {
  struct place place = place_make(1000, 4);
  struct log_sink *sink = open_log(&place);
  char line[64];
  for (int i = 0; i < 40; i++) {
    int length = snprintf(line, sizeof line, "line %03d\n", i);
    log_write(sink, i % 2 ? STREAM_STDERR : STREAM_STDOUT, line, (size_t)length);
  }
  log_close(sink);
  static const int counts[] = {0, 1, 2, 7, 11, 12, 13, 14, 25, 36, 40, 100};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", counts[i]);
    char *text = READ(&place, NULL, "--stdout", "--stderr", "--raw", "--tail", number);
    size_t wanted = (size_t)(counts[i] > 40 ? 40 : counts[i]) * 9;
    /* The oldest may have been rotated away: compare what is there at the most. */
    char *all = READ(&place, NULL, "--stdout", "--stderr", "--raw");
    size_t there = strlen(all);
    if (wanted > there) wanted = there;
    CHECK(strlen(text) == wanted && strcmp(text, all + there - wanted) == 0);
    free(text);
    free(all);
  }
  place_remove(&place);
}

static void frames_times_and_details(struct check *check) {
  struct place place = place_make(-1, 1);
  struct log_attribute attributes[] = {{"z", "1 2"}, {"a", "x&y"}};
  place.plan.attributes = attributes;
  place.plan.attribute_count = 2;
  struct log_sink *sink = open_log(&place);
  log_write(sink, STREAM_STDOUT, "one\ntwo\n", 8);
  log_write(sink, STREAM_STDERR, "three\n", 6);
  log_close(sink);
  size_t length;
  char *text = READ(&place, &length, "--stdout", "--stderr");
  CHECK(length == 8 + 4 + 8 + 4 + 8 + 6);
  CHECK(memcmp(text, "\1\0\0\0\0\0\0\4one\n\1\0\0\0\0\0\0\4two\n\2\0\0\0\0\0\0\6three\n", length) == 0);
  free(text);
  text = READ(&place, &length, "--stderr", "--raw", "--timestamps", "--details");
  CHECK(length == 31 + 14 + 6 && text[19] == '.' && strcmp(text + 29, "Z a=x%26y,z=1+2 three\n") == 0);
  free(text);
  place_remove(&place);
}

static void since_and_until(struct check *check) {
  struct place place = place_make(-1, 1);
  FILE *file = fopen(place.path, "w");
  for (int i = 0; i < 10; i++) fprintf(file, "{\"log\":\"%d\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:00:0%d.5Z\"}\n", i, i);
  fprintf(file, "torn {\"log\n{\"log\":\"last\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:01:00Z\"}\n");
  fclose(file);
  char *text = READ(&place, NULL, "--stdout", "--raw", "--since", "1709208003500000000", "--until", "1709208005500000000");
  CHECK(strcmp(text, "3\n4\n5\n") == 0);
  free(text);
  text = READ(&place, NULL, "--stdout", "--raw", "--since", "1709208009500000001");
  CHECK(strcmp(text, "last\n") == 0);
  free(text);
  place_remove(&place);
}

/* Rotated files that end before the time asked for are not opened at all. */
static void since_passes_old_files_over(struct check *check) {
  struct place place = place_make(1000, 3);
  struct log_sink *sink = open_log(&place);
  for (int i = 0; i < 20; i++) log_write(sink, STREAM_STDOUT, "some line\n", 10);
  log_close(sink);
  char name[128];
  snprintf(name, sizeof name, "%s.1", place.path);
  struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  CHECK(utimensat(AT_FDCWD, name, times, 0) == 0);
  size_t all, some;
  free(READ(&place, &all, "--stdout", "--raw"));
  free(READ(&place, &some, "--stdout", "--raw", "--since", "1001000000000"));
  CHECK(all == some);
  free(READ(&place, &some, "--stdout", "--raw", "--since", "1010000000000"));
  CHECK(some > 0 && some < all);
  place_remove(&place);
}

static void a_torn_end_is_cut_off(struct check *check) {
  struct place place = place_make(-1, 1);
  FILE *file = fopen(place.path, "w");
  fprintf(file, "{\"log\":\"whole\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:00:00Z\"}\n{\"log\":\"ha");
  fclose(file);
  struct log_sink *sink = open_log(&place);
  log_write(sink, STREAM_STDOUT, "next\n", 5);
  log_close(sink);
  char *text = READ(&place, NULL, "--stdout", "--raw");
  CHECK(strcmp(text, "whole\nnext\n") == 0);
  free(text);
  place_remove(&place);
}

/* A follower, however slow, gets every line through many rotations. */
static void a_follower_loses_nothing(struct check *check) {
  struct place place = place_make(20000, 2);
  struct log_sink *sink = open_log(&place);
  int ends[2], life[2];
  if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0) abort();
  pid_t pid = fork();
  if (pid == 0) {
    close(life[1]);
    dup2(life[0], STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    exit(applet_read_log(5, (char *[]){"read-log", place.path, "--stdout", "--raw", "--follow", NULL}));
  }
  close(ends[1]);
  close(life[0]);
  /* It follows when it sleeps for the first time. */
  char state_path[128];
  snprintf(state_path, sizeof state_path, "%s%s", place.path, LOG_STATE_SUFFIX);
  struct log_state *state = log_state_map(state_path, false);
  while (atomic_load(&state->waiters) == 0) sched_yield();
  const int lines = 100000;
  char line[64];
  /* Nobody reads the pipe meanwhile: the follower is as slow as can be. */
  for (int i = 0; i < lines; i++) {
    int length = snprintf(line, sizeof line, "line %07d\n", i);
    log_write(sink, STREAM_STDOUT, line, (size_t)length);
    if (i % 64 == 0) log_flush(sink);
  }
  log_close(sink);
  FILE *output = fdopen(ends[0], "r");
  int count = 0, wrong = 0;
  while (fgets(line, sizeof line, output)) {
    if (atoi(line + 5) != count) wrong++;
    count++;
  }
  fclose(output);
  int status;
  RETRY(waitpid(pid, &status, 0));
  close(life[1]);
  CHECK(status == 0);
  CHECK(count == lines);
  CHECK(wrong == 0);
  char followers[128];
  snprintf(followers, sizeof followers, "%s%s", place.path, LOG_FOLLOWERS_SUFFIX);
  CHECK(rmdir(followers) == 0); /* empty */
  log_state_unmap(state);
  place_remove(&place);
}

static void a_dead_followers_files_go(struct check *check) {
  struct place place = place_make(1000, 2);
  struct log_sink *sink = open_log(&place);
  char directory[160];
  snprintf(directory, sizeof directory, "%s%s", place.path, LOG_FOLLOWERS_SUFFIX);
  mkdir(directory, 0700);
  strcat(directory, "/1-1");
  mkdir(directory, 0700);
  for (int i = 0; i < 100; i++) log_write(sink, STREAM_STDOUT, "some line\n", 10);
  log_flush(sink);
  CHECK(access(directory, F_OK) < 0);
  log_close(sink);
  place_remove(&place);
}

static void truncation_empties_the_log(struct check *check) {
  struct place place = place_make(1000, 3);
  struct log_sink *sink = open_log(&place);
  for (int i = 0; i < 100; i++) log_write(sink, STREAM_STDOUT, "some line\n", 10);
  CHECK(log_truncate(sink, NULL) == 0);
  log_write(sink, STREAM_STDOUT, "after\n", 6);
  log_close(sink);
  char *text = READ(&place, NULL, "--stdout", "--raw");
  CHECK(strcmp(text, "after\n") == 0);
  free(text);
  place_remove(&place);
}

static void compressed_files_are_read(struct check *check) {
  struct place place = place_make(2000, 3);
  place.plan.compress = true;
  struct log_sink *sink = open_log(&place);
  for (int i = 0; i < 30; i++) log_write(sink, STREAM_STDOUT, "a line before\n", 14);
  log_flush(sink);
  while (RETRY(waitpid(-1, NULL, 0)) > 0) {
  }
  log_close(sink);
  char name[128];
  snprintf(name, sizeof name, "%s.1.gz", place.path);
  CHECK(access(name, F_OK) == 0);
  char *text = READ(&place, NULL, "--stdout", "--raw");
  CHECK(strlen(text) == 30 * 14);
  free(text);
  text = READ(&place, NULL, "--stdout", "--raw", "--tail", "29");
  CHECK(strlen(text) == 29 * 14);
  free(text);
  place_remove(&place);
}

/* A full disk loses entries, never the container; the log says so when there is room again. */
static void a_full_disk_is_told_afterwards(struct check *check) {
  struct place place = place_make(-1, 1);
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("tmpfs", place.directory, "tmpfs", 0, "size=64k") < 0) {
    CHECK(!"root is needed");
    return;
  }
  struct log_sink *sink = open_log(&place);
  char filler[128];
  snprintf(filler, sizeof filler, "%s/filler", place.directory);
  log_write(sink, STREAM_STDOUT, "before\n", 7);
  log_flush(sink);
  int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  char block[4096] = {0};
  while (io_write(fd, block, sizeof block) > 0) {
  }
  close(fd);
  char line[1000];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  for (int i = 0; i < 100; i++) {
    log_write(sink, STREAM_STDOUT, line, sizeof line);
    log_flush(sink);
  }
  unlink(filler);
  log_write(sink, STREAM_STDOUT, "after\n", 6);
  log_close(sink);
  size_t length;
  char *log = slurp(place.path, &length);
  CHECK(length > 0 && log[length - 1] == '\n');
  CHECK(strstr(log, "\"log\":\"before\\n\"") != NULL && strstr(log, "\"log\":\"after\\n\"") != NULL);
  char *notice = strstr(log, "berth: ");
  CHECK(notice != NULL && strstr(notice, "entries of this log were lost: No space left on device") != NULL);
  CHECK(notice != NULL && strstr(notice + 1, "berth: ") == NULL);
  int whole = 0, lost = 0;
  for (char *position = log; (position = strstr(position, "xxx\\n\"")); position++) whole++;
  if (notice) sscanf(notice, "berth: %d", &lost);
  CHECK(whole + lost == 100 && lost > 50);
  free(log);
  umount2(place.directory, MNT_DETACH);
  place_remove(&place);
}

/* A pipe that nobody reads is a disk that takes nothing. Who writes never waits for it; what was too much is told afterwards. */
static void a_blocked_disk_holds_nobody(struct check *check) {
  struct place place = place_make(-1, 1);
  place.plan.buffer_size = 20000;
  CHECK(mkfifo(place.path, 0600) == 0);
  int reader = open(place.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct log_sink *sink = open_log(&place);
  char line[1000];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  struct timespec begun, now;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  for (int i = 0; i < 1000; i++) {
    log_write(sink, STREAM_STDOUT, line, sizeof line);
    log_flush(sink);
  }
  clock_gettime(CLOCK_MONOTONIC, &now);
  CHECK(now.tv_sec - begun.tv_sec < 5);
  size_t size = 4 << 20, used = 0;
  char *text = malloc(size);
  int written = 1000;
  for (;;) {
    ssize_t got = io_read(reader, text + used, size - used - 1);
    if (got > 0) used += (size_t)got;
    text[used] = '\0';
    if (got > 0) continue;
    bool told = strstr(text, "of this log were lost: the buffer of the non-blocking mode was full") != NULL;
    log_write(sink, STREAM_STDOUT, "after xxx\n", 10);
    log_flush(sink);
    written++;
    if (told) break;
    /* What is written here has to fit into the pipe at the end: a line only when no other comes. */
    poll(&(struct pollfd){.fd = reader, .events = POLLIN}, 1, 100);
  }
  log_close(sink);
  ssize_t got;
  while ((got = io_read(reader, text + used, size - used - 1)) > 0) used += (size_t)got;
  text[used] = '\0';
  int whole = 0, lost = 0;
  for (char *position = text; (position = strstr(position, "xxx\\n\"")); position++) whole++;
  for (char *position = text; (position = strstr(position, "berth: ")); position++) lost += atoi(position + 7);
  CHECK(whole > 10 && lost > 100 && whole + lost == written);
  CHECK(used > 0 && text[used - 1] == '\n' && strstr(text, "after") != NULL);
  close(reader);
  free(text);
  place_remove(&place);
}

struct drain {
  int fd;
  char *text;
  size_t size, used;
};

static void *drain(void *argument) {
  struct drain *drain = argument;
  ssize_t got;
  while ((got = io_read(drain->fd, drain->text + drain->used, drain->size - drain->used - 1)) > 0) drain->used += (size_t)got;
  drain->text[drain->used] = '\0';
  return NULL;
}

/* Nothing comes after them that could bring the notice along. */
static void losses_at_the_end_are_told(struct check *check) {
  struct place place = place_make(-1, 1);
  place.plan.buffer_size = 20000;
  CHECK(mkfifo(place.path, 0600) == 0);
  struct drain reader = {.fd = open(place.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .text = malloc(4 << 20), .size = 4 << 20};
  struct log_sink *sink = open_log(&place);
  fcntl(reader.fd, F_SETFL, 0);
  char line[1000];
  memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  for (int i = 0; i < 1100; i++) log_write(sink, STREAM_STDOUT, line, sizeof line);
  log_flush(sink);
  pthread_t thread;
  if (pthread_create(&thread, NULL, drain, &reader) != 0) abort();
  log_close(sink);
  pthread_join(thread, NULL);
  int whole = 0, lost = 0;
  for (char *position = reader.text; (position = strstr(position, "xxx\\n\"")); position++) whole++;
  for (char *position = reader.text; (position = strstr(position, "berth: ")); position++) lost += atoi(position + 7);
  CHECK(lost > 0 && whole + lost == 1100);
  close(reader.fd);
  free(reader.text);
  place_remove(&place);
}

/* The same files as a log whose writer waits. */
static void a_queue_writes_everything(struct check *check) {
  struct place place = place_make(5000, 200);
  place.plan.buffer_size = 1 << 20;
  struct log_sink *sink = open_log(&place);
  char line[16];
  for (int i = 0; i < 2000; i++) {
    int length = snprintf(line, sizeof line, "%d\n", i);
    log_write(sink, STREAM_STDOUT, line, (size_t)length);
    if (i % 100 == 0) log_flush(sink);
  }
  log_close(sink);
  char *text = READ(&place, NULL, "--stdout", "--raw"), *position = text;
  int wrong = 0;
  for (int i = 0; i < 2000; i++) {
    int length = snprintf(line, sizeof line, "%d\n", i);
    wrong += strncmp(position, line, (size_t)length) != 0;
    position += length;
  }
  CHECK(wrong == 0 && *position == '\0');
  free(text);
  sink = open_log(&place);
  log_write(sink, STREAM_STDOUT, "gone\n", 5);
  log_flush(sink);
  CHECK(log_truncate(sink, NULL) == 0);
  log_close(sink);
  text = READ(&place, NULL, "--stdout", "--raw");
  CHECK(*text == '\0');
  free(text);
  place_remove(&place);
}

static void driver_none_takes_everything(struct check *check) {
  struct log_plan plan = {.json_file = false};
  struct log_sink *sink = (struct log_sink *)check;
  CHECK(log_open(&plan, &sink, NULL) == 0 && sink == NULL);
  log_write(sink, STREAM_STDOUT, "x", 1);
  log_flush(sink);
  CHECK(log_truncate(sink, NULL) < 0);
  log_close(sink);
}

/* What is decoded is what was encoded, for every pair of bytes. */
static void bytes_survive(struct check *check) {
  char text[64], encoded[64 * ENCODE_GROWTH + 256], decoded[sizeof encoded];
  int wrong = 0;
  for (int first = 1; first < 128; first++) {
    for (int second = 1; second < 128; second++) {
      for (int at = 0; at < 20; at++) {
        memset(text, 'x', 40);
        text[at] = (char)first;
        text[at + 1] = (char)second;
        if (first == '\n' || second == '\n') continue;
        char *out = encoded + sprintf(encoded, "{\"log\":\"");
        const char *in = text;
        out = log_encode(&in, text + 40, out);
        out += sprintf(out, "\",\"stream\":\"stderr\",\"time\":\"2024-02-29T12:00:00Z\"}");
        char *end = decoded;
        struct log_entry entry;
        if (entry_decode(encoded, out, &end, &entry) < 0 || end - decoded != 40 || memcmp(decoded, text, 40) != 0) wrong++;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(utf8_whole("a\xc3", 2) == 1 && utf8_whole("a\xc3\xa9", 3) == 3 && utf8_whole("a\xf0\x9f\x98", 4) == 1 && utf8_whole("\x80\x80\x80", 3) == 3);
}

int main(void) {
  struct check check = {0};
  signal(SIGPIPE, SIG_IGN);
  RUN(&check, entries_have_dockers_format);
  RUN(&check, long_lines_are_cut_as_docker_cuts_them);
  RUN(&check, every_entry_has_a_later_time);
  RUN(&check, files_are_rotated);
  RUN(&check, tail_counts_over_rotated_files);
  RUN(&check, frames_times_and_details);
  RUN(&check, since_and_until);
  RUN(&check, since_passes_old_files_over);
  RUN(&check, a_torn_end_is_cut_off);
  RUN(&check, a_follower_loses_nothing);
  RUN(&check, a_dead_followers_files_go);
  RUN(&check, truncation_empties_the_log);
  RUN(&check, compressed_files_are_read);
  RUN(&check, a_full_disk_is_told_afterwards);
  RUN(&check, a_blocked_disk_holds_nobody);
  RUN(&check, losses_at_the_end_are_told);
  RUN(&check, a_queue_writes_everything);
  RUN(&check, driver_none_takes_everything);
  RUN(&check, bytes_survive);
  return check.failed_tests != 0;
}
