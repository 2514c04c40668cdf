/* The socket through which the runtime hands over a pty's master. */
#ifndef SHIM_CONSOLE_H
#define SHIM_CONSOLE_H

#include "shim.h"

/* Listens at `name` in the working directory; gives the descriptor. */
int console_listen(const char *name, struct failure *failure);

/* Accepts one connection and takes the descriptor sent over it; -1: none (the connection is gone). */
int console_receive(int listener);

#endif
