/* A file's contents in pieces, without a copy: while one is looked at, the kernel maps the next on another processor. */
#ifndef SHIM_WINDOWS_H
#define SHIM_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#define WINDOW_SIZE (4u << 20)

/* Gets WINDOW_SIZE bytes, in the file's order. */
typedef void (*window_reader)(void *context, const void *data, size_t length);

/*
 * Reads as many whole windows of an open file from `offset` on as `length` has, and gives how many bytes these were: fewer, where the file cannot be
 * mapped there or its disk fails. Nobody may shorten the file meanwhile.
 */
uint64_t windows_read(int file, uint64_t offset, uint64_t length, window_reader read, void *context);

#endif
