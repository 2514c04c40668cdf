/* See windows.h. */
#include "windows.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

/* Linux 5.14; musl's headers are older. An older kernel says EINVAL. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Windows that are mapped at once. */
#define AHEAD 3

struct windows {
  int file;
  uint64_t offset, count;
  pthread_mutex_t mutex; /* of everything below */
  pthread_cond_t changed;
  void *ring[AHEAD];
  uint64_t mapped, read; /* so many so far */
  bool ended;            /* no more will be mapped */
};

/* What is not there, or cannot be read from the disk, fails here and not at the touch. */
static void *map_window(int file, uint64_t offset) {
  void *window = mmap(NULL, WINDOW_SIZE, PROT_READ, MAP_SHARED, file, (off_t)offset);
  if (window == MAP_FAILED) return NULL;
  if (madvise(window, WINDOW_SIZE, MADV_POPULATE_READ) == 0) return window;
  munmap(window, WINDOW_SIZE);
  return NULL;
}

static void *map_ahead(void *argument) {
  struct windows *windows = argument;
  bool failed = false;
  for (uint64_t number = 0; number < windows->count && !failed; number++) {
    void *window = map_window(windows->file, windows->offset + number * WINDOW_SIZE);
    pthread_mutex_lock(&windows->mutex);
    while (windows->mapped - windows->read == AHEAD) pthread_cond_wait(&windows->changed, &windows->mutex);
    failed = !window;
    windows->ended = failed;
    if (window) windows->ring[windows->mapped++ % AHEAD] = window;
    pthread_cond_signal(&windows->changed);
    pthread_mutex_unlock(&windows->mutex);
  }
  return NULL;
}

uint64_t windows_read(int file, uint64_t offset, uint64_t length, window_reader read, void *context) {
  struct windows windows = {.file = file, .offset = offset, .count = length / WINDOW_SIZE};
  pthread_t thread;
  if (windows.count == 0) return 0;
  pthread_mutex_init(&windows.mutex, NULL);
  pthread_cond_init(&windows.changed, NULL);
  if (pthread_create(&thread, NULL, map_ahead, &windows) == 0) {
    pthread_mutex_lock(&windows.mutex);
    while (windows.read < windows.count) {
      while (windows.read == windows.mapped && !windows.ended) pthread_cond_wait(&windows.changed, &windows.mutex);
      if (windows.read == windows.mapped) break;
      void *window = windows.ring[windows.read % AHEAD];
      pthread_mutex_unlock(&windows.mutex);
      read(context, window, WINDOW_SIZE);
      munmap(window, WINDOW_SIZE);
      pthread_mutex_lock(&windows.mutex);
      windows.read++;
      pthread_cond_signal(&windows.changed);
    }
    pthread_mutex_unlock(&windows.mutex);
    pthread_join(thread, NULL);
  }
  pthread_cond_destroy(&windows.changed);
  pthread_mutex_destroy(&windows.mutex);
  return windows.read * WINDOW_SIZE;
}
