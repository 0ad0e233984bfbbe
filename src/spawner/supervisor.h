/*
 * supervisor.h - all that the spawner knows, in one place, and its small steps.
 *
 * One thread, one instance in static memory, no allocation. The steps are called by main.c's loop;
 * each lies in the file that its comment names.
 */
#ifndef DX_SPAWNER_SUPERVISOR_H
#define DX_SPAWNER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/spawn_wire.h"
#include "spawner/process.h"

enum {
    DX_SWEEP_BUSY_FACTOR = 8, /* sweeps take at most one part in 1 + this of the time */
    DX_SESSION_LOOK_MS =
        20, /* from a program's end to the look through its session: one serves many ends */
    DX_SESSION_GRACE_MS = 1000, /* from SIGTERM to SIGKILL for what outlives its program */
    DX_SESSION_RETRY_MS = 50,   /* between two looks at a session that was killed */
    DX_SESSION_GIVE_UP_MS =
        10 * 1000,             /* after which a session is forgotten (only the unkillable) */
    DX_END_BLIND_MS = 1000,    /* how long the end lasts where children cannot be listed */
    DX_SWEEP_PIDS_MAX = 32768, /* processes that one sweep visits; the others wait for the next */
};

#define DX_NS_PER_MS INT64_C(1000000)

/* One loop of the server. */
struct dx_channel {
    int fd; /* -1 once it is closed */
    struct dx_process *reports;
    struct dx_process **reports_end;
};

struct dx_supervisor {
    pid_t pid;
    bool has_proc; /* /proc shows this process by its own number, so its numbers can be trusted */
    int server_fd; /* pidfd of the server */
    int signal_fd; /* SIGCHLD */
    uint64_t descriptor_limit;
    uint32_t channel_count;
    struct dx_channel channels[DX_SPAWN_CHANNELS_MAX];

    struct dx_process *sweep_list; /* programs whose session is to be looked through */
    int64_t sweep_at_ns;           /* wanted by then; INT64_MAX: only when a deadline has come */
    int64_t next_sweep_ns;         /* not earlier than this */
    uint64_t exit_count;           /* children that were reaped, ever */

    struct dx_process_table processes;
    int32_t pids[DX_SWEEP_PIDS_MAX]; /* the processes that a sweep has still to visit */

    char *strings[DX_SPAWN_STRINGS_MAX + 2]; /* arguments, NULL, variables, NULL of one START */
    _Alignas(8) char message[DX_SPAWN_MESSAGE_MAX];
};

/** Monotonic time in nanoseconds (clock.c). */
int64_t dx_monotonic_ns(void);

/** Reads what the server has sent on the channel, at most a few messages a call (channel.c). */
void dx_channel_receive(struct dx_supervisor *supervisor, uint8_t index);

/**
 * Adds DX_REPORT_… to what the server is to be told of `process`, and sends what it can
 * (channel.c).
 */
void dx_channel_report(struct dx_supervisor *supervisor, struct dx_process *process,
                       uint8_t report);

/** Sends the reports that the socket had no room for (channel.c). */
void dx_channel_flush(struct dx_supervisor *supervisor, uint8_t index);

/** Closes the channel and kills its programs; nothing of them is reported any more (channel.c). */
void dx_channel_close(struct dx_supervisor *supervisor, uint8_t index);

/** Frees the entry of `process` if nothing is left to be done or told about it (channel.c). */
void dx_process_settle(struct dx_supervisor *supervisor, struct dx_process *process);

/**
 * Starts a program from a START message of `message_len` bytes in `message`; takes `streams`
 * (start.c).
 */
void dx_process_start(struct dx_supervisor *supervisor, uint8_t index, size_t message_len,
                      const int *streams, size_t stream_count);

/**
 * Sends `signal` to the program's group at once and to the rest of its session by the next sweep
 * (signal.c).
 */
void dx_process_signal(struct dx_supervisor *supervisor, struct dx_process *process, int signal);

/** Reaps every child that has ended; leaders are reported, their groups get SIGTERM (reap.c). */
void dx_reap_children(struct dx_supervisor *supervisor);

/** Kills and reaps until no descendant is left (reap.c). */
void dx_end_everything(struct dx_supervisor *supervisor);

/** Puts `process` into the list of those whose session is to be looked through, at `at_ns` (0: now) or before (sweep.c). */
void dx_sweep_add(struct dx_supervisor *supervisor, struct dx_process *process, int64_t at_ns);

/** Looks through the sessions in the list if it is time; nothing to do costs nothing (sweep.c). */
void dx_sweep_run(struct dx_supervisor *supervisor);

/** Nanoseconds until dx_sweep_run has something to do, -1 for never (sweep.c). */
int64_t dx_sweep_wait_ns(const struct dx_supervisor *supervisor);

/**
 * Writes the children of all threads of `pid` to `pids`, at most `count`; returns how many
 * (children.c). Children that come or go meanwhile may be missed.
 */
size_t dx_children_read(int32_t pid, int32_t *pids, size_t count);

/**
 * Whether dx_children_read can be used: /proc is there, lists children, and is that of our own PID
 * namespace. Where it is not, signals reach the groups of programs only (children.c).
 */
bool dx_children_readable(void);

#endif
