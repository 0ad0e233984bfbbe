/*
 * supervisor.h - the whole state of the spawner, and the steps that main.c's loop calls.
 *
 * One thread, one instance in static memory, no allocation. Each comment names the file of the
 * step.
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
    DX_SESSION_LOOK_MS = 20,  /* from a program's end to the sweep of its session, for many ends */
    DX_SESSION_GRACE_MS = 1000,    /* from SIGTERM to SIGKILL, for the rest of a session */
    DX_SESSION_RETRY_MS = 50,      /* between two sweeps of a session that was killed */
    DX_SESSION_GIVE_UP_MS = 10000, /* then a session is forgotten, even if it has members */
    DX_END_BLIND_MS = 1000, /* the longest time for killing all where children cannot be listed */
    DX_SWEEP_PIDS_MAX = 32768, /* processes that one sweep visits; others wait for the next one */
};

#define DX_NS_PER_MS INT64_C(1000000)

/* The channel of one loop of the server. */
struct dx_channel {
    int fd; /* -1: closed */
    struct dx_process *reports;
    struct dx_process **reports_end;
};

struct dx_supervisor {
    pid_t pid;
    bool has_proc; /* /proc shows this process by its own pid, so its numbers can be trusted */
    int server_fd; /* pidfd of the server */
    int signal_fd; /* SIGCHLD */
    uint64_t descriptor_limit;
    uint32_t channel_count;
    struct dx_channel channels[DX_SPAWN_CHANNELS_MAX];

    struct dx_process *sweep_list; /* programs whose session is to be swept */
    int64_t sweep_at_ns;   /* when the next sweep is wanted; INT64_MAX: at the next deadline only */
    int64_t next_sweep_ns; /* the earliest time of the next sweep */
    uint64_t exit_count;   /* how many children have been reaped */

    struct dx_process_table processes;
    int32_t pids[DX_SWEEP_PIDS_MAX]; /* processes that the current sweep has still to visit */

    char *strings[DX_SPAWN_STRINGS_MAX + 2]; /* of one START: arguments, NULL, variables, NULL */
    _Alignas(8) char message[DX_SPAWN_MESSAGE_MAX];
};

/** Monotonic time in nanoseconds (clock.c). */
int64_t dx_monotonic_ns(void);

/** Reads messages of the server, at most a few in a call (channel.c). */
void dx_channel_receive(struct dx_supervisor *supervisor, uint8_t index);

/** Adds a DX_REPORT_… to the reports of `process`, and sends what it can (channel.c). */
void dx_channel_report(struct dx_supervisor *supervisor, struct dx_process *process,
                       uint8_t report);

/** Sends the reports that are waiting for room in the socket (channel.c). */
void dx_channel_flush(struct dx_supervisor *supervisor, uint8_t index);

/** Closes the channel and kills its programs; their ends are not reported (channel.c). */
void dx_channel_close(struct dx_supervisor *supervisor, uint8_t index);

/** Frees the entry of `process` if nothing is left to do or to report (channel.c). */
void dx_process_settle(struct dx_supervisor *supervisor, struct dx_process *process);

/**
 * Starts a program from a START message of `message_len` bytes in `message`; owns `streams`
 * (start.c).
 */
void dx_process_start(struct dx_supervisor *supervisor, uint8_t index, size_t message_len,
                      const int *streams, size_t stream_count);

/**
 * Sends `signal` to the group of the program at once, and to the rest of its session in the next
 * sweep (signal.c).
 */
void dx_process_signal(struct dx_supervisor *supervisor, struct dx_process *process, int signal);

/**
 * Reaps all children that have ended. Ends of leaders are reported; their groups get SIGTERM
 * (reap.c).
 */
void dx_reap_children(struct dx_supervisor *supervisor);

/** Kills and reaps until no descendant is left (reap.c). */
void dx_end_everything(struct dx_supervisor *supervisor);

/** Has the session of `process` swept at `at_ns` or before; 0: as soon as possible (sweep.c). */
void dx_sweep_add(struct dx_supervisor *supervisor, struct dx_process *process, int64_t at_ns);

/** Sweeps the sessions in the list if it is time; costs nothing if the list is empty (sweep.c). */
void dx_sweep_run(struct dx_supervisor *supervisor);

/** Nanoseconds until dx_sweep_run has work; -1: never (sweep.c). */
int64_t dx_sweep_wait_ns(const struct dx_supervisor *supervisor);

/**
 * Writes the children of all threads of `pid` to `pids`, at most `count`, and returns how many
 * (children.c). Children that come or go meanwhile may be missed.
 */
size_t dx_children_read(int32_t pid, int32_t *pids, size_t count);

/**
 * Whether dx_children_read works: /proc is mounted, lists children, and belongs to our PID
 * namespace. If not, signals reach the groups of programs only (children.c).
 */
bool dx_children_readable(void);

#endif
