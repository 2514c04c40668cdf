/* See log-queue.h. */
#include "log-queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* How long the last entries may take to reach the disk before the container's exit is told. */
#define CLOSE_SECONDS 5

/* Entries that wait, or that the thread is writing. */
struct half {
  char *data;
  size_t used;
};

struct log_queue {
  struct log_writer *writer; /* the thread's */
  pthread_mutex_t mutex;     /* of everything below */
  pthread_cond_t changed;
  size_t capacity;
  struct half halves[2];
  int filling; /* index of the half that takes entries */
  uint64_t lost;
  bool truncate, closing, done;
};

/* The next thing to do for the thread, which holds the mutex; false: nothing will come. */
static bool work(struct log_queue *queue) {
  struct half *half = &queue->halves[queue->filling];
  uint64_t lost = queue->lost;
  bool truncate = queue->truncate;
  if (half->used == 0 && lost == 0 && !truncate) {
    if (queue->closing) return false;
    pthread_cond_wait(&queue->changed, &queue->mutex);
    return true;
  }
  queue->filling = !queue->filling;
  queue->lost = 0;
  queue->truncate = false;
  pthread_mutex_unlock(&queue->mutex);
  if (truncate) log_writer_truncate(queue->writer, NULL);
  if (half->used > 0) log_writer_write(queue->writer, half->data, half->used);
  if (lost > 0) log_writer_lost(queue->writer, lost, "the buffer of the non-blocking mode was full");
  pthread_mutex_lock(&queue->mutex);
  half->used = 0;
  return true;
}

static void *run(void *argument) {
  struct log_queue *queue = argument;
  pthread_mutex_lock(&queue->mutex);
  while (work(queue)) {
  }
  pthread_mutex_unlock(&queue->mutex);
  log_writer_close(queue->writer);
  pthread_mutex_lock(&queue->mutex);
  queue->done = true;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
  return NULL;
}

static void release(struct log_queue *queue) {
  pthread_mutex_destroy(&queue->mutex);
  pthread_cond_destroy(&queue->changed);
  for (int i = 0; i < 2; i++) free(queue->halves[i].data);
  free(queue);
}

int log_queue_start(struct log_writer *writer, size_t capacity, struct log_queue **result, struct failure *failure) {
  struct log_queue *queue = calloc(1, sizeof *queue);
  if (!queue) return fail(failure, ENOMEM, "open the log");
  queue->writer = writer;
  queue->capacity = capacity;
  pthread_mutex_init(&queue->mutex, NULL);
  pthread_cond_init(&queue->changed, NULL);
  /* Pages that are never used cost nothing. */
  for (int i = 0; i < 2; i++) queue->halves[i].data = malloc(capacity);
  pthread_t thread;
  int code = queue->halves[0].data && queue->halves[1].data ? pthread_create(&thread, NULL, run, queue) : ENOMEM;
  if (code != 0) {
    release(queue);
    return fail(failure, code, "open the log");
  }
  pthread_detach(thread);
  *result = queue;
  return 0;
}

/* The length of the whole entries that fit. */
static size_t fitting(const char *entries, size_t length, size_t room) {
  if (length <= room) return length;
  const char *newline = memrchr(entries, '\n', room);
  return newline ? (size_t)(newline - entries) + 1 : 0;
}

void log_queue_put(struct log_queue *queue, const char *entries, size_t length) {
  pthread_mutex_lock(&queue->mutex);
  struct half *half = &queue->halves[queue->filling];
  size_t waiting = half->used + queue->halves[!queue->filling].used;
  size_t taken = fitting(entries, length, waiting < queue->capacity ? queue->capacity - waiting : 0);
  memcpy(half->data + half->used, entries, taken);
  half->used += taken;
  if (taken < length) queue->lost += log_count_entries(entries + taken, length - taken);
  pthread_cond_signal(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
}

void log_queue_truncate(struct log_queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  queue->halves[queue->filling].used = 0;
  queue->lost = 0;
  queue->truncate = true;
  pthread_cond_signal(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
}

void log_queue_close(struct log_queue *queue) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += CLOSE_SECONDS;
  pthread_mutex_lock(&queue->mutex);
  queue->closing = true;
  pthread_cond_broadcast(&queue->changed);
  int code = 0;
  while (!queue->done && code == 0) code = pthread_cond_timedwait(&queue->changed, &queue->mutex, &limit);
  bool done = queue->done;
  pthread_mutex_unlock(&queue->mutex);
  if (done) release(queue);
}
