/*
 * A log's writer in a thread of its own, for containers that must not wait for a disk (`mode=non-blocking`): entries wait in a
 * bounded buffer, and what finds it full is lost.
 */
#ifndef SHIM_LOG_QUEUE_H
#define SHIM_LOG_QUEUE_H

#include "log-writer.h"

struct log_queue; /* opaque */

/* Starts the thread, which owns the writer from now on. `capacity`: bytes of entries that may wait. */
int log_queue_start(struct log_writer *writer, size_t capacity, struct log_queue **queue, struct failure *failure);

/* Takes as many of the entries as there is room for. Never waits for the disk. */
void log_queue_put(struct log_queue *queue, const char *entries, size_t length);

/* What waits is dropped at once; the files are cut as soon as the disk lets the thread. */
void log_queue_truncate(struct log_queue *queue);

/*
 * Ends the thread when it has written what waits, and closes the writer. A disk that takes nothing is left to the thread after a
 * while: it goes on until this program ends.
 */
void log_queue_close(struct log_queue *queue);

#endif
