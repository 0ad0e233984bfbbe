/*
 * spawn_wire.h - the messages between the server and duplex-spawner, the same for both sides.
 *
 * One SOCK_SEQPACKET pair a loop carries them, one message a packet, in the machine's own byte
 * order (both ends run on one machine and are built together; DX_SPAWN_VERSION is checked when the
 * spawner starts). Not responsible for sending, receiving or checking them: bridge/spawner and
 * spawner/ do that.
 *
 *   server to spawner   START (with three descriptors), KILL
 *   spawner to server   STARTED or FAILED, once for each START; after STARTED exactly one EXITED
 *
 * The server chooses the id of a START. It is free again once FAILED or EXITED has come back with
 * it.
 */
#ifndef DX_BASE_SPAWN_WIRE_H
#define DX_BASE_SPAWN_WIRE_H

#include <stdint.h>

/*
 * First argument of duplex-spawner; the others: number of channels, soft descriptor limit of
 * programs.
 */
#define DX_SPAWN_VERSION "1"

/* The descriptors that duplex-spawner inherits, in addition to 0 to 2. */
enum {
    DX_SPAWN_FD_SERVER = 3,  /* pidfd of the server */
    DX_SPAWN_FD_CHANNEL = 4, /* the first channel; the others follow */
};

enum {
    DX_SPAWN_CHANNELS_MAX = 64,
    DX_SPAWN_MESSAGE_MAX = 128 * 1024, /* bytes of a START message, its head included */
    DX_SPAWN_STRINGS_MAX = 8192,       /* arguments and variables of a START message together */
    DX_SPAWN_PROGRAMS_MAX = 16384, /* programs that the server may have at one time, all channels */
    DX_SPAWN_STREAMS = 3,          /* descriptors of a START message: stdin, stdout, stderr */
};

enum dx_spawn_type {
    DX_SPAWN_START = 1,
    DX_SPAWN_KILL = 2,
    DX_SPAWN_STARTED = 3,
    DX_SPAWN_FAILED = 4,
    DX_SPAWN_EXITED = 5,
};

/* What was being done when a start failed. */
enum dx_spawn_step {
    DX_SPAWN_STEP_NONE = 0,
    DX_SPAWN_STEP_MESSAGE = 1,     /* the START message was not understood */
    DX_SPAWN_STEP_DESCRIPTORS = 2, /* the three descriptors did not arrive */
    DX_SPAWN_STEP_PROCESS = 3,     /* no new process */
    DX_SPAWN_STEP_SESSION = 4,     /* no session of its own */
    DX_SPAWN_STEP_STREAMS = 5,     /* stdin, stdout or stderr could not be put in place */
    DX_SPAWN_STEP_DIRECTORY = 6,   /* the working directory */
    DX_SPAWN_STEP_LIMIT = 7,       /* the descriptor limit */
    DX_SPAWN_STEP_PARENT = 8,      /* the parent-death signal; ESRCH: the spawner has just died */
    DX_SPAWN_STEP_EXEC = 9, /* the program itself: missing, not executable, no format, too big */
    DX_SPAWN_STEP_SPAWNER = 10,     /* the spawner was lost before it answered; never on the wire */
    DX_SPAWN_STEP_INTERPRETER = 11, /* the program exists, but not the interpreter of its #! line */
};

enum { DX_SPAWN_IN_DIRECTORY = 1 }; /* flag of START: the second string is the working directory */

/*
 * START. After it come `strings_len` bytes of zero-terminated strings: the absolute path of the
 * program, the working directory if DX_SPAWN_IN_DIRECTORY, `argument_count` arguments (at least
 * one), `variable_count` variables. SCM_RIGHTS carries exactly DX_SPAWN_STREAMS descriptors.
 */
struct dx_spawn_start {
    uint32_t type;
    uint32_t flags;
    uint64_t id;
    uint32_t argument_count;
    uint32_t variable_count;
    uint32_t strings_len;
    uint32_t reserved; /* 0 */
};

/* Every other message. */
struct dx_spawn_note {
    uint32_t type;
    uint32_t step; /* FAILED: enum dx_spawn_step; otherwise 0 */
    uint64_t id;
    int32_t value;     /* KILL: signal; STARTED: pid; FAILED: errno; EXITED: status as of wait(2) */
    uint32_t reserved; /* 0 */
};

#endif
