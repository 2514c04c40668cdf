/* The files of a log as a reader sees them. */
#ifndef SHIM_LOG_FILES_H
#define SHIM_LOG_FILES_H

#include <sys/stat.h>

#include "shim.h"

struct log_file {
  int fd;
  ino_t inode;
  bool compressed;
  off_t offset;   /* read so far; where the reader starts */
  uint64_t skip;  /* entries to pass over first: compressed files cannot be entered in the middle */
};

struct log_files {
  struct log_file *files; /* the oldest first */
  size_t count;
};

/* Opens what is there now; an absent log gives none. */
int log_files_open(const char *path, struct log_files *files, struct failure *failure);

/* Moves the start so that `tail` entries are left. */
int log_files_tail(struct log_files *files, uint64_t tail, struct failure *failure);

/* Opens the current file again: 0, or -1 where it is not there at this moment. */
int log_file_open(const char *path, struct log_file *file);

void log_file_close(struct log_file *file);
void log_files_close(struct log_files *files);

/* A descriptor that reads the file's uncompressed bytes; `*child` is the program to wait for, 0: none. */
int log_file_stream(const struct log_file *file, pid_t *child, struct failure *failure);

/* The directory where the writer links what it rotates away, made and locked; -1: none. `name` has room for PATH_MAX. */
int log_follower_make(const char *path, char *name);
void log_follower_remove(int directory, const char *name);

/* Removes the links of files that are open already, but for the last one. */
void log_follower_prune(int directory, const struct log_files *files);

/*
 * The file after the one of `inode`: the next link of the follower's directory, or the current file. Gives 1 and the opened
 * file, 0 when `inode` is still the current one, -1 when it is not there at this moment.
 */
int log_follower_next(int directory, const char *path, ino_t inode, struct log_file *next);

#endif
