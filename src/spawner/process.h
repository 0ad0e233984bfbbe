/*
 * process.h - the table of the programs that the spawner has started, found by id and by pid.
 *
 * It is zeroed static memory, of which only the used part becomes resident, so that nothing can run
 * out of memory half-way. Programs are started, signalled and reaped elsewhere.
 */
#ifndef DX_SPAWNER_PROCESS_H
#define DX_SPAWNER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/spawn_wire.h"

enum {
    /*
     * Twice the limit of the server: the session of a program whose end was reported may still have
     * to be cleared.
     */
    DX_PROCESSES_MAX = 2 * DX_SPAWN_PROGRAMS_MAX,
    DX_PROCESS_BUCKETS = 1024,
};

enum dx_process_state {
    DX_PROCESS_FREE = 0,
    DX_PROCESS_FAILED,  /* never ran; FAILED is still to be sent */
    DX_PROCESS_RUNNING, /* its leader is alive or not reaped: pid and group cannot be reused */
    DX_PROCESS_ENDED,   /* its leader is reaped; its session may have other members */
};

/* Reports that have not been sent to the server. */
enum { DX_REPORT_STARTED = 1, DX_REPORT_FAILED = 2, DX_REPORT_EXITED = 4 };

struct dx_process {
    uint64_t id;
    int64_t kill_at_ns; /* ENDED: when the rest of the session gets SIGKILL */
    int64_t drop_at_ns; /* ENDED: when the session is forgotten, even if it has members */
    int32_t pid;        /* of the leader, the group and the session; 0: it never ran */
    int32_t value;      /* FAILED: errno; ENDED: the wait status */
    uint8_t state;      /* enum dx_process_state */
    uint8_t step;       /* FAILED: enum dx_spawn_step */
    uint8_t reports;    /* DX_REPORT_… that are still to be sent */
    uint8_t channel;
    uint8_t signal;   /* RUNNING: the signal of the last KILL; 0: none */
    bool sweeping;    /* in the sweep list */
    bool terminated;  /* ENDED: members in other groups have got their SIGTERM */
    bool has_members; /* ENDED: the current sweep has found a member */
    bool reporting;   /* in the list of reports of its channel */
    struct dx_process *next_by_pid;
    struct dx_process *next_by_id;
    struct dx_process *next_in_sweep;
    struct dx_process *next_report;
};

struct dx_process_table {
    struct dx_process *by_pid[DX_PROCESS_BUCKETS];
    struct dx_process *by_id[DX_PROCESS_BUCKETS];
    struct dx_process *free_list;
    uint32_t used; /* entries of `all` that have ever been used */
    struct dx_process all[DX_PROCESSES_MAX];
};

/** Makes an entry for `id` of `channel`, FAILED and without a pid. NULL: the table is full. */
struct dx_process *dx_process_new(struct dx_process_table *table, uint8_t channel, uint64_t id);

/** Frees the entry, which must not be in a list. */
void dx_process_free(struct dx_process_table *table, struct dx_process *process);

/** Gives the entry its pid and makes it RUNNING. */
void dx_process_run(struct dx_process_table *table, struct dx_process *process, int32_t pid);

/**
 * The RUNNING or FAILED entry of `channel` with `id`, or NULL. Requests cannot refer to an ENDED
 * one.
 */
struct dx_process *dx_process_find_id(struct dx_process_table *table, uint8_t channel, uint64_t id);

/** The entry whose leader has or had `pid`: the RUNNING one, else an ENDED one, else NULL. */
struct dx_process *dx_process_find_pid(struct dx_process_table *table, int32_t pid);

#endif
