/* The files of a log: the current one, `.1` the one before it, and so on. */
#ifndef SHIM_LOG_ROTATE_H
#define SHIM_LOG_ROTATE_H

#include "plan.h"

/*
 * Gives the current file's name away and the oldest file up; followers get a link first. The caller opens a new file then.
 * `number` names the links: larger than at the rotation before.
 */
int log_rotate(const struct log_plan *plan, uint64_t number, struct failure *failure);

/* Takes the last rotation back: the new file could not be made. */
void log_rotate_undo(const struct log_plan *plan);

/* Removes every rotated file. */
void log_remove_rotated(const char *path);

/* Removes the directories of followers that are gone. */
void log_sweep_followers(const char *path);

/*
 * Starts compressing `.1` with the host's gzip, in the background; log_compress_finish puts what is ready in place (`.1.gz`, …).
 * Called only between rotations, by the one that rotates. Without a gzip the files stay as they are.
 */
void log_compress_start(const char *path);
void log_compress_finish(const char *path);

#endif
