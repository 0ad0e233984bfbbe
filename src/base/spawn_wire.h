/*
 * spawn_wire.h - the messages between the server and duplex-spawner, for both sides.
 *
 * Each loop has a SOCK_SEQPACKET pair; each packet is one message, in the byte order of the
 * machine, because both ends are built together. DX_SPAWN_VERSION is checked when the spawner
 * starts. Sending, receiving and checking is done by bridge/spawner and spawner/.
 *
 *   server to spawner   START (with three descriptors), KILL
 *   spawner to server   STARTED or FAILED, once for each START; after STARTED exactly one EXITED
 *
 * The server chooses the id of a START. It may be used again after FAILED or EXITED.
 */
#ifndef DX_BASE_SPAWN_WIRE_H
#define DX_BASE_SPAWN_WIRE_H

#include <stdint.h>

/*
 * The first argument of duplex-spawner. The others are the number of channels and the soft
 * descriptor limit of programs.
 */
#define DX_SPAWN_VERSION "1"

/* The descriptors that duplex-spawner inherits, in addition to 0 to 2. */
enum {
    DX_SPAWN_FD_SERVER = 3,  /* pidfd of the server */
    DX_SPAWN_FD_CHANNEL = 4, /* the first channel; the others follow */
};

enum {
    DX_SPAWN_CHANNELS_MAX = 64,
    DX_SPAWN_MESSAGE_MAX = 128 * 1024, /* bytes of a START message, with its head */
    DX_SPAWN_STRINGS_MAX = 8192,       /* arguments and variables of a START message together */
    DX_SPAWN_PROGRAMS_MAX =
        16384,            /* programs that the server may have at a time, on all channels */
    DX_SPAWN_STREAMS = 3, /* descriptors of a START message: stdin, stdout, stderr */
};

enum dx_spawn_type {
    DX_SPAWN_START = 1,
    DX_SPAWN_KILL = 2,
    DX_SPAWN_STARTED = 3,
    DX_SPAWN_FAILED = 4,
    DX_SPAWN_EXITED = 5,
};

/* The step at which a start failed. */
enum dx_spawn_step {
    DX_SPAWN_STEP_NONE = 0,
    DX_SPAWN_STEP_MESSAGE = 1,      /* the START message is malformed */
    DX_SPAWN_STEP_DESCRIPTORS = 2,  /* the three descriptors did not arrive */
    DX_SPAWN_STEP_PROCESS = 3,      /* vfork */
    DX_SPAWN_STEP_SESSION = 4,      /* setsid */
    DX_SPAWN_STEP_STREAMS = 5,      /* placing stdin, stdout and stderr */
    DX_SPAWN_STEP_DIRECTORY = 6,    /* the working directory */
    DX_SPAWN_STEP_LIMIT = 7,        /* the descriptor limit */
    DX_SPAWN_STEP_PARENT = 8,       /* the parent-death signal; ESRCH: the spawner has died */
    DX_SPAWN_STEP_EXEC = 9,         /* execve: missing, not executable, unknown format, too big */
    DX_SPAWN_STEP_SPAWNER = 10,     /* the spawner died before it answered; never sent */
    DX_SPAWN_STEP_INTERPRETER = 11, /* the program exists, but not the interpreter of its #! line */
};

enum { DX_SPAWN_IN_DIRECTORY = 1 }; /* flag of START: the second string is the working directory */

/*
 * START. `strings_len` bytes of zero-terminated strings follow: the absolute path of the program,
 * the working directory if DX_SPAWN_IN_DIRECTORY, `argument_count` arguments (at least one),
 * `variable_count` variables. SCM_RIGHTS carries exactly DX_SPAWN_STREAMS descriptors.
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

/* All other messages. */
struct dx_spawn_note {
    uint32_t type;
    uint32_t step; /* FAILED: enum dx_spawn_step; otherwise 0 */
    uint64_t id;
    int32_t value;     /* KILL: signal; STARTED: pid; FAILED: errno; EXITED: status as of wait(2) */
    uint32_t reserved; /* 0 */
};

#endif
