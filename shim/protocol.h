/* Made by scripts/gen-shim-protocol.ts: change it there. */
#ifndef SHIM_PROTOCOL_H
#define SHIM_PROTOCOL_H

#define PROTOCOL_VERSION 1

/* A frame: u32 payload length, u16 type, u16 request number (0: not a request), payload. Little endian. */
#define PROTOCOL_HEADER_SIZE 8
#define PROTOCOL_MAX_PAYLOAD 1048576
#define PROTOCOL_ID_SIZE 64

/* First frame of a connection from the engine; each payload begins with the version, u16. */
#define PROTOCOL_OPEN_CONTROL 1
#define PROTOCOL_OPEN_ATTACH 2
#define PROTOCOL_OPEN_EXEC 3

/* Requests on a control connection; each is answered by RESULT. An id of zeros is the container itself. */
#define PROTOCOL_SIGNAL 16
#define PROTOCOL_RESIZE 17
#define PROTOCOL_TRUNCATE_LOG 18

/* What the shim says on every control connection. */
#define PROTOCOL_HELLO 31
#define PROTOCOL_RESULT 32
#define PROTOCOL_STARTED 33
#define PROTOCOL_FAILED 34
#define PROTOCOL_EXITED 35
#define PROTOCOL_OUT_OF_MEMORY 36
#define PROTOCOL_CLEANED 37
#define PROTOCOL_EXEC_STARTED 38
#define PROTOCOL_EXEC_FAILED 39
#define PROTOCOL_EXEC_EXITED 40

/* Stages of FAILED. */
#define PROTOCOL_STAGE_SETUP 0
#define PROTOCOL_STAGE_NETWORK 1
#define PROTOCOL_STAGE_RUNTIME 2

/* Attach flags. */
#define PROTOCOL_ATTACH_STDIN 1
#define PROTOCOL_ATTACH_STDOUT 2
#define PROTOCOL_ATTACH_STDERR 4

/* Exec flags. */
#define PROTOCOL_EXEC_TERMINAL 1
#define PROTOCOL_EXEC_DETACHED 2

#endif
